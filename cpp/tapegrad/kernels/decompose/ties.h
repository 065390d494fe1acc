// Sorted numbers w (..., n) of which some are equal up to rounding: two neighbours are a tie where
// they differ by at most 4 n eps max|w|, and ties are transitive. float32 or float64, any strides;
// all arguments have one dtype and one stack; results are packed.
#pragma once

#include <cstdint>

#include "tapegrad/base/value.h"

namespace tapegrad {

// k_ij / (w_j - w_i), 0 on the diagonal. For a tie 0 where neither k_ij, k_ji, d_i nor d_j say
// anything, else NaN.
Value divide_by_gaps_values(const Value& w, const Value& k, const Value& d);

// How often it gave a 0 for a tie, on any thread.
uint64_t silent_ties();

// 1 where a number belongs to a tie, else 0; of the dtype of w.
Value mask_of_ties(const Value& w);

// Whether 0 is given at w = 0, where singular values have the tip of a cone.
enum class Tip : int64_t { none, at_zero, up_to_rounding };

// The mean of d over each tie.
Value share_ties_values(const Value& w, const Value& d, Tip tip);

}  // namespace tapegrad
