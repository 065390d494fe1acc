#pragma once

#include "tapegrad/ops/expand.h"

// Reductions taken apart into scalars: for the files of the family, and for einsum.

namespace tapegrad {

// Whether a fold can be taken apart: in floats, and where the order of the elements counts it is
// known.
bool can_expand_fold(ExpandContext& c);
// Sums over axes of an array packed in C order, in the order of the array's own sum.
Scalars sum_axes(ExpandContext& c, DType d, const Scalars& in, const Dims& shape,
                 const Dims& flags);

bool expand_sum(ExpandContext& c);
bool expand_mean(ExpandContext& c);
bool expand_prod(ExpandContext& c);
bool expand_max(ExpandContext& c);
bool expand_min(ExpandContext& c);
bool expand_sum_to_shape(ExpandContext& c);
bool expand_tie_shares(ExpandContext& c);
bool expand_logsumexp(ExpandContext& c);

}  // namespace tapegrad
