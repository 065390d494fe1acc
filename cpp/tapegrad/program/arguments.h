// How arguments enter the record of a whole function, and what it left behind.
#pragma once

#include <span>

#include "tapegrad/program/record.h"

namespace tapegrad {

// An argument of its own: writes to it reach nobody. `weak`: a number of the host language, which
// takes the dtype of what it meets.
Ref own_argument(Tracer& tracer, const Value& value, bool weak);

// An argument whose derivatives lead on to x, with a copy of x where that is an array of the
// host's.
Ref linked_own_argument(Tracer& tracer, const Ref& x);

// The argument of one lane: the first of those along the first axis of `lanes`, zeros where there
// is none. Derivatives lead on to `lanes`, for what leaves the function by another way than its
// result.
Ref lane_argument(Tracer& tracer, const Ref& lanes);

// Whether an operation, or one of the outputs, depends on what is not the function's own.
bool used_outside(const Tracer& tracer, std::span<const Ref> outputs);

}  // namespace tapegrad
