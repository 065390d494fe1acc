#pragma once

#include "tapegrad/tape/ref.h"
#include "tapegrad/tape/tape.h"

// Data values: masks and integers, the dtypes that have no derivative.
//
// Outside of a Tracer operations give them as plain values and nothing is recorded: `x > 0` is an
// array of bools. While a Tracer records a whole function every result is a node, data too
// (is_recorded), so that a program computes a mask or a position again from its arguments and does
// not keep what one call had. A Ref to such a node is a data Ref. From there it goes two ways:
//
//  - Into another operation. Operations take data Refs as they take plain data, and give them no
//    adjoint. Arithmetic among them is that of NumPy's integers (ops/integers.h). Positions in an
//    index key stay Refs where another position would make a result of the same shape and kind
//    (ops/index/index_key.h).
//  - Out to plain code, which may act on it: a branch, a dictionary key, a mask in an index key
//    (its count makes a shape), a NumPy function that no operation stands for. Such code gets the
//    plain value from learn(), which writes a guard with the bits that were seen; a replay in which
//    the guard does not hold is discarded. Nothing else turns a data Ref into a plain value:
//    whoever reads `ref.value()` for more than dtype and shape keeps the data of one call in the
//    program.
//
// What plain code learns of a floating value is guarded in the same way, and as little of it as the
// code sees: whether it is zero (learn_truth), its integer part (learn_integer_part). Lengths of
// axes are free until plain code learns one: then the recording holds for the lengths of this call
// alone (learn_lengths). The same for Variables: autodiff/learn.h.

namespace tapegrad {

// Whether results of this dtype have a place on the tape.
inline bool is_recorded(const Tape& tape, DType d) { return is_floating(d) || tape.tracing(); }
// Whether a value of this dtype on this thread is a data Ref.
inline bool is_recorded_data(DType d) { return !is_floating(d) && Tape::current().tracing(); }

// The plain value of `r`, guarded where a Tracer is at work.
Value learn(const Ref& r);

// The same for how far two numbers are apart, or one is beyond an end: what most others share.
void learn_distance(const Ref& r);

// An axis has become known to plain code, or an error that may come of its length.
void learn_lengths();

// Whether `r` was computed from data and constants alone, in a few steps: then it has no
// derivative that a conversion to a plain float could lose.
bool is_computed_from_data(const Ref& r);

}  // namespace tapegrad
