#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/tape/ref.h"

// Parts of arrays that are views: those of basic keys, and those that recorded numbers choose.

namespace tapegrad {

// A spec and its index arrays. In a part that is a view each has no axes, but for one at most,
// which holds the positions between two recorded bounds, one after the other.
struct IndexPart {
  IndexSpec spec{};
  std::vector<Ref> indices{};
};

// The part that `outer` of an array of this shape, and then `inner` of that, is; none where no spec
// says so. The inner one may have any array of one axis in place of the positions between bounds.
std::optional<IndexPart> composed(const IndexPart& outer, const IndexPart& inner,
                                  std::span<const int64_t> shape);

// A basic spec of a part of the same shape and strides, which begins at the first position of each
// axis that an index array is for.
IndexSpec at_first_positions(const IndexPart& part);

}  // namespace tapegrad
