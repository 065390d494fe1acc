#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tapegrad/program/passes/passes.h"

namespace tapegrad {

// The names of the passes that can be switched, in the order in which they run.
std::span<const std::string_view> pass_names();

// Switches a pass off or on; throws TypeError where none has this name.
void switch_pass(PassOptions& options, std::string_view name, bool on);

}  // namespace tapegrad
