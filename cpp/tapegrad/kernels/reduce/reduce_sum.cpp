#include "tapegrad/kernels/reduce/reduce_sum.h"

#include "tapegrad/kernels/reduce/reduce_axis.h"

namespace tapegrad {

Value sum_to_shape(const Value& v, std::span<const int64_t> shape) {
  const Dims from = v.shape();
  const size_t n = from.size();
  bool fits = shape.size() <= n, any = shape.size() < n;
  const size_t lead = fits ? n - shape.size() : 0;
  Dims reduced(n, 1);
  for (size_t i = lead; i < n && fits; ++i) {
    const int64_t to = shape[i - lead];
    reduced[i] = to == 1 && from[i] != 1;
    any |= reduced[i] != 0;
    fits = to == 1 || to == from[i];
  }
  if (!fits)
    throw_error<ValueError>("sum_to_shape: an array of shape ", from, " is no broadcast of shape ",
                            Dims(shape),
                            "; each length must be equal or 1, counted from the last axis");
  if (!any) return v;
  return fold_axes(Fold::sum, v, reduced).reshaped(shape);
}

}  // namespace tapegrad
