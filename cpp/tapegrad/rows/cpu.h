#pragma once

namespace tapegrad {

// The instruction-set levels that kernels/isa is compiled for: x86-64 (or any other processor),
// -v3, -v4.
enum class IsaLevel { v1 = 1, v3 = 3, v4 = 4 };

// The level in use: the highest that was built and that this processor runs. The environment
// variable TAPEGRAD_ISA=v1|v3|v4 lowers it; asking for more than there is throws. Decided at the
// first call.
IsaLevel isa_level();

}  // namespace tapegrad
