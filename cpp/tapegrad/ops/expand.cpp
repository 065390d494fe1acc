#include "tapegrad/ops/expand.h"

#include <algorithm>
#include <numeric>

namespace tapegrad {
namespace {

bool expand_elementwise(ExpandContext& c) {
  const Dims& shape = c.out_shape();
  const auto n = static_cast<size_t>(element_count(shape));
  if (n == 1) {  // as are all operands then
    Scalar args[3] = {ExpandContext::missing, ExpandContext::missing, ExpandContext::missing};
    for (size_t i = 0; i < c.n_in(); ++i) args[i] = c.in(i)[0];
    const auto fn = static_cast<ScalarFn>(c.op().scalar_fn);
    c.set(0, {c.apply(fn, c.dtype(), args[0], args[1], args[2])});
    return true;
  }
  std::vector<Scalars> in;
  std::vector<std::vector<size_t>> at;
  for (size_t i = 0; i < c.n_in(); ++i) {
    in.push_back(c.in(i));
    at.push_back(broadcast_positions(c.in_shape(i), shape));
  }
  const auto fn = static_cast<ScalarFn>(c.op().scalar_fn);
  Scalars out(n);
  for (size_t k = 0; k < n; ++k) {
    Scalar args[3] = {ExpandContext::missing, ExpandContext::missing, ExpandContext::missing};
    for (size_t i = 0; i < in.size(); ++i) args[i] = in[i][at[i][k]];
    out[k] = c.apply(fn, c.dtype(), args[0], args[1], args[2]);
  }
  c.set(0, std::move(out));
  return true;
}

// Element k of the inputs, counted through, has the number first_number + k. What comes out as less
// than that is an element that the op filled in.
constexpr int64_t first_number = 1;

// The op evaluated on those numbers; false where it reads positions that are not constant.
bool evaluate_on_numbers(ExpandContext& c, const Attrs& attrs, size_t moved,
                         std::vector<Value>& out) {
  std::vector<Value> in;
  int64_t next = first_number;
  for (size_t i = 0; i < c.n_in(); ++i) {
    if (i >= moved) {
      if (!c.constant(i)) return false;
      in.push_back(*c.constant(i));
      continue;
    }
    const Dims& shape = c.in_shape(i);
    in.push_back(shape.empty() ? Value::integer_scalar(next) : c.numbered(next, shape));
    next += element_count(shape);
  }
  out.resize(c.n_out());
  const std::vector<Value> given = in;  // of which the results may be views
  c.op().eval(attrs, in, out);
  for (size_t j = 0; j < out.size(); ++j) {
    bool strided = !out[j].is_contiguous();
    for (size_t i = 0; i < moved; ++i)
      strided |= out[j].buffer() == given[i].buffer() && c.is_strided(i);
    if (strided) c.mark_strided(j);
  }
  return true;
}

}  // namespace

Value ExpandContext::numbered(int64_t first, const Dims& shape) {
  std::vector<int64_t> numbers(static_cast<size_t>(element_count(shape)));
  std::iota(numbers.begin(), numbers.end(), first);
  return Value::from_int64(numbers, shape);
}

bool ExpandContext::has_one_floating_dtype() const {
  const DType d = dtype();
  if (!is_floating(d)) return false;
  for (size_t i = 0; i < n_in(); ++i)
    if (in_type(i).dtype != d) return false;
  return true;
}

Scalar ExpandContext::sum(DType d, std::span<const Scalar> terms) {
  if (terms.empty()) return number(0, d);
  Scalar total = terms[0];
  for (size_t k = 1; k < terms.size(); ++k) total = add(d, total, terms[k]);
  return total;
}

bool expand_moves(ExpandContext& c, const Attrs& attrs, double fill) {
  const size_t moved = c.op().n_element_inputs(c.n_in());
  for (size_t i = 1; i < moved; ++i)  // joined arrays of several dtypes are converted
    if (c.in_type(i).dtype != c.in_type(0).dtype) return false;
  std::vector<Value> numbers;
  if (!evaluate_on_numbers(c, attrs, moved, numbers)) return false;
  const Scalar filled = c.number(fill, c.dtype());
  Scalars joined;
  for (size_t i = 0; moved > 1 && i < moved; ++i) {
    const Scalars& part = c.in(i);
    joined.insert(joined.end(), part.begin(), part.end());
  }
  const Scalars& all = moved == 1 ? c.in(0) : joined;
  for (size_t j = 0; j < numbers.size(); ++j) {
    Scalars out;
    const Value found = numbers[j].cast(DType::int64).contiguous();
    const bool one = found.is_scalar();
    out.reserve(static_cast<size_t>(found.size()));
    for (int64_t k = 0; k < found.size(); ++k) {
      const int64_t x = one ? found.as_int64() : found.data<int64_t>()[k];
      out.push_back(x < first_number ? filled : all[static_cast<size_t>(x - first_number)]);
    }
    c.set(j, std::move(out));
  }
  return true;
}

bool only_moves(const Op& op) { return op.elements == ElementKind::moved && op.expand == nullptr; }

bool has_expand_rule(const Op& op) { return op.expand || op.scalar_fn >= 0 || only_moves(op); }

bool expand_op(ExpandContext& c) {
  const Op& op = c.op();
  if (op.expand) return (op.expand_keeps_bits || !c.keeps_order()) && op.expand(c);
  if (op.scalar_fn >= 0) return expand_elementwise(c);
  return only_moves(op) && expand_moves(c, c.attrs(), 0);
}

std::vector<size_t> broadcast_positions(const Dims& shape, const Dims& to) {
  const Dims strides = broadcast_strides(shape, contiguous_strides(shape), to);
  std::vector<size_t> at(static_cast<size_t>(element_count(to)));
  Dims index(to.size(), 0);
  for (size_t& position : at) {
    int64_t p = 0;
    for (size_t k = 0; k < to.size(); ++k) p += index[k] * strides[k];
    position = static_cast<size_t>(p);
    for (size_t k = to.size(); k-- > 0;) {
      if (++index[k] < to[k]) break;
      index[k] = 0;
    }
  }
  return at;
}

}  // namespace tapegrad
