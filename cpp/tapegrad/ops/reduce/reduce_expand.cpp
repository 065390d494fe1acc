#include "tapegrad/ops/reduce/reduce_expand.h"

#include <algorithm>

#include "tapegrad/ops/reduce/reduce.h"

// Reductions of small arrays. Where the array's own order is kept it is that of kernels/reduce_*.h
// for an array packed in C order: short rows and columns are folded from the first element on, rows
// of 8 and more in lanes of 128 bytes, whose results are combined by halves.

namespace tapegrad {
namespace {

struct Folded {
  std::vector<Scalars> groups;  // what each output folds
  bool by_rows = false;         // its elements lie together
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

Folded folded(const Scalars& in, const Dims& shape, const Dims& flags) {
  const Dims kept = reduced_shape(shape, flags, true);
  const std::vector<size_t> to = broadcast_positions(kept, shape);
  Folded found{std::vector<Scalars>(static_cast<size_t>(element_count(kept))),
               lie_together(shape, flags)};
  for (size_t k = 0; k < in.size(); ++k) found.groups[to[k]].push_back(in[k]);
  return found;
}

Folded folded(ExpandContext& c, const Dims& flags) { return folded(c.in(0), c.in_shape(0), flags); }

Folded folded(ExpandContext& c) {
  const int ndim = c.in_shape(0).ndim();
  return folded(c, axis_flags(c.attrs(), reduction_attrs::axis, ndim, c.op().name));
}

Scalar fold(ExpandContext& c, ScalarFn combine, DType d, bool by_rows, Scalars terms) {
  if (terms.empty()) return c.number(0, d);
  if (c.keeps_order() && by_rows && terms.size() >= 8) {
    const size_t lanes = 128 / item_size(d);
    for (size_t k = lanes; k < terms.size(); ++k)
      terms[k % lanes] = c.apply(combine, d, terms[k % lanes], terms[k]);
    terms.resize(std::min(terms.size(), lanes));
    for (size_t width = lanes / 2; width > 0; width /= 2)
      for (size_t j = 0; j + width < terms.size() && j < width; ++j)
        terms[j] = c.apply(combine, d, terms[j], terms[j + width]);
    return terms[0];
  }
  Scalar total = terms[0];
  for (size_t k = 1; k < terms.size(); ++k) total = c.apply(combine, d, total, terms[k]);
  return total;
}

Scalars fold_each(ExpandContext& c, ScalarFn combine, DType d, const Folded& in) {
  Scalars out;
  for (const Scalars& group : in.groups) out.push_back(fold(c, combine, d, in.by_rows, group));
  return out;
}

}  // namespace

bool can_expand_fold(ExpandContext& c) {
  if (!c.has_one_floating_dtype()) return false;
  return !c.keeps_order() || !c.is_strided(0) || element_count(c.in_shape(0)) <= 2;
}

Scalars sum_axes(ExpandContext& c, DType d, const Scalars& in, const Dims& shape,
                 const Dims& flags) {
  return fold_each(c, scalar_fn_of<Add>(), d, folded(in, shape, flags));
}

namespace {

template <class F>
bool expand_fold(ExpandContext& c) {
  if (!can_expand_fold(c)) return false;
  const DType d = c.dtype();
  c.set(0, fold_each(c, scalar_fn_of<F>(), d, folded(c)));
  return true;
}

}  // namespace

bool expand_sum(ExpandContext& c) { return expand_fold<Add>(c); }
bool expand_prod(ExpandContext& c) { return expand_fold<Multiply>(c); }
bool expand_max(ExpandContext& c) { return expand_fold<Maximum>(c); }
bool expand_min(ExpandContext& c) { return expand_fold<Minimum>(c); }

bool expand_mean(ExpandContext& c) {
  if (!can_expand_fold(c)) return false;
  const DType d = c.dtype();
  const Folded in = folded(c);
  Scalars out = fold_each(c, scalar_fn_of<Add>(), d, in);
  for (size_t k = 0; k < out.size(); ++k) {
    const Scalar count = c.number(static_cast<double>(in.groups[k].size()), d);
    out[k] = c.apply(scalar_fn_of<Divide>(), d, out[k], count);
  }
  c.set(0, std::move(out));
  return true;
}

bool expand_sum_to_shape(ExpandContext& c) {
  if (!can_expand_fold(c)) return false;
  const DType d = c.dtype();
  const Dims &to = c.out_shape(), &shape = c.in_shape(0);
  Dims flags(shape.size(), 1);
  const size_t extra = shape.size() - to.size();
  for (size_t i = extra; i < shape.size(); ++i) flags[i] = to[i - extra] != shape[i];
  c.set(0, fold_each(c, scalar_fn_of<Add>(), d, folded(c, flags)));
  return true;
}

// 1 / (how many elements attain the extreme) for those that do, else 0; NaN attains NaN.
bool expand_tie_shares(ExpandContext& c) {
  if (!can_expand_fold(c)) return false;
  const DType d = c.dtype();
  const Scalars in = c.in(0), tops = c.in(1);
  const Dims& shape = c.out_shape();
  const Dims flags = axis_flags(c.attrs(), reduction_attrs::axis, shape.ndim(), c.op().name);
  const std::vector<size_t> to = broadcast_positions(reduced_shape(shape, flags, true), shape);
  const Scalar zero = c.number(0, d), one = c.number(1, d);
  const auto test = [&](ScalarFn fn, Scalar a, Scalar b) {
    return c.apply(fn, DType::bool_, a, b);
  };
  Scalars attains(in.size()), counts(tops.size(), zero), shares(tops.size()), out(in.size());
  for (size_t k = 0; k < in.size(); ++k) {
    const Scalar x = in[k], top = tops[to[k]];
    const Scalar both_nan = test(scalar_fn_of<LogicalAnd>(), test(scalar_fn_of<NotEqual>(), x, x),
                                 test(scalar_fn_of<NotEqual>(), top, top));
    attains[k] = test(scalar_fn_of<LogicalOr>(), test(scalar_fn_of<Equal>(), x, top), both_nan);
    const Scalar one_more = c.apply(scalar_fn_of<Select>(), d, attains[k], one, zero);
    counts[to[k]] = counts[to[k]] == zero ? one_more : c.add(d, counts[to[k]], one_more);
  }
  for (size_t k = 0; k < shares.size(); ++k)
    shares[k] = c.apply(scalar_fn_of<Divide>(), d, one, counts[k]);
  for (size_t k = 0; k < in.size(); ++k)
    out[k] = c.apply(scalar_fn_of<Select>(), d, attains[k], shares[to[k]], zero);
  c.set(0, std::move(out));
  return true;
}

// log(sum of exp(x - top)) + top, of a finite top or 0.
bool expand_logsumexp(ExpandContext& c) {
  if (!can_expand_fold(c)) return false;
  const DType d = c.dtype();
  const Folded in = folded(c);
  Scalars out;
  for (const Scalars& group : in.groups) {
    const Scalar top = fold(c, scalar_fn_of<Maximum>(), d, in.by_rows, group);
    const Scalar finite = c.apply(scalar_fn_of<Isfinite>(), DType::bool_, top);
    const Scalar base = c.apply(scalar_fn_of<Select>(), d, finite, top, c.number(0, d));
    Scalars terms;
    for (Scalar x : group)
      terms.push_back(
          c.apply(scalar_fn_of<Exp>(), d, c.apply(scalar_fn_of<Subtract>(), d, x, base)));
    const Scalar total = fold(c, scalar_fn_of<Add>(), d, in.by_rows, std::move(terms));
    out.push_back(c.add(d, c.apply(scalar_fn_of<Log>(), d, total), base));
  }
  c.set(0, std::move(out));
  return true;
}

}  // namespace tapegrad
