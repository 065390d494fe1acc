// Truncated derivatives along one line, of any order: Dual<1> carries a value and its derivative,
// Dual<n> is a Dual<n-1> with a derivative of its own. They know scalar functions only through
// partial_tape.
#pragma once

#include <span>
#include <vector>

#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/scalar/partial.h"

namespace tapegrad {

template <int n>
struct Dual {
  Dual<n - 1> value;
  Dual<n - 1> derivative;
  Dual() = default;
  Dual(double x) : value(x), derivative(0.0) {}
  Dual(Dual<n - 1> v, Dual<n - 1> d) : value(v), derivative(d) {}
};

template <>
struct Dual<0> {
  double value = 0;
  Dual() = default;
  Dual(double x) : value(x) {}
};

inline Dual<0> apply(ScalarFn f, std::span<const Dual<0>> x) {
  const double none = 0;
  return eval_scalar(f, x[0].value, x.size() > 1 ? x[1].value : none,
                     x.size() > 2 ? x[2].value : none);
}

template <int n>
Dual<n> apply(ScalarFn f, std::span<const Dual<n>> x) {
  using Lower = Dual<n - 1>;
  std::vector<Lower> inputs;
  for (const Dual<n>& a : x) inputs.push_back(a.value);
  const Lower y = apply(f, std::span<const Lower>(inputs));
  inputs.push_back(y);
  const auto lower = [](ScalarFn g, std::span<const Lower> a) { return apply(g, a); };
  Lower sum(0.0);
  for (size_t i = 0; i < x.size(); ++i) {
    const PartialTape& p = partial_tape(f, static_cast<int>(i));
    if (p.is_zero) continue;
    const Lower partial = replay<Lower>(p, inputs, lower, [](double c) { return Lower(c); });
    const Lower& c = x[i].derivative;
    const Lower product[] = {c, partial};
    const ScalarFn times = p.strong ? scalar_fn_of<Zproduct>() : scalar_fn_of<Zmul>();
    const Lower terms[] = {sum, apply(times, std::span<const Lower>(product))};
    sum = apply(scalar_fn_of<Add>(), std::span<const Lower>(terms));
  }
  return {y, sum};
}

// x + t d, with unit nilpotents: all mixed derivatives of f(x + t d) by t come out at once.
template <int n>
Dual<n> along(double x, double direction) {
  if constexpr (n == 0) {
    return x;
  } else if constexpr (n == 1) {
    return {Dual<0>(x), Dual<0>(direction)};
  } else {
    return {along<n - 1>(x, direction), Dual<n - 1>(direction)};
  }
}

template <int n>
double top_derivative(const Dual<n>& x) {
  if constexpr (n == 0) {
    return x.value;
  } else {
    return top_derivative(x.derivative);
  }
}

// The n-th derivative of t -> f(x + t d) at 0.
template <int n>
double derivative(ScalarFn f, std::span<const double> x, std::span<const double> d) {
  std::vector<Dual<n>> inputs;
  for (size_t i = 0; i < x.size(); ++i) inputs.push_back(along<n>(x[i], d[i]));
  return top_derivative(apply(f, std::span<const Dual<n>>(inputs)));
}

}  // namespace tapegrad
