#include "tapegrad/rows/cpu.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "check.h"
#include "tapegrad/base/error.h"

using tapegrad::isa_level;
using tapegrad::IsaLevel;

// The level is decided once a process, so each wish needs a process of its own, whose exit status f
// gives.
template <class F>
static int in_child(F&& f) {
  const pid_t child = fork();
  if (child == 0) _exit(f());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// 0 if isa_level() gave `expected`, 1 if it gave another, 2 if it threw an error naming the wish.
static int outcome(const char* wish, IsaLevel expected) {
  return in_child([&] {
    setenv("TAPEGRAD_ISA", wish, 1);
    try {
      return isa_level() == expected ? 0 : 1;
    } catch (const tapegrad::ValueError& error) {
      return std::string(error.what()).find(wish) != std::string::npos ? 2 : 3;
    }
  });
}

TEST(a_lower_level_can_be_forced_and_a_higher_one_raises) {
  // Before isa_level() is called here, or the children would inherit the decision.
  const char* names[] = {"v1", "v3", "v4"};
  const IsaLevel levels[] = {IsaLevel::v1, IsaLevel::v3, IsaLevel::v4};
  int outcomes[3];
  for (int i = 0; i < 3; ++i) outcomes[i] = outcome(names[i], levels[i]);
  CHECK(outcome("v2", IsaLevel::v1) == 2);
  CHECK(outcome("avx", IsaLevel::v1) == 2);
  const int highest = in_child([] {
    unsetenv("TAPEGRAD_ISA");
    return static_cast<int>(isa_level());
  });
  for (int i = 0; i < 3; ++i)
    CHECK(outcomes[i] == (static_cast<int>(levels[i]) <= highest ? 0 : 2));
}
