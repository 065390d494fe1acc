#include <algorithm>
#include <limits>

#include "tapegrad/kernels/linalg/linalg.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/linalg_expand.h"

// Small linear systems, to the bit what kernels/linalg/linalg_factor.h computes: which row is the
// pivot's is a matter of the numbers, so rows change places by `where`. What raises an error there
// is a condition here: see ExpandContext::require.

namespace tapegrad {
namespace {

using Rows = std::vector<Scalars>;

class Numbers {
 public:
  Numbers(ExpandContext& c, DType d) : c_(c), d_(d) {}

  Scalar number(double x) { return c_.number(x, d_); }
  Scalar multiply(Scalar a, Scalar b) { return c_.multiply(d_, a, b); }
  Scalar subtract(Scalar a, Scalar b) { return c_.apply(scalar_fn_of<Subtract>(), d_, a, b); }
  Scalar divide(Scalar a, Scalar b) { return c_.apply(scalar_fn_of<Divide>(), d_, a, b); }
  Scalar absolute(Scalar a) { return c_.apply(scalar_fn_of<Absolute>(), d_, a); }
  Scalar where(Scalar mask, Scalar a, Scalar b) {
    return c_.apply(scalar_fn_of<Select>(), d_, mask, a, b);
  }
  template <class F>
  Scalar of(Scalar a, Scalar b) {
    return c_.apply(scalar_fn_of<F>(), d_, a, b);
  }
  template <class F>
  Scalar test(Scalar a, Scalar b = ExpandContext::missing) {
    return c_.apply(scalar_fn_of<F>(), DType::bool_, a, b);
  }
  // a or b, where b may be missing; likewise for the others.
  template <class F>
  Scalar joined(Scalar a, Scalar b) {
    return b == ExpandContext::missing ? a : test<F>(a, b);
  }

 private:
  ExpandContext& c_;
  DType d_;
};

// The elimination of (A, B) with partial pivoting; NaN counts as the largest pivot.
struct Eliminated {
  Rows rows;          // U beside what B has become; below the diagonal is nothing of use
  Scalar is_regular;  // no pivot is zero
  Scalar is_odd;      // the number of swaps; missing for one row
};

class Elimination {
 public:
  Elimination(Numbers& x, Rows rows) : x_(x), rows_(std::move(rows)) {}

  Eliminated run() {
    const size_t n = rows_.size();
    for (size_t s = 0; s < n; ++s) {
      if (s + 1 < n) take_pivot(s);
      const Scalar pivot = rows_[s][s];
      is_regular_ = x_.joined<LogicalAnd>(x_.test<NotEqual>(pivot, x_.number(0)), is_regular_);
      for (size_t i = s + 1; i < n; ++i) {
        const Scalar factor = x_.divide(rows_[i][s], pivot);
        for (size_t j = s + 1; j < rows_[i].size(); ++j)
          rows_[i][j] = x_.subtract(rows_[i][j], x_.multiply(factor, rows_[s][j]));
      }
    }
    return {std::move(rows_), is_regular_, is_odd_};
  }

 private:
  static constexpr Scalar missing = ExpandContext::missing;

  // Row s and the last of those with a larger element than all before it change places.
  void take_pivot(size_t s) {
    const size_t n = rows_.size();
    Scalar largest = x_.absolute(rows_[s][s]);
    Scalars is_less(n, missing), stays(n, missing);  // than the largest before; where it is
    for (size_t i = s + 1; i < n; ++i) {
      const Scalar own = x_.absolute(rows_[i][s]);
      is_less[i] =
          x_.test<LogicalOr>(x_.test<LessEqual>(own, largest), x_.test<NotEqual>(largest, largest));
      if (i + 1 < n) largest = x_.of<Maximum>(largest, own);
    }
    Scalar later = missing;  // no row after this one is the pivot's
    for (size_t i = n; i-- > s + 1;) {
      stays[i] = later == missing ? is_less[i]
                                  : x_.test<LogicalOr>(is_less[i], x_.test<LogicalNot>(later));
      later = x_.joined<LogicalAnd>(is_less[i], later);
    }
    is_odd_ = x_.joined<LogicalXor>(x_.test<LogicalNot>(later), is_odd_);
    const Scalars top = rows_[s];
    for (size_t i = s + 1; i < n; ++i)
      for (size_t j = s; j < top.size(); ++j) {
        const Scalar own = rows_[i][j];
        rows_[s][j] = x_.where(is_less[i], rows_[s][j], own);
        rows_[i][j] = x_.where(stays[i], own, top[j]);
      }
  }

  Numbers& x_;
  Rows rows_;
  Scalar is_regular_ = missing, is_odd_ = missing;
};

// A times x is b, A the upper triangle of the first columns of the rows, b the others; or the lower
// one, and then rows are read from the first on.
Rows solved(Numbers& x, const Rows& rows, bool is_lower, bool is_unit) {
  const size_t n = rows.size(), width = n == 0 ? 0 : rows[0].size() - n;
  Rows found(n);
  for (size_t turn = 0; turn < n; ++turn) {
    const size_t i = is_lower ? turn : n - 1 - turn;
    for (size_t c = 0; c < width; ++c) {
      Scalar sum = rows[i][n + c];
      for (size_t j = is_lower ? 0 : i + 1; j < (is_lower ? i : n); ++j)
        sum = x.subtract(sum, x.multiply(rows[i][j], found[j][c]));
      found[i].push_back(is_unit ? sum : x.divide(sum, rows[i][i]));
    }
  }
  return found;
}

// The matrices of a stack with those that belong to them, one after the other.
struct Systems {
  std::vector<size_t> left, right;  // positions in the stacks
  size_t n, columns;
};

Systems systems_of(ExpandContext& c) {
  const Dims &a = c.in_shape(0), &b = c.in_shape(1);
  const bool vector = b.size() == 1;
  const Dims& out = c.out_shape();
  const Dims batch(out.data(), out.size() - (vector ? 1 : 2));
  return {broadcast_positions(stack_of(a), batch),
          vector ? std::vector<size_t>(static_cast<size_t>(element_count(batch)), 0)
                 : broadcast_positions(stack_of(b), batch),
          static_cast<size_t>(a.back()), vector ? 1 : static_cast<size_t>(b.back())};
}

Rows matrix_at(const Scalars& all, size_t at, size_t n, size_t columns) {
  Rows rows(n);
  for (size_t i = 0; i < n; ++i)
    for (size_t j = 0; j < columns; ++j) rows[i].push_back(all[(at * n + i) * columns + j]);
  return rows;
}

void append(Scalars& to, const Rows& rows) {
  for (const Scalars& row : rows) to.insert(to.end(), row.begin(), row.end());
}

Rows beside(Rows left, const Rows& right) {
  for (size_t i = 0; i < left.size(); ++i)
    left[i].insert(left[i].end(), right[i].begin(), right[i].end());
  return left;
}

Rows solved_system(ExpandContext& c, Numbers& x, Rows both) {
  const Eliminated e = Elimination(x, std::move(both)).run();
  c.require(e.is_regular);
  return solved(x, e.rows, false, false);
}

// f(matrix) of each of a stack.
template <class F>
void each_matrix(ExpandContext& c, F&& f) {
  const Scalars all = c.in(0);
  const auto n = static_cast<size_t>(c.in_shape(0).back());
  for (size_t at = 0; at < all.size() / (n * n); ++at) f(matrix_at(all, at, n, n));
}

}  // namespace

bool can_expand_matrices(ExpandContext& c) {
  return c.may_require() && c.has_one_floating_dtype() && c.in_shape(0).back() > 0 &&
         c.in_shape(0).back() <= most_expanded_rows;
}

bool expand_solve(ExpandContext& c) {
  if (!can_expand_matrices(c)) return false;
  Numbers x(c, c.dtype());
  const Systems all = systems_of(c);
  const Scalars a = c.in(0), b = c.in(1);
  Scalars out;
  for (size_t k = 0; k < all.left.size(); ++k)
    append(out, solved_system(c, x,
                              beside(matrix_at(a, all.left[k], all.n, all.n),
                                     matrix_at(b, all.right[k], all.n, all.columns))));
  c.set(0, std::move(out));
  return true;
}

bool expand_inv(ExpandContext& c) {
  if (!can_expand_matrices(c)) return false;
  Numbers x(c, c.dtype());
  Scalars out;
  each_matrix(c, [&](const Rows& a) {
    Rows unit(a.size(), Scalars(a.size(), x.number(0)));
    for (size_t i = 0; i < a.size(); ++i) unit[i][i] = x.number(1);
    append(out, solved_system(c, x, beside(a, unit)));
  });
  c.set(0, std::move(out));
  return true;
}

bool expand_solve_triangular(ExpandContext& c) {
  if (!can_expand_matrices(c)) return false;
  const Attrs& attrs = c.attrs();
  const bool is_lower = attrs.flag_or(triangle_attrs::is_lower, true);
  const bool is_trans = attrs.flag_or(triangle_attrs::is_trans, false);
  const bool is_unit = attrs.flag_or(triangle_attrs::is_unit, false);
  Numbers x(c, c.dtype());
  const Systems all = systems_of(c);
  const Scalars a = c.in(0), b = c.in(1);
  Scalars out;
  for (size_t k = 0; k < all.left.size(); ++k) {
    Rows matrix = matrix_at(a, all.left[k], all.n, all.n);
    for (size_t i = 0; i < all.n; ++i) {
      for (size_t j = 0; j < i && is_trans; ++j) std::swap(matrix[i][j], matrix[j][i]);
      if (!is_unit) c.require(x.test<NotEqual>(matrix[i][i], x.number(0)));
    }
    append(out, solved(x, beside(std::move(matrix), matrix_at(b, all.right[k], all.n, all.columns)),
                       is_lower != is_trans, is_unit));
  }
  c.set(0, std::move(out));
  return true;
}

// The product of the pivots. That of an array has no bounds on the way, which holds here where no
// product leaves the normal numbers.
bool expand_det(ExpandContext& c) {
  const DType d = c.dtype();
  if (!can_expand_matrices(c) || d != DType::float64) return false;
  Numbers x(c, d);
  Scalars out;
  each_matrix(c, [&](const Rows& a) {
    const Eliminated e = Elimination(x, a).run();
    Scalar product = e.rows[0][0];
    for (size_t i = 1; i < a.size(); ++i) {
      product = x.multiply(product, e.rows[i][i]);
      const Scalar size = x.absolute(product);
      const Scalar leaves = x.test<LogicalOr>(x.test<Less>(size, x.number(0x1p-1020)),
                                              x.test<Greater>(size, x.number(0x1p1020)));
      c.require(x.test<LogicalNot>(x.test<LogicalAnd>(e.is_regular, leaves)));
    }
    if (a.size() > 1)
      product = x.where(e.is_odd, c.apply(scalar_fn_of<Negative>(), d, product), product);
    out.push_back(x.where(e.is_regular, product, x.number(0)));
  });
  c.set(0, std::move(out));
  return true;
}

bool expand_slogdet(ExpandContext& c) {
  const DType d = c.dtype();
  if (!can_expand_matrices(c) || d != DType::float64) return false;
  Numbers x(c, d);
  Scalars signs, logarithms;
  each_matrix(c, [&](const Rows& a) {
    const Eliminated e = Elimination(x, a).run();
    Scalar is_negative = e.is_odd;
    Scalars logs;
    for (size_t i = 0; i < a.size(); ++i) {
      const Scalar pivot = e.rows[i][i];
      is_negative = x.joined<LogicalXor>(x.test<Less>(pivot, x.number(0)), is_negative);
      logs.push_back(c.apply(scalar_fn_of<Log>(), d, x.absolute(pivot)));
    }
    const Scalar sign = x.where(is_negative, x.number(-1), x.number(1));
    signs.push_back(x.where(e.is_regular, sign, x.number(0)));
    logarithms.push_back(
        x.where(e.is_regular, c.sum(d, logs), x.number(-std::numeric_limits<double>::infinity())));
  });
  c.set(0, std::move(signs));
  c.set(1, std::move(logarithms));
  return true;
}

bool expand_cholesky(ExpandContext& c) {
  if (!can_expand_matrices(c)) return false;
  const DType d = c.dtype();
  Numbers x(c, d);
  Scalars out;
  each_matrix(c, [&](Rows a) {
    for (size_t i = 0; i < a.size(); ++i) {
      for (size_t j = 0; j <= i; ++j) {
        Scalar sum = a[i][j];
        for (size_t k = 0; k < j; ++k) sum = x.subtract(sum, x.multiply(a[i][k], a[j][k]));
        if (i == j) c.require(x.test<LogicalNot>(x.test<LessEqual>(sum, x.number(0))));
        a[i][j] = i == j ? c.apply(scalar_fn_of<Sqrt>(), d, sum) : x.divide(sum, a[j][j]);
      }
      for (size_t j = i + 1; j < a.size(); ++j) a[i][j] = x.number(0);
    }
    append(out, a);
  });
  c.set(0, std::move(out));
  return true;
}

}  // namespace tapegrad
