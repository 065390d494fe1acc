#include <algorithm>

#include "tapegrad/kernels/linalg/matmul.h"
#include "tapegrad/ops/linalg/linalg_expand.h"

namespace tapegrad {
namespace {

// Terms with a factor that is a constant zero, which are zero or NaN, are added up apart from the
// others, beginning at the end where they are: those of a triangle's rows are then parts of one
// sum.
Scalar dot(ExpandContext& c, DType d, const Scalars& a, const Scalars& b) {
  Scalars terms, zeros;
  bool last_is_zero = false;
  for (size_t k = 0; k < a.size(); ++k) {
    last_is_zero = !c.keeps_order() && (c.is_zero(a[k]) || c.is_zero(b[k]));
    (last_is_zero ? zeros : terms).push_back(c.multiply(d, a[k], b[k]));
  }
  if (last_is_zero) std::reverse(zeros.begin(), zeros.end());
  if (zeros.empty()) return c.sum(d, terms);
  if (terms.empty()) return c.sum(d, zeros);
  terms.insert(terms.begin(), c.sum(d, zeros));
  return c.sum(d, terms);
}

}  // namespace

bool adds_in_order(size_t stack, size_t rows, size_t columns, size_t inner) {
  const auto is_tiny = [&](size_t m) {
    return is_tiny_product(static_cast<int64_t>(m), static_cast<int64_t>(columns),
                           static_cast<int64_t>(inner));
  };
  return inner > 0 && is_tiny(rows) && is_tiny(rows * stack);
}

// NumPy's matmul: vectors, matrices, and stacks of them that broadcast.
bool expand_matmul(ExpandContext& c) {
  if (!c.has_one_floating_dtype()) return false;
  const Dims a = c.in_shape(0), b = c.in_shape(1);
  if (a.empty() || b.empty()) return false;
  const auto rows = static_cast<size_t>(a.size() >= 2 ? a[a.size() - 2] : 1);
  const auto inner = static_cast<size_t>(a.back());
  const auto columns = static_cast<size_t>(b.size() >= 2 ? b.back() : 1);
  const auto stack_of = [](const Dims& d) {
    return Dims(d.data(), d.size() - std::min<size_t>(2, d.size()));
  };
  const Dims stack = broadcast_shapes(stack_of(a), stack_of(b), "matmul");
  const std::vector<size_t> a_at = broadcast_positions(stack_of(a), stack);
  const std::vector<size_t> b_at = broadcast_positions(stack_of(b), stack);
  if (c.keeps_order() && !adds_in_order(a_at.size(), rows, columns, inner)) return false;
  const Scalars x = c.in(0), y = c.in(1);
  Scalars out, row(inner), column(inner);
  for (size_t m = 0; m < a_at.size(); ++m)
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < columns; ++j) {
        for (size_t k = 0; k < inner; ++k) {
          row[k] = x[(a_at[m] * rows + i) * inner + k];
          column[k] = y[(b_at[m] * inner + k) * columns + j];
        }
        out.push_back(dot(c, c.dtype(), row, column));
      }
  c.set(0, std::move(out));
  return true;
}

// Vectors of length 3, of length 2 (no z) or 1 (z alone): see cross_last.
bool expand_cross(ExpandContext& c) {
  if (!c.has_one_floating_dtype()) return false;
  const DType d = c.dtype();
  const Dims& shape = c.out_shape();
  const int64_t keep = shape.back();
  const Dims stack(shape.data(), shape.size() - 1);
  const Scalar missing = ExpandContext::missing;
  std::vector<Scalars> in[2];
  for (size_t i = 0; i < 2; ++i) {
    const Dims own = c.in_shape(i);
    const auto length = static_cast<size_t>(own.back());
    const Scalars all = c.in(i);
    for (size_t at : broadcast_positions(Dims(own.data(), own.size() - 1), stack)) {
      const auto component = [&](size_t k) { return all[at * length + k]; };
      in[i].push_back(length == 3   ? Scalars{component(0), component(1), component(2)}
                      : length == 2 ? Scalars{component(0), component(1), missing}
                                    : Scalars{missing, missing, component(0)});
    }
  }
  const auto product = [&](Scalar a, Scalar b) {
    return a == missing || b == missing ? c.number(0, d) : c.multiply(d, a, b);
  };
  Scalars out;
  for (size_t v = 0; v < in[0].size(); ++v)
    for (size_t i = keep == 1 ? 2 : 0; i < (keep == 2 ? 2u : 3u); ++i) {
      const size_t j = (i + 1) % 3, k = (i + 2) % 3;
      out.push_back(c.apply(scalar_fn_of<Subtract>(), d, product(in[0][v][j], in[1][v][k]),
                            product(in[0][v][k], in[1][v][j])));
    }
  c.set(0, std::move(out));
  return true;
}

}  // namespace tapegrad
