#pragma once

#include <string>
#include <string_view>

#include "tapegrad/ops/foreign/foreign.h"

namespace tapegrad {

// A loop over complex numbers, told by its types ("Dld->D"), as one over pairs of real ones: the
// real and the imaginary part of each. Whole numbers among its inputs are given as floats.
void set_paired_loops(ForeignFunction& f, ForeignFunction::Loop loop, const std::string& types);

// A function of the core's own of any number of operands (kernels/special).
void set_own_loops(ForeignFunction& f, std::string_view name);

}  // namespace tapegrad
