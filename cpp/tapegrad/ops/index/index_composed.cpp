#include "tapegrad/base/error.h"
#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_gather.h"
#include "tapegrad/ops/reduce/order.h"
#include "tapegrad/tape/data_values.h"
#include "tapegrad/tape/rule.h"

// sort and diff: formulas in ops that read parts of arrays.

namespace tapegrad {
namespace {

constexpr AttrKey sort_axis{0, "axis"}, diff_order{0, "n"}, diff_axis{1, "axis"};

std::vector<Ref> compose_sort(const Attrs& attrs, std::span<const Ref> in) {
  const int axis = normalize_axis(attrs.integer(sort_axis), in[0].ndim(), "sort");
  return {take_along_axis(in[0], argsort(in[0], axis), axis)};
}

// Of an axis without elements there is nothing to take away: what is recorded holds for it alone.
Ref difference(const Ref& x, int axis) {
  const Dims shape = x.shape();
  const int64_t n = shape[static_cast<size_t>(axis)];
  if (n == 0) {
    learn_lengths();
    return subtract(x, x);
  }
  const Ref later = slice(x, IndexSpec::along(shape, axis, 1, 1, n - 1));
  return subtract(later, slice(x, IndexSpec::along(shape, axis, 0, 1, n - 1)));
}

std::vector<Ref> compose_diff(const Attrs& attrs, std::span<const Ref> in) {
  Ref x = in[0];
  if (x.ndim() == 0) throw_error<ValueError>("diff: the array has shape (), and needs an axis");
  const int axis = normalize_axis(attrs.integer(diff_axis), x.ndim(), "diff");
  for (int64_t i = 0; i < attrs.integer(diff_order); ++i) x = difference(x, axis);
  return {x};
}

}  // namespace

void register_composed_index_ops() {
  register_op({.name = "sort",
               .attrs = {{sort_axis, attr_kind::axis}},
               .compose = compose_sort,
               .summary = "numpy.sort: smallest first, NaN last"});
  register_op({.name = "diff",
               .attrs = {{diff_order, attr_kind::integer}, {diff_axis, attr_kind::axis}},
               .compose = compose_diff,
               .summary = "numpy.diff: differences of neighbours, n times"});
}

}  // namespace tapegrad
