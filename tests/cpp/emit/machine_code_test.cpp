#include "tapegrad/emit/machine_code.h"

#include <array>
#include <cstdint>
#include <cstdio>

#include "check.h"

#ifdef __linux__
#include <sys/resource.h>
#endif

using namespace tapegrad::emit;

namespace {

constexpr std::array<uint8_t, 6> returns_seven{0xb8, 7, 0, 0, 0, 0xc3};  // mov eax, 7; ret

// What the system says of the page: as "r-xp"; empty where it is nobody's.
std::string rights_at(const void* page) {
  std::string rights;
#ifdef __linux__
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  if (!maps) return rights;
  char line[512];
  while (std::fgets(line, sizeof line, maps)) {
    unsigned long long begin = 0, end = 0;
    char of_line[8] = {};
    if (std::sscanf(line, "%llx-%llx %7s", &begin, &end, of_line) != 3) continue;
    const auto at = reinterpret_cast<uintptr_t>(page);
    if (begin <= at && at < end) rights = of_line;
  }
  std::fclose(maps);
#endif
  return rights;
}

}  // namespace

TEST(code_runs_and_can_not_be_written) {
  if (when() == When::never) return;
  const uint64_t before = count().alive;
  const void* page = nullptr;
  {
    MachineCode code = MachineCode::place(returns_seven);
    CHECK(bool(code));
    page = code.at(0);
    CHECK(reinterpret_cast<int (*)()>(reinterpret_cast<uintptr_t>(page))() == 7);
    CHECK(rights_at(page) == "r-xp");
    CHECK(count().alive == before + 1);
    MachineCode moved = std::move(code);
    CHECK(!code && moved && moved.at(0) == page && count().alive == before + 1);
  }
  CHECK(count().alive == before);
  CHECK(rights_at(page) != "r-xp");  // given back
}

TEST(without_memory_there_is_no_code) {
#ifdef __linux__
  if (when() == When::never) return;
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  rlimit none = before;
  none.rlim_cur = 1 << 20;  // less than the process has
  const uint64_t alive = count().alive;
  setrlimit(RLIMIT_AS, &none);
  const bool made = bool(MachineCode::place(returns_seven));
  setrlimit(RLIMIT_AS, &before);
  CHECK(!made);
  CHECK(count().alive == alive);
#endif
}

TEST(a_policy_can_be_set) {
  const When before = when();
  if (before == When::never) return;
  for (When w : {When::always, When::never, When::earned}) {
    set_when(w);
    CHECK(when() == w);
  }
  set_when(before);
}
