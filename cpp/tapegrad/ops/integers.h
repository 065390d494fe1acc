#pragma once

#include "tapegrad/ops/operand.h"

// Arithmetic of masks and integers that a Tracer records: NumPy computes it among integers, and a
// program has to give the same numbers.

namespace tapegrad {

// Whether NumPy computes fn(operands) as data, and so among integers; all but quotients and the
// functions that give float64 (or, for masks and integers of few bits, a smaller float dtype).
bool is_integer_arithmetic(ScalarFn fn, std::span<const Operand> operands);
// The result of such arithmetic, or nothing where no operation does the same.
std::optional<Ref> integer_arithmetic(ScalarFn fn, std::span<const Operand> operands);

// The same of ints of Python, recorded ones among them, which grow beyond 64 bits where they have
// to. Nothing comes back where that might happen, or where the function is none of theirs.
std::optional<Ref> python_integer_arithmetic(ScalarFn fn, std::span<const Ref> operands);

// Whether fn compares integers of which some have 64 bits: the kernels' float64 is too short.
bool is_integer_comparison(ScalarFn fn, std::span<const Operand> operands);
std::optional<Ref> compare_integers(ScalarFn fn, std::span<const Operand> operands);

}  // namespace tapegrad
