#include "tapegrad/rows/cpu.h"

#include <cstdlib>
#include <string>

#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

IsaLevel highest_level() {
#if TAPEGRAD_HIGHEST_ISA >= 4
  if (__builtin_cpu_supports("x86-64-v4")) return IsaLevel::v4;
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
  if (__builtin_cpu_supports("x86-64-v3")) return IsaLevel::v3;
#endif
  return IsaLevel::v1;
}

std::string name(IsaLevel level) { return "v" + std::to_string(static_cast<int>(level)); }

IsaLevel choose_level() {
  const IsaLevel highest = highest_level();
  const char* wish = std::getenv("TAPEGRAD_ISA");
  if (!wish || !*wish) return highest;
  for (IsaLevel level : {IsaLevel::v1, IsaLevel::v3, IsaLevel::v4})
    if (wish == name(level) && level <= highest) return level;
  throw_error<ValueError>("TAPEGRAD_ISA=", wish, ": this build and processor allow v1 to ",
                          name(highest), "; unset it to use ", name(highest));
}

}  // namespace

IsaLevel isa_level() {
  static const IsaLevel level = choose_level();
  return level;
}

}  // namespace tapegrad
