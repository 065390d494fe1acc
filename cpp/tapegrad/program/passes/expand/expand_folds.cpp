#include "tapegrad/ops/axes.h"
#include "tapegrad/program/passes/expand/expand_rules.h"

// Reductions of small arrays. Where the array's own order is kept it is that of kernels/reduce_*.h
// for an array packed in C order: short rows and columns are folded from the first element on, rows
// of 8 and more in lanes of 128 bytes, whose results are combined by halves.

namespace tapegrad {
namespace {

struct Folded {
  std::vector<Elements> groups;  // what each output folds
  bool by_rows = false;          // its elements lie together
};

bool lie_together(const Dims& shape, const Dims& flags) {
  bool reduced = true;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    if (flags[i] && !reduced) return false;
    reduced = flags[i];
    if (!reduced && i + 1 == shape.size()) return false;
  }
  return true;
}

Folded folded(const Elements& in, const Dims& shape, const Dims& flags) {
  const Dims kept = reduced_shape(shape, flags, true);
  const std::vector<size_t> to = broadcast_positions(kept, shape);
  Folded found{std::vector<Elements>(static_cast<size_t>(element_count(kept))),
               lie_together(shape, flags)};
  for (size_t k = 0; k < in.size(); ++k) found.groups[to[k]].push_back(in[k]);
  return found;
}

Folded folded(ScalarWriter& w, const Program::Step& s, const Dims& flags) {
  const ValueId from = input(w, s, 0);
  return folded(w.elements(from), shape_of(w, from), flags);
}

Folded folded(ScalarWriter& w, const Program::Step& s) {
  const int ndim = shape_of(w, input(w, s, 0)).ndim();
  return folded(w, s, axis_flags(w.from().attrs_of(s), 0, ndim, op_by_id(s.op).name));
}

// Whether the step can be taken apart: in floats, and where the order of the elements counts it is
// known.
bool can_fold(const ScalarWriter& w, const Program::Step& s) {
  if (!is_float_step(w, s)) return false;
  const ValueId from = input(w, s, 0);
  return !w.keeps_order() || !w.is_strided(from) || element_count(shape_of(w, from)) <= 2;
}

ValueId fold(ScalarWriter& w, ScalarFn combine, DType d, bool by_rows, Elements terms) {
  if (terms.empty()) return w.number(0, d);
  if (w.keeps_order() && by_rows && terms.size() >= 8) {
    const size_t lanes = 128 / item_size(d);
    for (size_t k = lanes; k < terms.size(); ++k)
      terms[k % lanes] = w.apply(combine, d, terms[k % lanes], terms[k]);
    terms.resize(std::min(terms.size(), lanes));
    for (size_t width = lanes / 2; width > 0; width /= 2)
      for (size_t j = 0; j + width < terms.size() && j < width; ++j)
        terms[j] = w.apply(combine, d, terms[j], terms[j + width]);
    return terms[0];
  }
  ValueId total = terms[0];
  for (size_t k = 1; k < terms.size(); ++k) total = w.apply(combine, d, total, terms[k]);
  return total;
}

Elements fold_each(ScalarWriter& w, ScalarFn combine, DType d, const Folded& in) {
  Elements out;
  for (const Elements& group : in.groups) out.push_back(fold(w, combine, d, in.by_rows, group));
  return out;
}

template <class F>
bool expand_fold(ScalarWriter& w, const Program::Step& s) {
  if (!can_fold(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  w.set_elements(s.first_out, fold_each(w, scalar_fn_of<F>(), d, folded(w, s)));
  return true;
}

}  // namespace

Elements sum_axes(ScalarWriter& w, DType d, const Elements& in, const Dims& shape,
                  const Dims& flags) {
  return fold_each(w, scalar_fn_of<Add>(), d, folded(in, shape, flags));
}

bool expand_sum(ScalarWriter& w, const Program::Step& s) { return expand_fold<Add>(w, s); }
bool expand_prod(ScalarWriter& w, const Program::Step& s) { return expand_fold<Multiply>(w, s); }
bool expand_max(ScalarWriter& w, const Program::Step& s) { return expand_fold<Maximum>(w, s); }
bool expand_min(ScalarWriter& w, const Program::Step& s) { return expand_fold<Minimum>(w, s); }

bool expand_mean(ScalarWriter& w, const Program::Step& s) {
  if (!can_fold(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  const Folded in = folded(w, s);
  Elements out = fold_each(w, scalar_fn_of<Add>(), d, in);
  for (size_t k = 0; k < out.size(); ++k) {
    const ValueId count = w.number(static_cast<double>(in.groups[k].size()), d);
    out[k] = w.apply(scalar_fn_of<Divide>(), d, out[k], count);
  }
  w.set_elements(s.first_out, std::move(out));
  return true;
}

bool expand_sum_to_shape(ScalarWriter& w, const Program::Step& s) {
  if (!can_fold(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  const Dims &to = shape_of(w, s.first_out), &shape = shape_of(w, input(w, s, 0));
  Dims flags(shape.size(), 1);
  const size_t extra = shape.size() - to.size();
  for (size_t i = extra; i < shape.size(); ++i) flags[i] = to[i - extra] != shape[i];
  w.set_elements(s.first_out, fold_each(w, scalar_fn_of<Add>(), d, folded(w, s, flags)));
  return true;
}

// 1 / (how many elements attain the extreme) for those that do, else 0; NaN attains NaN.
bool expand_tie_shares(ScalarWriter& w, const Program::Step& s) {
  if (!can_fold(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  const Elements in = w.elements(input(w, s, 0)), tops = w.elements(input(w, s, 1));
  const Dims& shape = shape_of(w, s.first_out);
  const Dims flags = axis_flags(w.from().attrs_of(s), 0, shape.ndim(), "tie_shares");
  const std::vector<size_t> to = broadcast_positions(reduced_shape(shape, flags, true), shape);
  const ValueId zero = w.number(0, d), one = w.number(1, d);
  const auto test = [&](ScalarFn fn, ValueId a, ValueId b) {
    return w.apply(fn, DType::bool_, a, b);
  };
  Elements attains(in.size()), counts(tops.size(), zero), shares(tops.size()), out(in.size());
  for (size_t k = 0; k < in.size(); ++k) {
    const ValueId x = in[k], top = tops[to[k]];
    const ValueId both_nan = test(scalar_fn_of<LogicalAnd>(), test(scalar_fn_of<NotEqual>(), x, x),
                                  test(scalar_fn_of<NotEqual>(), top, top));
    attains[k] = test(scalar_fn_of<LogicalOr>(), test(scalar_fn_of<Equal>(), x, top), both_nan);
    const ValueId one_more = w.apply(scalar_fn_of<Select>(), d, attains[k], one, zero);
    counts[to[k]] = counts[to[k]] == zero ? one_more : w.add(d, counts[to[k]], one_more);
  }
  for (size_t k = 0; k < shares.size(); ++k)
    shares[k] = w.apply(scalar_fn_of<Divide>(), d, one, counts[k]);
  for (size_t k = 0; k < in.size(); ++k)
    out[k] = w.apply(scalar_fn_of<Select>(), d, attains[k], shares[to[k]], zero);
  w.set_elements(s.first_out, std::move(out));
  return true;
}

// log(sum of exp(x - top)) + top, of a finite top or 0.
bool expand_logsumexp(ScalarWriter& w, const Program::Step& s) {
  if (!can_fold(w, s)) return false;
  const DType d = dtype_of_value(w, s.first_out);
  const Folded in = folded(w, s);
  Elements out;
  for (const Elements& group : in.groups) {
    const ValueId top = fold(w, scalar_fn_of<Maximum>(), d, in.by_rows, group);
    const ValueId finite = w.apply(scalar_fn_of<Isfinite>(), DType::bool_, top);
    const ValueId base = w.apply(scalar_fn_of<Select>(), d, finite, top, w.number(0, d));
    Elements terms;
    for (ValueId x : group)
      terms.push_back(
          w.apply(scalar_fn_of<Exp>(), d, w.apply(scalar_fn_of<Subtract>(), d, x, base)));
    const ValueId total = fold(w, scalar_fn_of<Add>(), d, in.by_rows, std::move(terms));
    out.push_back(w.add(d, w.apply(scalar_fn_of<Log>(), d, total), base));
  }
  w.set_elements(s.first_out, std::move(out));
  return true;
}

}  // namespace tapegrad
