#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/einsum_spec.h"
#include "tapegrad/program/passes/expand.h"

// How the steps of expand.cpp are taken apart. What only moves elements is not looked into: the op
// itself is evaluated on the numbers of the elements.

namespace tapegrad {
namespace {

using Elements = std::vector<ValueId>;
using Rule = bool (*)(ScalarWriter& w, const Program::Step& s);

const Dims& shape_of(const ScalarWriter& w, ValueId v) { return w.from().type_of(v).shape; }
DType dtype_of_value(const ScalarWriter& w, ValueId v) { return w.from().type_of(v).dtype; }
ValueId input(const ScalarWriter& w, const Program::Step& s, size_t i) { return w.from().in(s)[i]; }

// Positions in an array of `shape` of the elements of its broadcast to `to`.
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

bool elementwise(ScalarWriter& w, const Program::Step& s) {
  const auto fn = static_cast<ScalarFn>(s.op);
  const Dims& shape = shape_of(w, s.first_out);
  const DType dtype = dtype_of_value(w, s.first_out);
  const auto n = static_cast<size_t>(element_count(shape));
  std::vector<Elements> in;
  std::vector<std::vector<size_t>> at;
  for (ValueId v : w.from().in(s)) {
    in.push_back(w.elements(v));
    at.push_back(broadcast_positions(shape_of(w, v), shape));
  }
  Elements out(n);
  for (size_t k = 0; k < n; ++k) {
    ValueId args[3] = {ScalarWriter::no_operand, ScalarWriter::no_operand,
                       ScalarWriter::no_operand};
    for (size_t i = 0; i < in.size(); ++i) args[i] = in[i][at[i][k]];
    out[k] = w.apply(fn, dtype, args[0], args[1], args[2]);
  }
  w.set_elements(s.first_out, std::move(out));
  return true;
}

bool cast(ScalarWriter& w, const Program::Step& s) {
  const ValueId from = input(w, s, 0);
  if (dtype_of_value(w, from) != dtype_of_value(w, s.first_out)) return false;
  w.set_elements(s.first_out, w.elements(from));
  return true;
}

// The op on numbers: element k of the inputs, counted through, is first + k. What comes out as less
// than that is an element that the op made itself.
constexpr int64_t first_number = 1;

bool evaluate_on_numbers(const ScalarWriter& w, const Program::Step& s, size_t moved,
                         std::vector<Value>& out) {
  std::vector<Value> in;
  int64_t next = first_number;
  const std::span<const ValueId> ids = w.from().in(s);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (i >= moved) {
      if (!w.from().is_constant(ids[i])) return false;
      in.push_back(w.from().constant_of(ids[i]));
      continue;
    }
    const Dims& shape = shape_of(w, ids[i]);
    std::vector<int64_t> numbers(static_cast<size_t>(element_count(shape)));
    for (int64_t& x : numbers) x = next++;
    in.push_back(shape.empty() ? Value::integer_scalar(numbers[0])
                               : Value::from_int64(numbers, shape));
  }
  out.resize(s.n_out);
  op_by_id(s.op).eval(w.from().attrs_of(s), in, out);
  return true;
}

void set_by_numbers(ScalarWriter& w, const Program::Step& s, size_t moved,
                    const std::vector<Value>& numbers, ValueId made) {
  Elements all;
  for (size_t i = 0; i < moved; ++i) {
    const Elements& part = w.elements(input(w, s, i));
    all.insert(all.end(), part.begin(), part.end());
  }
  for (uint32_t j = 0; j < s.n_out; ++j) {
    Elements out;
    for (int64_t k = 0; k < numbers[j].size(); ++k) {
      const auto x = static_cast<int64_t>(numbers[j].at(k));
      out.push_back(x < first_number ? made : all[static_cast<size_t>(x - first_number)]);
    }
    w.set_elements(s.first_out + j, std::move(out));
  }
}

template <size_t Moved>
bool moves(ScalarWriter& w, const Program::Step& s) {
  const size_t moved = Moved == 0 ? s.n_in : Moved;
  for (size_t i = 1; i < moved; ++i)  // joined arrays of several dtypes are converted
    if (dtype_of_value(w, input(w, s, i)) != dtype_of_value(w, input(w, s, 0))) return false;
  std::vector<Value> numbers;
  if (!evaluate_on_numbers(w, s, moved, numbers)) return false;
  set_by_numbers(w, s, moved, numbers, w.number(0, dtype_of_value(w, s.first_out)));
  return true;
}

bool pad(ScalarWriter& w, const Program::Step& s) {
  const Attrs& attrs = w.from().attrs_of(s);
  const Dims& shape = shape_of(w, input(w, s, 0));
  std::vector<int64_t> own(static_cast<size_t>(element_count(shape)));
  for (size_t k = 0; k < own.size(); ++k) own[k] = static_cast<int64_t>(k) + first_number;
  Value in = shape.empty() ? Value::integer_scalar(first_number) : Value::from_int64(own, shape);
  std::vector<Value> out(1);
  op_by_id(s.op).eval(Attrs{attrs[0], 0.0}, {&in, 1}, out);
  set_by_numbers(w, s, 1, out, w.number(attrs.real(1), dtype_of_value(w, s.first_out)));
  return true;
}

// base with base[key] += update, through where base[key] = update would write.
bool adds(ScalarWriter& w, const Program::Step& s) {
  static const Op& set = *find_op("slice_set");
  const ValueId base = input(w, s, 0), update = input(w, s, 1);
  if (dtype_of_value(w, base) != dtype_of_value(w, update)) return false;
  Program::Step as_set = s;
  as_set.op = set.id;
  std::vector<Value> numbers;
  if (!evaluate_on_numbers(w, as_set, 2, numbers)) return false;
  const Elements before = w.elements(base), added = w.elements(update);
  Elements out;
  for (int64_t k = 0; k < numbers[0].size(); ++k) {
    const auto x = static_cast<size_t>(numbers[0].at(k)) - first_number;
    const ValueId old = before[static_cast<size_t>(k)];
    out.push_back(
        x < before.size() ? old : w.add(dtype_of_value(w, base), old, added[x - before.size()]));
  }
  w.set_elements(s.first_out, std::move(out));
  return true;
}

// The elements that each output of a reduction folds, in order.
std::vector<Elements> folded(ScalarWriter& w, const Program::Step& s, const Dims& flags) {
  const ValueId from = input(w, s, 0);
  const Dims& shape = shape_of(w, from);
  const Dims kept = reduced_shape(shape, flags, true);
  const std::vector<size_t> to = broadcast_positions(kept, shape);
  const Elements& in = w.elements(from);
  std::vector<Elements> groups(static_cast<size_t>(element_count(kept)));
  for (size_t k = 0; k < in.size(); ++k) groups[to[k]].push_back(in[k]);
  return groups;
}

std::vector<Elements> folded(ScalarWriter& w, const Program::Step& s) {
  const int ndim = shape_of(w, input(w, s, 0)).ndim();
  return folded(w, s, axis_flags(w.from().attrs_of(s), 0, ndim, op_by_id(s.op).name));
}

bool is_float_step(const ScalarWriter& w, const Program::Step& s) {
  const DType d = dtype_of_value(w, s.first_out);
  if (!is_floating(d)) return false;
  for (ValueId v : w.from().in(s))
    if (dtype_of_value(w, v) != d) return false;
  return true;
}

bool sum(ScalarWriter& w, const Program::Step& s) {
  if (!is_float_step(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  Elements out;
  for (const Elements& group : folded(w, s)) out.push_back(w.sum(d, group));
  w.set_elements(s.first_out, std::move(out));
  return true;
}

bool mean(ScalarWriter& w, const Program::Step& s) {
  if (!is_float_step(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  Elements out;
  for (const Elements& group : folded(w, s))
    out.push_back(w.apply(scalar_fn_of<Divide>(), d, w.sum(d, group),
                          w.number(static_cast<double>(group.size()), d)));
  w.set_elements(s.first_out, std::move(out));
  return true;
}

template <class F>
bool chain(ScalarWriter& w, const Program::Step& s) {
  if (!is_float_step(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  Elements out;
  for (const Elements& group : folded(w, s)) {
    ValueId total = group.at(0);
    for (size_t k = 1; k < group.size(); ++k)
      total = w.apply(scalar_fn_of<F>(), d, total, group[k]);
    out.push_back(total);
  }
  w.set_elements(s.first_out, std::move(out));
  return true;
}

bool sum_to_shape(ScalarWriter& w, const Program::Step& s) {
  if (!is_float_step(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  const ValueId from = input(w, s, 0);
  const std::vector<size_t> to = broadcast_positions(shape_of(w, s.first_out), shape_of(w, from));
  const Elements in = w.elements(from);
  std::vector<Elements> groups(static_cast<size_t>(element_count(shape_of(w, s.first_out))));
  for (size_t k = 0; k < in.size(); ++k) groups[to[k]].push_back(in[k]);
  Elements out;
  for (const Elements& group : groups) out.push_back(w.sum(d, group));
  w.set_elements(s.first_out, std::move(out));
  return true;
}

ValueId dot(ScalarWriter& w, DType d, const Elements& a, const Elements& b) {
  Elements terms;
  for (size_t k = 0; k < a.size(); ++k) terms.push_back(w.multiply(d, a[k], b[k]));
  return w.sum(d, terms);
}

// Vectors and matrices; stacks of them are left whole.
bool matmul(ScalarWriter& w, const Program::Step& s) {
  if (!is_float_step(w, s)) return false;
  const Dims a = shape_of(w, input(w, s, 0)), b = shape_of(w, input(w, s, 1));
  if (a.size() > 2 || b.size() > 2 || a.empty() || b.empty()) return false;
  const auto rows = static_cast<size_t>(a.size() == 2 ? a[0] : 1);
  const auto inner = static_cast<size_t>(a.back());
  const auto columns = static_cast<size_t>(b.size() == 2 ? b[1] : 1);
  const Elements x = w.elements(input(w, s, 0)), y = w.elements(input(w, s, 1));
  Elements out;
  for (size_t i = 0; i < rows; ++i)
    for (size_t j = 0; j < columns; ++j) {
      Elements row, column;
      for (size_t k = 0; k < inner; ++k) {
        row.push_back(x[i * inner + k]);
        column.push_back(y[k * columns + j]);
      }
      out.push_back(dot(w, dtype_of_value(w, s.first_out), row, column));
    }
  w.set_elements(s.first_out, std::move(out));
  return true;
}

bool einsum(ScalarWriter& w, const Program::Step& s) {
  if (!is_float_step(w, s)) return false;
  const Attrs& attrs = w.from().attrs_of(s);
  std::vector<Dims> shapes;
  for (ValueId v : w.from().in(s)) shapes.push_back(shape_of(w, v));
  const EinsumSpec spec = parse_einsum(attrs.text(0), attrs.size() > 1 && attrs.flag(1), shapes);
  const DType d = dtype_of_value(w, s.first_out);
  std::vector<Elements> in;
  for (ValueId v : w.from().in(s)) in.push_back(w.elements(v));
  int64_t points = 1;
  for (int64_t n : spec.lengths) points *= n;
  if (points > 4096) return false;
  const auto position = [&](const std::vector<int>& labels, const Dims& shape,
                            const std::vector<int64_t>& index) {
    int64_t p = 0;
    for (size_t k = 0; k < labels.size(); ++k)
      p = p * shape[k] + (shape[k] == 1 ? 0 : index[static_cast<size_t>(labels[k])]);
    return static_cast<size_t>(p);
  };
  const Dims out_shape = spec.output_shape();
  std::vector<Elements> terms(static_cast<size_t>(element_count(out_shape)));
  std::vector<int64_t> index(spec.lengths.size(), 0);
  for (int64_t k = 0; k < points; ++k) {
    ValueId product = in[0][position(spec.inputs[0], shapes[0], index)];
    for (size_t i = 1; i < in.size(); ++i)
      product = w.multiply(d, product, in[i][position(spec.inputs[i], shapes[i], index)]);
    terms[position(spec.output, out_shape, index)].push_back(product);
    for (size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < spec.lengths[axis]) break;
      index[axis] = 0;
    }
  }
  Elements out;
  for (const Elements& group : terms) out.push_back(w.sum(d, group));
  w.set_elements(s.first_out, std::move(out));
  return true;
}

// Vectors of length 3, of length 2 (no z) or 1 (z alone): see cross_last.
bool cross(ScalarWriter& w, const Program::Step& s) {
  if (!is_float_step(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  const Dims& shape = shape_of(w, s.first_out);
  const int64_t keep = shape.back();
  const Dims stack(shape.data(), shape.size() - 1);
  const ValueId missing = ScalarWriter::no_operand;
  std::vector<Elements> in[2];
  for (size_t i = 0; i < 2; ++i) {
    const Dims own = shape_of(w, input(w, s, i));
    const auto length = static_cast<size_t>(own.back());
    const Elements all = w.elements(input(w, s, i));
    for (size_t at : broadcast_positions(Dims(own.data(), own.size() - 1), stack)) {
      const auto component = [&](size_t c) { return all[at * length + c]; };
      in[i].push_back(length == 3   ? Elements{component(0), component(1), component(2)}
                      : length == 2 ? Elements{component(0), component(1), missing}
                                    : Elements{missing, missing, component(0)});
    }
  }
  const auto product = [&](ValueId a, ValueId b) {
    return a == missing || b == missing ? w.number(0, d) : w.multiply(d, a, b);
  };
  Elements out;
  for (size_t v = 0; v < in[0].size(); ++v)
    for (size_t c = keep == 1 ? 2 : 0; c < (keep == 2 ? 2u : 3u); ++c) {
      const size_t j = (c + 1) % 3, k = (c + 2) % 3;
      out.push_back(w.apply(scalar_fn_of<Subtract>(), d, product(in[0][v][j], in[1][v][k]),
                            product(in[0][v][k], in[1][v][j])));
    }
  w.set_elements(s.first_out, std::move(out));
  return true;
}

const std::unordered_map<std::string_view, Rule>& rules() {
  static const std::unordered_map<std::string_view, Rule> all = {
      {"cast", cast},
      {"reshape", moves<1>},
      {"transpose", moves<1>},
      {"expand_dims", moves<1>},
      {"squeeze", moves<1>},
      {"broadcast_to", moves<1>},
      {"slice", moves<1>},
      {"slice_copy", moves<1>},
      {"slice_set", moves<2>},
      {"slice_add", adds},
      {"gather", moves<1>},
      {"gather_axis", moves<1>},
      {"concatenate", moves<0>},
      {"stack", moves<0>},
      {"unstack", moves<1>},
      {"split", moves<1>},
      {"flip", moves<1>},
      {"roll", moves<1>},
      {"crop", moves<1>},
      {"diagonal", moves<1>},
      {"diagonal_scatter", moves<1>},
      {"tril", moves<1>},
      {"triu", moves<1>},
      {"pad_constant", pad},
      {"sum", sum},
      {"mean", mean},
      {"prod", chain<Multiply>},
      {"max", chain<Maximum>},
      {"min", chain<Minimum>},
      {"sum_to_shape", sum_to_shape},
      {"matmul", matmul},
      {"einsum", einsum},
      {"cross_last", cross},
  };
  return all;
}

}  // namespace

bool expand_step(ScalarWriter& w, const Program::Step& s) {
  const Op& op = op_by_id(s.op);
  if (op.scalar_fn >= 0) return elementwise(w, s);
  const auto rule = rules().find(op.name);
  return rule != rules().end() && rule->second(w, s);
}

}  // namespace tapegrad
