#include "tapegrad/ops/einsum/einsum.h"

#include <algorithm>

#include "tapegrad/kernels/linalg/einsum.h"
#include "tapegrad/ops/einsum/einsum_contraction.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg_expand.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// eval: each operand becomes a term (repeated labels walk the diagonal, axes of length 1 are left
// out), and those are contracted as einsum_contraction.h says.

namespace tapegrad {
namespace {

// Of the last calls: loops repeat them. What is given stays until the next call of this function.
const EinsumSpec& spec_of(const Attrs& attrs, const std::vector<Dims>& shapes) {
  struct Kept {
    std::string subscripts;
    bool internal = false;
    std::vector<Dims> shapes;
    EinsumSpec spec;
  };
  constexpr size_t most_kept = 8;
  static thread_local std::vector<Kept> kept;
  static thread_local size_t oldest = 0;
  const std::string& subscripts = attrs.text(einsum_attrs::subscripts);
  const bool internal = attrs.flag_or(einsum_attrs::internal, false);
  for (const Kept& k : kept)
    if (k.subscripts == subscripts && k.internal == internal && k.shapes == shapes) return k.spec;
  Kept made{subscripts, internal, shapes, parse_einsum(subscripts, internal, shapes)};
  if (kept.size() < most_kept) return kept.emplace_back(std::move(made)).spec;
  oldest = (oldest + 1) % most_kept;
  return (kept[oldest] = std::move(made)).spec;
}

EinsumTerm make_term(const Value& v, const std::vector<int>& labels) {
  EinsumTerm term;
  if (v.is_scalar()) {
    term.value = v;
    return term;
  }
  Dims shape, strides;
  for (size_t axis = 0; axis < labels.size(); ++axis) {
    const int64_t length = v.dim(static_cast<int>(axis)), stride = v.layout()->strides()[axis];
    if (length == 1) continue;
    const auto found = std::find(term.labels.begin(), term.labels.end(), labels[axis]);
    if (found != term.labels.end()) {
      strides[static_cast<size_t>(found - term.labels.begin())] += stride;
    } else {
      term.labels.push_back(labels[axis]);
      shape.push_back(length);
      strides.push_back(stride);
    }
  }
  if (!shape.empty()) {
    term.value = v.view(shape, strides, 0);
  } else if (is_floating(v.dtype())) {
    term.value = Value::scalar(v.at(0), v.dtype());
  } else {
    term.value = visit_dtype(v.dtype(), [&](auto tag) {
      const auto item = *v.data<decltype(tag)>();
      return Value::integer_scalar(static_cast<int64_t>(item), v.dtype());
    });
  }
  return term;
}

// The term with the axes of the output.
Value as_output(const EinsumSpec& spec, const EinsumTerm& term) {
  const Dims shape = spec.output_shape();
  if (shape.empty()) return term.value;
  if (term.value.is_scalar()) {  // every axis has length 1
    const Value out = Value::empty(term.value.dtype(), shape);
    copy_into(out, term.value);
    return out;
  }
  Dims strides;
  for (int label : spec.output) {
    const auto found = std::find(term.labels.begin(), term.labels.end(), label);
    strides.push_back(found == term.labels.end()
                          ? 0
                          : term.value.layout()->strides()[found - term.labels.begin()]);
  }
  // Axes of length 1 get the strides of a packed array, so that it is seen as one.
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) strides[i] = i + 1 < shape.size() ? strides[i + 1] * shape[i + 1] : 1;
  }
  return term.value.view(shape, strides, 0);
}

std::vector<TensorType> infer(const Attrs& attrs, std::span<const TensorType> in) {
  std::vector<Dims> shapes;
  DType dtype = in.empty() ? DType::float64 : in[0].dtype;
  for (const TensorType& t : in) {
    shapes.push_back(t.shape);
    dtype = promote(dtype, t.dtype);
  }
  return {{dtype, spec_of(attrs, shapes).output_shape()}};
}

void eval(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  std::vector<Dims> shapes;
  DType dtype = in.empty() ? DType::float64 : in[0].dtype();
  for (const Value& v : in) {
    shapes.push_back(v.shape());
    dtype = promote(dtype, v.dtype());
  }
  const EinsumSpec& spec = spec_of(attrs, shapes);
  std::vector<EinsumTerm> terms;
  for (size_t i = 0; i < in.size(); ++i)
    terms.push_back(make_term(in[i].cast(dtype), spec.inputs[i]));
  out[0] = as_output(spec, contract_terms(spec, std::move(terms), sum_labels,
                                          [&](const EinsumTerm& a, const EinsumTerm& b,
                                              const std::vector<int>& kept) {
                                            return contract(a, b, kept, spec.output);
                                          }));
}

Ref einsum_of(const std::string& subscripts, std::vector<Ref> operands);

// True where equal labels have equal indices.
Value diagonal_mask(const std::vector<int>& labels, const Dims& shape) {
  const Value mask = Value::zeros(DType::bool_, shape);
  Dims first(labels.size());
  Dims index(labels.size());
  for (size_t i = 0; i < labels.size(); ++i)
    first[i] = std::find(labels.begin(), labels.end(), labels[i]) - labels.begin();
  for (int64_t flat = 0; flat < mask.size(); ++flat) {
    int64_t rest = flat;
    bool equal = true;
    for (size_t i = labels.size(); i-- > 0; rest /= shape[i]) index[i] = rest % shape[i];
    for (size_t i = 0; i < labels.size(); ++i)
      equal &= index[i] == index[static_cast<size_t>(first[i])];
    mask.data<bool>()[flat] = equal;
  }
  return mask;
}

// The cotangent contracted with every operand but i, then spread over the axes that only operand i
// has and put on the diagonals of repeated labels.
Ref operand_adjoint(VjpContext& ctx, const EinsumSpec& spec, int i, const Ref& ct) {
  const std::vector<int>& labels = spec.inputs[static_cast<size_t>(i)];
  const Dims shape = ctx.in_shape(i);
  // A number that nothing came back to is a strong zero, as in elementwise functions.
  const bool is_number = spec.output.empty() && ctx.n_in() > 1;
  std::string left = is_number ? "" : spec.term(spec.output) + ",";
  std::vector<Ref> operands;
  if (!is_number) operands.push_back(ct);
  std::vector<int> available = spec.output;
  for (int j = 0; j < ctx.n_in(); ++j) {
    if (j == i) continue;
    const std::vector<int>& other = spec.inputs[static_cast<size_t>(j)];
    left += spec.term(other) + ",";
    operands.push_back(ctx.in(j));
    available.insert(available.end(), other.begin(), other.end());
  }
  std::vector<int> direct, seen;
  std::vector<size_t> axis_of_direct;
  bool repeats = false;
  for (size_t axis = 0; axis < labels.size(); ++axis) {
    const int label = labels[axis];
    if (has_label(seen, label)) {
      repeats = true;
      continue;
    }
    seen.push_back(label);
    const bool broadcast = shape[axis] == 1 && spec.lengths[static_cast<size_t>(label)] != 1;
    if (!broadcast && has_label(available, label)) {
      direct.push_back(label);
      axis_of_direct.push_back(axis);
    }
  }
  left.pop_back();
  Ref g = einsum_of(left + "->" + spec.term(direct), std::move(operands));
  if (is_number) g = zmul(ct, g);
  const Dims got = g.shape();
  Dims spread(shape.size(), 1);
  for (size_t d = 0; d < direct.size(); ++d) spread[axis_of_direct[d]] = got[d];
  if (!(spread == got)) g = reshape(g, spread);
  if (repeats) return where(Ref(diagonal_mask(labels, shape)), g, Ref(Value::scalar(0, g.dtype())));
  return spread == shape ? g : broadcast_to(g, shape);
}

std::vector<Dims> shapes_of(VjpContext& ctx) {
  std::vector<Dims> shapes;
  for (int i = 0; i < ctx.n_in(); ++i) shapes.push_back(ctx.in_shape(i));
  return shapes;
}

void vjp(VjpContext& ctx) {
  const EinsumSpec spec = spec_of(ctx.attrs(), shapes_of(ctx));
  const Ref ct = ctx.ct();
  for (int i = 0; i < ctx.n_in(); ++i) {
    if (ctx.needs(i)) ctx.add(i, operand_adjoint(ctx, spec, i, ct));
  }
}

void jvp(JvpContext& ctx) {
  Ref sum;
  bool first = true;
  for (int i = 0; i < ctx.n_in(); ++i) {
    if (!ctx.has_tangent(i)) continue;
    std::vector<Ref> operands;
    for (int j = 0; j < ctx.n_in(); ++j) operands.push_back(j == i ? ctx.tangent(i) : ctx.in(j));
    const Ref part = apply(einsum_op(), ctx.attrs(), std::move(operands))[0];
    sum = first ? part : add(sum, part);
    first = false;
  }
  ctx.set(0, sum);
}

std::vector<ReadMask> reads_of_the_others() {
  std::vector<ReadMask> reads;
  for (int i = 0; i < 14; ++i) reads.push_back(reads_all_inputs & ~reads_in(i));
  reads.push_back(reads_all_inputs);
  return reads;
}

// A letter that names no axis of the lane stands for the lanes.
std::vector<Ref> lanes(const LanesCall& call) {
  const std::string& subscripts = call.attrs.text(einsum_attrs::subscripts);
  char letter = 0;
  for (char c = 'Z'; c >= 'A' && letter == 0; --c)
    if (subscripts.find(c) == std::string::npos) letter = c;
  for (char c = 'z'; c >= 'a' && letter == 0; --c)
    if (subscripts.find(c) == std::string::npos) letter = c;
  const size_t arrow = subscripts.find("->");
  if (letter == 0 || arrow == std::string::npos || subscripts.find("...") != std::string::npos)
    return apply_each_lane(call);
  std::string translated;
  size_t at = 0;
  for (size_t i = 0; i < call.in.size(); ++i) {
    const size_t end = i + 1 < call.in.size() ? subscripts.find(',', at) : arrow;
    if (call.has_lanes[i]) translated += letter;
    translated += subscripts.substr(at, end - at);
    if (i + 1 < call.in.size()) translated += ',';
    at = end + 1;
  }
  translated += "->";
  translated += letter;
  translated += subscripts.substr(arrow + 2);
  return apply(call.op, call.attrs.with(einsum_attrs::subscripts, translated),
               {call.in.begin(), call.in.end()});
}

Ref einsum_of(const std::string& subscripts, std::vector<Ref> operands) {
  return std::move(apply(einsum_op(), Attrs{subscripts, true}, std::move(operands))[0]);
}

}  // namespace

const Op& einsum_op() {
  static const Op& op =
      register_op({.name = "einsum",
                   .n_in = -1,
                   .attrs = {{einsum_attrs::subscripts, attr_kind::text},
                             {einsum_attrs::internal, attr_kind::flag, Attr{false}}},
                   .infer = infer,
                   .eval = eval,
                   .vjp = vjp,
                   .jvp = jvp,
                   .lanes = lanes,
                   .expand = expand_einsum,
                   .expand_keeps_bits = true,
                   .reads = reads_of_the_others(),
                   .product = ProductKind::subscripts,
                   .summary = "sum of products over named axes"});
  return op;
}

Ref einsum(const std::string& subscripts, std::vector<Ref> operands) {
  return std::move(apply(einsum_op(), Attrs{subscripts}, std::move(operands))[0]);
}

void register_einsum_ops() { einsum_op(); }

}  // namespace tapegrad
