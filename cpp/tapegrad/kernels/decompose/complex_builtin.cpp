#include "tapegrad/kernels/decompose/complex_builtin.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace tapegrad::builtin {
namespace {

using Z = std::complex<double>;

constexpr int most_sweeps = 60, most_steps = 30;
constexpr double eps = std::numeric_limits<double>::epsilon();

// The tangent of the rotation that makes the off-diagonal element of [[x, y], [y, z]] zero.
double rotation_tangent(double x, double y, double z) {
  const double theta = (z - x) / (2 * y);
  if (std::isinf(theta)) return 0;
  return std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(1.0, theta));
}

void rotate(int64_t n, double c, double s, Z* x, Z* y, int64_t stride = 1) {
  for (int64_t i = 0; i < n; ++i) {
    const Z a = x[i * stride], b = y[i * stride];
    x[i * stride] = c * a - s * b;
    y[i * stride] = s * a + c * b;
  }
}

void scale(int64_t n, Z factor, Z* x, int64_t stride = 1) {
  for (int64_t i = 0; i < n; ++i) x[i * stride] *= factor;
}

Z dot(int64_t n, const Z* x, const Z* y) {
  Z sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += std::conj(x[i]) * y[i];
  return sum;
}

double norm_of(int64_t n, const Z* x) { return std::sqrt(dot(n, x, x).real()); }

void set_identity(int64_t n, Z* v) {
  std::fill_n(v, n * n, Z(0));
  for (int64_t i = 0; i < n; ++i) v[i * n + i] = 1;
}

std::vector<int64_t> identity_order(int64_t n) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

void reorder(const std::vector<int64_t>& order, int64_t rows, Z* columns) {
  const std::vector<Z> before(columns, columns + static_cast<int64_t>(order.size()) * rows);
  for (size_t j = 0; j < order.size(); ++j)
    std::copy_n(before.data() + order[j] * rows, rows, columns + static_cast<int64_t>(j) * rows);
}

// c and s of the rotation [[c, s], [-conj(s), c]] that takes (a, b) to (r, 0).
struct Givens {
  double c;
  Z s;
  Givens(Z a, Z b) {
    const double size = std::hypot(std::abs(a), std::abs(b));
    const Z phase = a == Z(0) ? Z(1) : a / std::abs(a);
    c = size == 0 ? 1 : std::abs(a) / size;
    s = size == 0 ? Z(0) : phase * std::conj(b) / size;
  }
  void from_left(int64_t n, Z* x, Z* y, int64_t stride) const {
    for (int64_t i = 0; i < n; ++i) {
      const Z a = x[i * stride], b = y[i * stride];
      x[i * stride] = c * a + s * b;
      y[i * stride] = c * b - std::conj(s) * a;
    }
  }
  void from_right(int64_t n, Z* x, Z* y) const {
    for (int64_t i = 0; i < n; ++i) {
      const Z a = x[i], b = y[i];
      x[i] = c * a + std::conj(s) * b;
      y[i] = c * b - s * a;
    }
  }
};

// The eigenvalue of [[a, b], [c, d]] that is nearer to d.
Z shift_of(Z a, Z b, Z c, Z d) {
  const Z half = (a - d) * 0.5, root = std::sqrt(half * half + b * c);
  const Z more = std::abs(half + root) > std::abs(half - root) ? half + root : half - root;
  return more == Z(0) ? d : d - b * c / more;
}

// a becomes a triangle, the unitary q takes its change.
bool schur(int64_t n, Z* a, Z* q) {
  set_identity(n, q);
  for (int64_t k = 0; k + 2 < n; ++k)
    for (int64_t i = n - 1; i > k + 1; --i) {
      const Givens g(a[k * n + i - 1], a[k * n + i]);
      g.from_left(n, a + i - 1, a + i, n);
      g.from_right(n, a + (i - 1) * n, a + i * n);
      g.from_right(n, q + (i - 1) * n, q + i * n);
      a[k * n + i] = 0;
    }
  const auto at = [&](int64_t i, int64_t j) -> Z& { return a[j * n + i]; };
  int steps = 0;
  for (int64_t last = n - 1; last > 0;) {
    int64_t first = last;
    for (; first > 0; --first) {
      const double beside = std::abs(at(first, first)) + std::abs(at(first - 1, first - 1));
      if (std::abs(at(first, first - 1)) > eps * beside) continue;
      at(first, first - 1) = 0;
      break;
    }
    if (first == last) {
      --last;
      steps = 0;
      continue;
    }
    if (++steps > most_steps) return false;
    const Z shift = steps % 10 == 0 ? at(last, last) + std::abs(at(last, last - 1))
                                    : shift_of(at(last - 1, last - 1), at(last - 1, last),
                                               at(last, last - 1), at(last, last));
    for (int64_t i = first; i <= last; ++i) at(i, i) -= shift;
    std::vector<Givens> rotations;
    for (int64_t k = first; k < last; ++k) {
      rotations.emplace_back(at(k, k), at(k + 1, k));
      rotations.back().from_left(n - k, &at(k, k), &at(k + 1, k), n);
    }
    for (int64_t k = first; k < last; ++k) {
      const Givens& g = rotations[static_cast<size_t>(k - first)];
      g.from_right(std::min(k + 2, last + 1), a + k * n, a + (k + 1) * n);
      g.from_right(n, q + k * n, q + (k + 1) * n);
    }
    for (int64_t i = first; i <= last; ++i) at(i, i) += shift;
  }
  return true;
}

}  // namespace

// Of the coordinate vectors the one of which most is left.
void complete_column(int64_t m, int64_t j, Z* u) {
  std::vector<Z> best(static_cast<size_t>(m)), tried(static_cast<size_t>(m));
  double largest = -1;
  for (int64_t axis = 0; axis < m && largest < 0.5; ++axis) {
    std::ranges::fill(tried, Z(0));
    tried[static_cast<size_t>(axis)] = 1;
    for (int round = 0; round < 2; ++round)
      for (int64_t l = 0; l < j; ++l) {
        const Z share = dot(m, u + l * m, tried.data());
        for (int64_t i = 0; i < m; ++i) tried[static_cast<size_t>(i)] -= share * u[l * m + i];
      }
    const double left = norm_of(m, tried.data());
    if (left <= largest) continue;
    largest = left;
    best = tried;
  }
  for (int64_t i = 0; i < m; ++i) u[j * m + i] = best[static_cast<size_t>(i)] / largest;
}

bool hermitian_eigen(int64_t n, Z* a, double* values, Z* v) {
  set_identity(n, v);
  const double small = eps / 8 * norm_of(n * n, a);
  bool done = false;
  for (int sweep = 0; sweep < most_sweeps && !done; ++sweep) {
    done = true;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        const Z y = a[q * n + p];
        if (std::abs(y) <= small / static_cast<double>(n)) continue;
        done = false;
        const Z phase = y / std::abs(y);
        scale(n, std::conj(phase), a + q * n);
        scale(n, phase, a + q, n);
        scale(n, std::conj(phase), v + q * n);
        const double t = rotation_tangent(a[p * n + p].real(), std::abs(y), a[q * n + q].real());
        const double c = 1 / std::hypot(1.0, t), s = t * c;
        rotate(n, c, s, a + p, a + q, n);
        rotate(n, c, s, a + p * n, a + q * n);
        a[p * n + q] = a[q * n + p] = 0;
        rotate(n, c, s, v + p * n, v + q * n);
      }
  }
  std::vector<int64_t> order = identity_order(n);
  std::ranges::stable_sort(
      order, [&](int64_t i, int64_t j) { return a[i * n + i].real() < a[j * n + j].real(); });
  for (size_t i = 0; i < order.size(); ++i) values[i] = a[order[i] * (n + 1)].real();
  reorder(order, n, v);
  return done;
}

bool singular_decomposition(int64_t m, int64_t n, Z* a, double* s, Z* v) {
  set_identity(n, v);
  bool done = false;
  for (int sweep = 0; sweep < most_sweeps && !done; ++sweep) {
    done = true;
    for (int64_t p = 0; p < n; ++p)
      for (int64_t q = p + 1; q < n; ++q) {
        Z *x = a + p * m, *z = a + q * m;
        const double xx = dot(m, x, x).real(), zz = dot(m, z, z).real();
        const Z xz = dot(m, x, z);
        if (std::abs(xz) <= 4 * eps * std::sqrt(xx) * std::sqrt(zz)) continue;
        done = false;
        const Z phase = std::conj(xz) / std::abs(xz);
        scale(m, phase, z);
        scale(n, phase, v + q * n);
        const double t = rotation_tangent(xx, std::abs(xz), zz);
        const double c = 1 / std::hypot(1.0, t);
        rotate(m, c, t * c, x, z);
        rotate(n, c, t * c, v + p * n, v + q * n);
      }
  }
  std::vector<double> norms(static_cast<size_t>(n));
  for (int64_t j = 0; j < n; ++j) norms[static_cast<size_t>(j)] = norm_of(m, a + j * m);
  const auto norm_at = [&](int64_t j) { return norms[static_cast<size_t>(j)]; };
  std::vector<int64_t> order = identity_order(n);
  std::ranges::stable_sort(order, [&](int64_t i, int64_t j) { return norm_at(i) > norm_at(j); });
  reorder(order, m, a);
  reorder(order, n, v);
  int64_t rank = 0;
  for (int64_t j = 0; j < n; ++j) {
    s[j] = norm_at(order[static_cast<size_t>(j)]);
    if (s[j] > 0) rank = j + 1;
    for (int64_t i = 0; i < m; ++i) a[j * m + i] = s[j] > 0 ? a[j * m + i] / s[j] : Z(0);
  }
  for (int64_t j = rank; j < n; ++j) complete_column(m, j, a);
  return done;
}

bool general_eigen(int64_t n, Z* a, Z* values, Z* v) {
  std::vector<Z> q(static_cast<size_t>(n * n)), x(static_cast<size_t>(n));
  const double small = std::max(eps * norm_of(n * n, a), std::numeric_limits<double>::min());
  if (!schur(n, a, q.data())) return false;
  for (int64_t k = 0; k < n; ++k) {
    values[k] = a[k * n + k];
    if (!v) continue;
    std::ranges::fill(x, Z(0));
    x[static_cast<size_t>(k)] = 1;
    for (int64_t i = k - 1; i >= 0; --i) {
      Z sum = 0;
      for (int64_t j = i + 1; j <= k; ++j) sum += a[j * n + i] * x[static_cast<size_t>(j)];
      const Z gap = values[k] - a[i * n + i];
      x[static_cast<size_t>(i)] = sum / (std::abs(gap) < small ? Z(small) : gap);
    }
    Z* const to = v + k * n;
    std::fill_n(to, n, Z(0));
    for (int64_t j = 0; j <= k; ++j)
      for (int64_t i = 0; i < n; ++i)
        to[i] += q[static_cast<size_t>(j * n + i)] * x[static_cast<size_t>(j)];
    const Z largest = *std::max_element(
        to, to + n, [](Z one, Z other) { return std::norm(one) < std::norm(other); });
    scale(n, std::conj(largest) / std::abs(largest) / norm_of(n, to), to);
  }
  return true;
}

bool eliminate(int64_t n, Z* a) {
  bool odd = false;
  for (int64_t k = 0; k < n; ++k) {
    int64_t best = k;
    for (int64_t i = k; i < n; ++i)
      if (std::abs(a[k * n + i]) > std::abs(a[k * n + best])) best = i;
    if (a[k * n + best] == Z(0)) continue;
    if (best != k) odd = !odd;
    for (int64_t j = 0; j < n && best != k; ++j) std::swap(a[j * n + k], a[j * n + best]);
    for (int64_t i = k + 1; i < n; ++i) {
      const Z factor = a[k * n + i] / a[k * n + k];
      a[k * n + i] = factor;
      for (int64_t j = k + 1; j < n; ++j) a[j * n + i] -= factor * a[j * n + k];
    }
  }
  return odd;
}

bool solve(int64_t n, Z* a, Z* b) {
  for (int64_t k = 0; k < n; ++k) {
    int64_t best = k;
    for (int64_t i = k; i < n; ++i)
      if (std::abs(a[k * n + i]) > std::abs(a[k * n + best])) best = i;
    if (a[k * n + best] == Z(0)) return false;
    for (int64_t j = 0; j < n; ++j) {
      std::swap(a[j * n + k], a[j * n + best]);
      std::swap(b[j * n + k], b[j * n + best]);
    }
    const Z pivot = a[k * n + k];
    scale(n, 1.0 / pivot, a + k, n);
    scale(n, 1.0 / pivot, b + k, n);
    for (int64_t i = 0; i < n; ++i) {
      const Z factor = a[k * n + i];
      if (i == k || factor == Z(0)) continue;
      for (int64_t j = 0; j < n; ++j) {
        a[j * n + i] -= factor * a[j * n + k];
        b[j * n + i] -= factor * b[j * n + k];
      }
    }
  }
  return true;
}

}  // namespace tapegrad::builtin
