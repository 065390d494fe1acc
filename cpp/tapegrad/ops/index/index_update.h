#pragma once

#include <span>
#include <utility>
#include <vector>

#include "tapegrad/tape/ref.h"

// What slices and gathers share: how an update fits the part of the base that it is written to.

namespace tapegrad {

// Whether the code of a key takes one element of an array of this shape: x[i, j, ...], by far the
// commonest key.
bool is_element(std::span<const int64_t> code, std::span<const int64_t> shape);

// Throws where an update of this type can't be written to a part of shape `region`.
void check_update(const TensorType& update, DType base, const Dims& region, const char* op);

// The update in the base's dtype, without leading axes of length 1 that the region does not have.
Value fitted_update(const Value& update, DType base, size_t region_ndim);

// A cotangent of the region brought back to the update's shape.
Ref unfitted_update(const Ref& region_ct, const Dims& update_shape);

// A list of operands that are moved in, so that an op in place finds its first one unshared.
template <class... R>
std::vector<Ref> operands(R&&... refs) {
  std::vector<Ref> list;
  list.reserve(sizeof...(refs));
  (list.push_back(std::forward<R>(refs)), ...);
  return list;
}

}  // namespace tapegrad
