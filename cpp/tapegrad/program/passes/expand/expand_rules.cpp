#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "tapegrad/ops/registry.h"
#include "tapegrad/program/passes/expand/expand_rules.h"

// How the steps of expand.cpp are taken apart. What only moves elements is not looked into: the op
// itself is evaluated on the numbers of the elements.

namespace tapegrad {
namespace {

using Rule = bool (*)(ScalarWriter& w, const Program::Step& s);

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

bool evaluate_on_numbers(ScalarWriter& w, const Program::Step& s, size_t moved,
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
  const std::vector<Value> given = in;  // of which the results may be views
  op_by_id(s.op).eval(w.from().attrs_of(s), in, out);
  for (uint32_t j = 0; j < s.n_out; ++j) {
    bool strided = !out[j].is_contiguous();
    for (size_t i = 0; i < moved; ++i)
      strided |= out[j].buffer() == given[i].buffer() && w.is_strided(ids[i]);
    if (strided) w.mark_strided(s.first_out + j);
  }
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

// base with base[key] += update: what base[key] would read says where the elements go.
template <bool by_arrays>
bool adds(ScalarWriter& w, const Program::Step& s) {
  static const Op& read = *find_op(by_arrays ? "gather" : "slice");
  const ValueId base = input(w, s, 0), update = input(w, s, 1);
  const DType d = dtype_of_value(w, base);
  if (d != dtype_of_value(w, update)) return false;
  Elements out = w.elements(base);
  const Dims& shape = shape_of(w, base);
  std::vector<int64_t> own(out.size());
  for (size_t k = 0; k < own.size(); ++k) own[k] = static_cast<int64_t>(k);
  std::vector<Value> in, region(1);
  in.push_back(shape.empty() ? Value::integer_scalar(0) : Value::from_int64(own, shape));
  for (size_t i = 2; i < s.n_in; ++i) {
    if (!w.from().is_constant(input(w, s, i))) return false;
    in.push_back(w.from().constant_of(input(w, s, i)));
  }
  read.eval(w.from().attrs_of(s), in, region);
  Dims from = shape_of(w, update);
  const Dims to = region[0].shape();
  if (from.size() > to.size()) {  // by axes of length 1
    const size_t extra = from.size() - to.size();
    from = Dims(from.data() + extra, to.size());
  }
  const std::vector<size_t> at = broadcast_positions(from, to);
  const Elements added = w.elements(update);
  for (size_t k = 0; k < at.size(); ++k) {
    ValueId& element = out[static_cast<size_t>(region[0].at(static_cast<int64_t>(k)))];
    element = w.add(d, element, added[at[k]]);
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
      {"slice_add", adds<false>},
      {"gather_add", adds<true>},
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
      {"sum", expand_sum},
      {"mean", expand_mean},
      {"prod", expand_prod},
      {"max", expand_max},
      {"min", expand_min},
      {"tie_shares", expand_tie_shares},
      {"logsumexp", expand_logsumexp},
      {"sum_to_shape", expand_sum_to_shape},
      {"matmul", expand_matmul},
      {"einsum", expand_einsum},
      {"cross_last", expand_cross},
      {"solve", expand_solve},
      {"inv", expand_inv},
      {"solve_triangular", expand_solve_triangular},
      {"det", expand_det},
      {"det_regular", expand_det},
      {"slogdet", expand_slogdet},
      {"cholesky_lower", expand_cholesky},
  };
  return all;
}

}  // namespace

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

bool is_float_step(const ScalarWriter& w, const Program::Step& s) {
  const DType d = dtype_of_value(w, s.first_out);
  if (!is_floating(d)) return false;
  for (ValueId v : w.from().in(s))
    if (dtype_of_value(w, v) != d) return false;
  return true;
}

bool expand_step(ScalarWriter& w, const Program::Step& s) {
  const Op& op = op_by_id(s.op);
  if (op.scalar_fn >= 0) return elementwise(w, s);
  const auto rule = rules().find(op.name);
  return rule != rules().end() && rule->second(w, s);
}

bool solves_systems(uint16_t op) {
  static const std::vector<bool> all = [] {
    register_all_ops();
    std::vector<bool> found(static_cast<size_t>(op_count()), false);
    for (const Rule wanted : {expand_solve, expand_inv, expand_solve_triangular, expand_det,
                              expand_slogdet, expand_cholesky})
      for (const auto& [name, rule] : rules())
        if (rule == wanted) found[find_op(name)->id] = true;
    return found;
  }();
  return all[op];
}

bool only_moves(const Program::Step& s) {
  if (s.kernel >= 0) return false;
  const auto rule = rules().find(op_by_id(s.op).name);
  return rule != rules().end() &&
         (rule->second == moves<0> || rule->second == moves<1> || rule->second == moves<2>);
}

}  // namespace tapegrad
