#include "tapegrad/ops/index/index_update.h"

#include "tapegrad/base/error.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"

namespace tapegrad {
namespace {

// Leading axes of length 1 past `ndim`, which NumPy drops in an assignment.
size_t extra_axes(const Dims& shape, size_t ndim) {
  size_t n = 0;
  while (shape.size() - n > ndim && shape[n] == 1) ++n;
  return n;
}

bool broadcasts_to(const Dims& shape, const Dims& to) {
  const size_t extra = extra_axes(shape, to.size());
  if (shape.size() - extra > to.size()) return false;
  const size_t lead = to.size() - (shape.size() - extra);
  for (size_t i = extra; i < shape.size(); ++i)
    if (shape[i] != 1 && shape[i] != to[lead + i - extra]) return false;
  return true;
}

}  // namespace

bool is_element(std::span<const int64_t> code, std::span<const int64_t> shape) {
  if (shape.empty() || code.size() != 4 * shape.size()) return false;
  for (size_t k = 0; k < shape.size(); ++k) {
    const int64_t i = code[4 * k + 1];
    if (code[4 * k] != static_cast<int64_t>(IndexKind::at) || i < 0 || i >= shape[k]) return false;
  }
  return true;
}

void check_update(const TensorType& update, DType base, const Dims& region, const char* op) {
  if (is_floating(update.dtype) && !is_floating(base))
    throw_error<TypeError>(
        op, ": writing ", dtype_name(update.dtype), " into an array of ", dtype_name(base),
        " would lose the fraction and the derivative; make the array one of floats "
        "(x = np.zeros(n)), or write integers");
  if (region.empty() && !update.shape.empty())
    throw_error<ValueError>(op, ": setting an array element with a sequence: a value of shape ",
                            update.shape,
                            " does not fit into one element; use value[0] or value.reshape(())");
  if (!broadcasts_to(update.shape, region))
    throw_error<ValueError>(op, ": could not broadcast input array from shape ", update.shape,
                            " into shape ", region,
                            "; lengths must be equal or 1, counted from the last axis");
}

Value fitted_update(const Value& update, DType base, size_t region_ndim) {
  Value fitted = update.cast(base);
  if (fitted.is_scalar()) return fitted;
  const Dims shape = fitted.shape(), strides = fitted.strides();
  const size_t extra = extra_axes(shape, region_ndim);
  if (extra == 0) return fitted;
  const std::span<const int64_t> dims = shape, steps = strides;
  return fitted.view(dims.subspan(extra), steps.subspan(extra), 0);
}

Ref unfitted_update(const Ref& region_ct, const Dims& update_shape) {
  if (region_ct.shape() == update_shape) return region_ct;
  const size_t extra = extra_axes(update_shape, static_cast<size_t>(region_ct.ndim()));
  if (extra == 0) return sum_to_shape(region_ct, update_shape);
  const std::span<const int64_t> kept = update_shape;
  return reshape(sum_to_shape(region_ct, Dims(kept.subspan(extra))), update_shape);
}

}  // namespace tapegrad
