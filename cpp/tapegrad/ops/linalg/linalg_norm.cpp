#include <cmath>
#include <limits>
#include <optional>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/scalar/functions/function_list.h"

// norm: attributes (ord: None, a number or a text; axis: None or integers; keepdims). Composed;
// where a norm has no derivative because it is zero, its derivative is taken to be zero.

namespace tapegrad {
namespace {

constexpr AttrKey ord_key{0, "ord"}, axis_key{1, "axis"}, keepdims_key{2, "keepdims"};

constexpr double infinity = std::numeric_limits<double>::infinity();

Ref number(double x, const Ref& like) { return Value::scalar(x, like.dtype()); }

// f(s) where s is not `exceptional`; there it is `otherwise`, with zero derivatives.
template <class F>
Ref except(const Ref& s, double exceptional, double otherwise, F&& f) {
  const Ref mask = equal(s, number(exceptional, s));
  return where(mask, number(otherwise, s), f(where(mask, number(1, s), s)));
}

Ref root_of_squares(const Ref& squares) {
  return except(squares, 0, 0, [](const Ref& s) { return sqrt(s); });
}

Ref raise(const Ref& x, double p) { return elementwise(scalar_fn_of<Power>(), {x, number(p, x)}); }

Ref p_norm(const Ref& x, double p, const Axes& axes, bool keepdims) {
  const double at_zero = p > 0 ? 0 : infinity;
  const Ref powers = except(absolute(x), 0, at_zero, [&](const Ref& a) { return raise(a, p); });
  return except(sum(powers, axes, keepdims), at_zero, 0,
                [&](const Ref& s) { return raise(s, 1 / p); });
}

Ref vector_norm(const Ref& x, std::optional<double> ord, const Axes& axes, bool keepdims) {
  if (!ord || *ord == 2) return root_of_squares(sum(square(x), axes, keepdims));
  if (*ord == 1 || (*ord == infinity && x.size() == 0)) return sum(absolute(x), axes, keepdims);
  if (*ord == infinity) return max(absolute(x), axes, keepdims);
  if (*ord == -infinity) return min(absolute(x), axes, keepdims);
  if (*ord == 0)
    return sum(where(equal(x, number(0, x)), number(0, x), number(1, x)), axes, keepdims);
  return p_norm(x, *ord, axes, keepdims);
}

// These axes last, in this order.
Ref as_matrices(const Ref& x, int64_t row, int64_t column) {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < x.ndim(); ++i)
    if (i != row && i != column) order.push_back(i);
  order.push_back(row);
  order.push_back(column);
  return transpose(x, order);
}

Ref matrix_norm(const Ref& x, const Attr& ord, int64_t row, int64_t column, bool keepdims) {
  const Axes both{row, column};
  const auto* text = std::get_if<std::string>(&ord);
  if (ord.index() == 0 || (text && *text == "fro"))
    return root_of_squares(sum(square(x), both, keepdims));
  const double p = text ? std::nan("") : Attrs{ord}.real(0);
  if (p == 2 || p == -2 || (text && *text == "nuc")) {
    const Ref s = singular_values_of_norm(as_matrices(x, row, column));
    const Ref found = text ? sum(s, {-1}) : p > 0 ? max(s, {-1}) : min(s, {-1});
    return keepdims ? expand_dims(found, both) : found;
  }
  const bool rows_first = std::abs(p) == 1, columns_first = std::abs(p) == infinity;
  if (!rows_first && !columns_first)
    throw_error<ValueError>(
        "norm: Invalid norm order for matrices, got ", ord,
        "; ord=None, 'fro', 'nuc', 2, -2, 1, -1, np.inf and -np.inf work, and axis= selects "
        "vectors");
  const Ref sums = sum(absolute(x), {rows_first ? row : column}, true);
  const Axes other{rows_first ? column : row};
  const Ref extreme = p < 0           ? min(sums, other, true)
                      : x.size() == 0 ? sum(sums, other, true)
                                      : max(sums, other, true);
  return keepdims ? extreme : squeeze(extreme, both);
}

Ref norm(const Attrs& attrs, const Ref& given) {
  const Ref x = is_floating(given.dtype()) ? given : cast(given, DType::float64);
  const int n = x.ndim();
  const Attr ord = attrs.is_none(ord_key) ? Attr{} : attrs[ord_key];
  const auto* text = std::get_if<std::string>(&ord);
  const bool keepdims = attrs.flag_or(keepdims_key, false);
  Axes axes;
  if (attrs.is_none(axis_key)) {
    for (int i = 0; i < n; ++i) axes.push_back(i);
    if (ord.index() == 0) return root_of_squares(sum(square(x), axes, keepdims));
    if (n != 1 && n != 2)
      throw_error<ValueError>("norm: Improper number of dimensions to norm: ord=", ord,
                              " of an array of shape ", x.shape(),
                              " needs axis=, one integer for vectors or two for matrices");
  } else {
    axes = axis_list(attrs, axis_key);
    for (int64_t& axis : axes) axis = normalize_axis(axis, n, "norm");
  }
  if (axes.size() == 1) {
    if (text)
      throw_error<ValueError>("norm: Invalid norm order '", *text,
                              "' for vectors; ord is None or a number there");
    return vector_norm(x, ord.index() == 0 ? std::nullopt : std::optional(attrs.real(ord_key)),
                       axes, keepdims);
  }
  if (axes.size() != 2)
    throw_error<ValueError>("norm: Improper number of dimensions to norm: axis=", to_dims(axes),
                            " names ", axes.size(),
                            " axes; give one integer for vectors or two for matrices");
  if (axes[0] == axes[1])
    throw_error<ValueError>("norm: Duplicate axes given: axis=", to_dims(axes),
                            "; a matrix has two different ones");
  return matrix_norm(x, ord, axes[0], axes[1], keepdims);
}

std::vector<Ref> compose(const Attrs& attrs, std::span<const Ref> in) {
  return {norm(attrs, in[0])};
}

}  // namespace

void register_norm_ops() {
  register_op(
      {.name = "norm",
       .attrs = {{ord_key, attr_kind::none | attr_kind::real | attr_kind::text, Attr{}},
                 {axis_key, attr_kind::axes, Attr{}},
                 {keepdims_key, attr_kind::flag, Attr{false}}},
       .compose = compose,
       .summary = "vector norms of any order, matrix norms fro, nuc, 2, -2, 1, inf, -1, -inf"});
}

}  // namespace tapegrad
