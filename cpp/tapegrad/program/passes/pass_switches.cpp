#include "tapegrad/program/passes/pass_switches.h"

#include <array>
#include <utility>

#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

constexpr std::array<std::pair<std::string_view, bool PassOptions::*>, 12> switches = {{
    {"roll", &PassOptions::roll},
    {"parts", &PassOptions::parts},
    {"fold", &PassOptions::fold},
    {"shared", &PassOptions::shared},
    {"dead", &PassOptions::dead},
    {"algebra", &PassOptions::algebra},
    {"views", &PassOptions::views},
    {"batch", &PassOptions::batch},
    {"expand", &PassOptions::expand},
    {"tiles", &PassOptions::tiles},
    {"fuse", &PassOptions::fuse},
    {"reorder", &PassOptions::reorder},
}};

constexpr auto names = [] {
  std::array<std::string_view, switches.size()> found;
  for (size_t i = 0; i < switches.size(); ++i) found[i] = switches[i].first;
  return found;
}();

std::string all_names() {
  std::string text;
  for (std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

}  // namespace

std::span<const std::string_view> pass_names() { return names; }

void switch_pass(PassOptions& options, std::string_view name, bool on) {
  for (const auto& [known, field] : switches) {
    if (known != name) continue;
    options.*field = on;
    return;
  }
  throw_error<TypeError>("passes: there is no pass named '", name, "'; they are ", all_names());
}

}  // namespace tapegrad
