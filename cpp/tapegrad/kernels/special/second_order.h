#pragma once

#include <array>
#include <cmath>

#include "tapegrad/scalar/functions/functions.h"

namespace tapegrad {

// A number with its first and second derivatives by n variables.
template <int n>
struct SecondOrder {
  static constexpr int pairs = n * (n + 1) / 2;
  double f = 0;
  std::array<double, n> g{};
  std::array<double, pairs> h{};

  SecondOrder() = default;
  SecondOrder(double value) : f(value) {}
  static SecondOrder variable(int i, double value) {
    SecondOrder x(value);
    x.g[static_cast<size_t>(i)] = 1;
    return x;
  }
  static constexpr size_t pair(int i, int k) {  // i >= k
    return static_cast<size_t>(i * (i + 1) / 2 + k);
  }

  // How many derivatives by each variable; NaN for more than two.
  double derivative(const double* orders) const {
    int chosen[2] = {-1, -1}, count = 0;
    for (int i = 0; i < n; ++i) {
      if (!(orders[i] >= 0) || orders[i] != std::rint(orders[i]) || count + orders[i] > 2)
        return std::nan("");
      for (double k = 0; k < orders[i]; k += 1) chosen[count++] = i;
    }
    if (count == 0) return f;
    return count == 1 ? g[static_cast<size_t>(chosen[0])] : h[pair(chosen[1], chosen[0])];
  }

  // Of a function of one variable, by its value, slope and second derivative.
  SecondOrder through(double value, double slope, double second) const {
    SecondOrder r(value);
    for (size_t i = 0; i < n; ++i) r.g[i] = slope * g[i];
    for (int i = 0; i < n; ++i)
      for (int k = 0; k <= i; ++k)
        r.h[pair(i, k)] =
            slope * h[pair(i, k)] + second * g[static_cast<size_t>(i)] * g[static_cast<size_t>(k)];
    return r;
  }

  friend SecondOrder operator+(SecondOrder a, const SecondOrder& b) {
    a.f += b.f;
    for (size_t i = 0; i < n; ++i) a.g[i] += b.g[i];
    for (size_t i = 0; i < pairs; ++i) a.h[i] += b.h[i];
    return a;
  }
  SecondOrder operator-() const { return through(-f, -1, 0); }
  friend SecondOrder operator-(const SecondOrder& a, const SecondOrder& b) { return a + (-b); }
  friend SecondOrder operator*(const SecondOrder& a, const SecondOrder& b) {
    SecondOrder r(a.f * b.f);
    for (size_t i = 0; i < n; ++i) r.g[i] = a.f * b.g[i] + b.f * a.g[i];
    for (int i = 0; i < n; ++i)
      for (int k = 0; k <= i; ++k) {
        const auto u = static_cast<size_t>(i), v = static_cast<size_t>(k);
        r.h[pair(i, k)] =
            a.f * b.h[pair(i, k)] + b.f * a.h[pair(i, k)] + a.g[u] * b.g[v] + a.g[v] * b.g[u];
      }
    return r;
  }
  friend SecondOrder operator/(const SecondOrder& a, const SecondOrder& b) {
    const double i = 1 / b.f;
    return a * b.through(i, -i * i, 2 * i * i * i);
  }

  double size() const {  // the largest of them
    double most = std::abs(f);
    for (const double x : g) most = std::fmax(most, std::abs(x));
    for (const double x : h) most = std::fmax(most, std::abs(x));
    return most;
  }
};

template <int n>
SecondOrder<n> exp(const SecondOrder<n>& x) {
  const double e = std::exp(x.f);
  return x.through(e, e, e);
}
template <int n>
SecondOrder<n> log(const SecondOrder<n>& x) {
  return x.through(std::log(x.f), 1 / x.f, -1 / (x.f * x.f));
}

}  // namespace tapegrad
