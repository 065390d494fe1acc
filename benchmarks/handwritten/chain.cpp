// The sum of sin(x) exp(-x^2) + log1p(x^2) tanh(x) over an array, and its gradient in the same
// pass.

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace {

constexpr std::int64_t kBlock = 512;

// A sine and a cosine of one argument in one loop become a call of sincos for each element: the
// two have loops of their own, over a block that stays in the cache.
double block_gradient(const double* x, std::int64_t count, double* slopes) {
  double sine[kBlock], cosine[kBlock];
  for (std::int64_t i = 0; i < count; ++i) sine[i] = std::sin(x[i]);
  for (std::int64_t i = 0; i < count; ++i) cosine[i] = std::cos(x[i]);
  double sum = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double square = x[i] * x[i];
    const double bell = std::exp(-square);
    const double logarithm = std::log1p(square);
    const double tangent = std::tanh(x[i]);
    sum += sine[i] * bell + logarithm * tangent;
    slopes[i] = (cosine[i] - 2.0 * x[i] * sine[i]) * bell + 2.0 * x[i] / (1.0 + square) * tangent +
                logarithm * (1.0 - tangent * tangent);
  }
  return sum;
}

}  // namespace

extern "C" void value(std::int64_t size, const double* x, double* total) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < size; ++i) {
    const double square = x[i] * x[i];
    sum += std::sin(x[i]) * std::exp(-square) + std::log1p(square) * std::tanh(x[i]);
  }
  *total = sum;
}

extern "C" void gradient(std::int64_t size, const double* x, double* total, double* slopes) {
  double sum = 0.0;
  for (std::int64_t begin = 0; begin < size; begin += kBlock) {
    sum += block_gradient(x + begin, std::min(kBlock, size - begin), slopes + begin);
  }
  *total = sum;
}
