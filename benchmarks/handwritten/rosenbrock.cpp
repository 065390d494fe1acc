// Rosenbrock's function, the sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2: its gradient, and the
// product of its Hessian with a vector. Both write each element once.

#include <cstdint>

extern "C" void gradient(std::int64_t size, const double* x, double* slopes) {
  const auto by_low = [x](std::int64_t i) {  // of the term of x[i] and x[i + 1]
    return -400.0 * x[i] * (x[i + 1] - x[i] * x[i]) - 2.0 * (1.0 - x[i]);
  };
  const auto by_high = [x](std::int64_t i) {  // of the term of x[i - 1] and x[i]
    return 200.0 * (x[i] - x[i - 1] * x[i - 1]);
  };
  const std::int64_t last = size - 1;
  slopes[0] = by_low(0);
  for (std::int64_t i = 1; i < last; ++i) slopes[i] = by_low(i) + by_high(i);
  slopes[last] = by_high(last);
}

extern "C" void product(std::int64_t size, const double* x, const double* v, double* result) {
  const auto of_low = [x, v](std::int64_t i) {
    return (1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0) * v[i] - 400.0 * x[i] * v[i + 1];
  };
  const auto of_high = [x, v](std::int64_t i) {
    return 200.0 * v[i] - 400.0 * x[i - 1] * v[i - 1];
  };
  const std::int64_t last = size - 1;
  result[0] = of_low(0);
  for (std::int64_t i = 1; i < last; ++i) result[i] = of_low(i) + of_high(i);
  result[last] = of_high(last);
}
