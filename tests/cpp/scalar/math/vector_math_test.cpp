// Accuracy of the elementary functions as the elementwise kernels compute them, against long double
// libm: ULP bounds over wide ranges, special values, and the same bits alone and in arrays.
#include "tapegrad/scalar/math/vector_math.h"
#include "tapegrad/scalar/functions/function_list.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "tapegrad/rows/cpu.h"
#include "tapegrad/rows/elementwise_table.h"

using namespace tapegrad;

namespace {

using Wide = long double;

struct UnaryCase {
  ScalarFn function;
  Wide (*exact)(Wide);
  double bound;  // in units in the last place, at the levels that have FMA
  double low, high;
};

struct BinaryCase {
  ScalarFn function;
  Wide (*exact)(Wide, Wide);
  double bound;
};

// No bound of libm's own, for the level without FMA, is above this (glibc's cbrt is the worst).
constexpr double libm_bound = 4;

const std::vector<UnaryCase>& unary_cases() {
  static const std::vector<UnaryCase> cases = {
      {scalar_fn_of<Exp>(), std::exp, 1, -5, 5},
      {scalar_fn_of<Exp2>(), std::exp2, 1.2, -5, 5},
      {scalar_fn_of<Expm1>(), std::expm1, 1.2, -2, 2},
      {scalar_fn_of<Log>(), std::log, 0.9, 0, 5},
      {scalar_fn_of<Log2>(), std::log2, 0.8, 0, 5},
      {scalar_fn_of<Log10>(), std::log10, 0.8, 0, 5},
      {scalar_fn_of<Log1p>(), std::log1p, 1, -1, 5},
      {scalar_fn_of<Sin>(), std::sin, 2, -10, 10},
      {scalar_fn_of<Cos>(), std::cos, 2, -10, 10},
      {scalar_fn_of<Tan>(), std::tan, 1.4, -10, 10},
      {scalar_fn_of<Arcsin>(), std::asin, 1.2, -1, 1},
      {scalar_fn_of<Arccos>(), std::acos, 1.2, -1, 1},
      {scalar_fn_of<Arctan>(), std::atan, 2, -5, 5},
      {scalar_fn_of<Sinh>(), std::sinh, 1.8, -2, 2},
      {scalar_fn_of<Cosh>(), std::cosh, 1.5, -2, 2},
      {scalar_fn_of<Tanh>(), std::tanh, 1.6, -2, 2},
      {scalar_fn_of<Arcsinh>(), std::asinh, 1.3, -3, 3},
      {scalar_fn_of<Arccosh>(), std::acosh, 2, 1, 3},
      {scalar_fn_of<Arctanh>(), std::atanh, 1.2, -1, 1},
      {scalar_fn_of<Cbrt>(), std::cbrt, 0.55, -5, 5},
      {scalar_fn_of<Sqrt>(), std::sqrt, 0.5, 0, 5},
      {scalar_fn_of<Erf>(), std::erf, 2.5, -5, 5},
      {scalar_fn_of<Erfc>(), std::erfc, 6, -5, 27},
  };
  return cases;
}

const std::vector<BinaryCase>& binary_cases() {
  static const std::vector<BinaryCase> cases = {
      {scalar_fn_of<Power>(), std::pow, 1.5},  // the cube, two products, is the worst
      {scalar_fn_of<Hypot>(), std::hypot, 1},
      {scalar_fn_of<Arctan2>(), std::atan2, 2},
  };
  return cases;
}

double bound_here(double bound) {
  return isa_level() == IsaLevel::v1 ? std::max(bound, libm_bound) : bound;
}

// |got - want| in units in the last place of T at want; huge where one is NaN, infinite or a zero
// of a sign and the other is not.
template <class T>
double ulp_error(T got, Wide want) {
  using Limits = std::numeric_limits<T>;
  constexpr double wrong = 1e30;
  const T rounded = static_cast<T>(want);
  if (std::isnan(got) || std::isnan(want)) return std::isnan(got) == std::isnan(want) ? 0 : wrong;
  if (want == 0) return got == 0 && std::signbit(got) == std::signbit(want) ? 0 : wrong;
  if (std::isinf(want)) return got == rounded ? 0 : wrong;
  int exponent;
  std::frexp(want, &exponent);
  const Wide unit = std::ldexp(Wide(1), std::max(exponent, Limits::min_exponent) - Limits::digits);
  if (std::isinf(got)) return std::isinf(rounded) && (got > 0) == (want > 0) ? 0 : wrong;
  if (std::isinf(rounded)) return std::abs(got) == Limits::max() ? 1 : wrong;
  return static_cast<double>(std::abs(got - want) / unit);
}

template <class T>
std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> values = {0,        L::denorm_min(),  L::min() / 2,
                           L::min(), L::epsilon() / 4, L::epsilon()};
  values.insert(values.end(), {T(1e-30), T(0.5), 1 - L::epsilon() / 2, 1, 1 + L::epsilon(), 2, 3});
  values.insert(values.end(),
                {T(1e15), T(1e30), T(1e300), L::max(), L::infinity(), L::quiet_NaN()});
  // Where exp, expm1, sinh, cosh and exp2 overflow and underflow, in both formats.
  for (double edge : {88.72, 88.73, 89.41, 89.42, 103.2, 103.9, 104.0, 127.5, 128.0, 149.0, 150.0})
    values.push_back(static_cast<T>(edge));
  for (double edge : {709.78, 709.79, 710.47, 710.48, 745.1, 745.2, 1023.9, 1024.0, 1074.0, 1075.1})
    values.push_back(static_cast<T>(edge));
  const std::vector<T> positive = values;
  for (T x : positive) values.push_back(-x);
  return values;
}

// Special values, uniform ones, every magnitude, and the neighbourhoods of 0, +-1 and multiples of
// pi/2.
template <class T>
std::vector<T> samples(double low, double high, std::mt19937_64& random, int count) {
  std::vector<T> values = special_values<T>();
  std::uniform_real_distribution<double> uniform(low, high), unit(0, 1);
  const double largest = std::max(std::abs(low), std::abs(high));
  for (int i = 0; i < count; ++i) {
    values.push_back(static_cast<T>(uniform(random)));
    const double sign = random() % 2 ? 1 : -1;
    values.push_back(static_cast<T>(sign * largest * std::exp2(-60 * unit(random) * unit(random))));
    values.push_back(static_cast<T>(sign + std::exp2(-52 * unit(random))));
    values.push_back(static_cast<T>(static_cast<double>(random() % 4000) * 1.5707963267948966));
    T any;
    const std::uint64_t bits = random();
    std::memcpy(&any, &bits, sizeof any);
    if (!std::isnan(any)) values.push_back(any);
  }
  return values;
}

template <class T>
std::string describe(ScalarFn f, T x, T y, T got, Wide want, double error) {
  char text[200];
  std::snprintf(text, sizeof text, "%s(%.17g, %.17g) = %.17g in %zu bytes, want %.17Lg: %.3g ULP",
                scalar_fn_info(f).name, double(x), double(y), double(got), sizeof(T), want, error);
  return text;
}

template <class T>
void check_unary(const UnaryCase& c) {
  std::mt19937_64 random(7);
  const ElementwiseKernel<T>& kernel = elementwise_kernel<T>(c.function);
  const std::vector<T> x = samples<T>(c.low, c.high, random, 8000);
  std::vector<T> y(x.size());
  kernel.loop(y.data(), x.data(), nullptr, nullptr, static_cast<int64_t>(x.size()), 0);
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = ulp_error(y[i], c.exact(x[i]));
    if (error > worst) worst = error, at = i;
  }
  check::expect(worst <= bound_here(c.bound), __FILE__, __LINE__,
                describe(c.function, x[at], T(0), y[at], c.exact(x[at]), worst));
}

template <class T>
void check_binary(const BinaryCase& c) {
  std::mt19937_64 random(7);
  const ElementwiseKernel<T>& kernel = elementwise_kernel<T>(c.function);
  std::vector<T> x = samples<T>(-3, 3, random, 8000);
  std::vector<T> y = x;
  std::shuffle(y.begin(), y.end(), random);
  for (T a : special_values<T>()) {
    for (T b : special_values<T>()) {
      x.push_back(a);
      y.push_back(b);
    }
  }
  // Powers of positive numbers that neither overflow nor vanish.
  std::uniform_real_distribution<double> logarithm(-80, 80);
  for (int i = 0; i < 20000; ++i) {
    const double l = logarithm(random);
    x.push_back(static_cast<T>(std::exp(l)));
    y.push_back(static_cast<T>(logarithm(random) / l));
  }
  std::vector<T> out(x.size());
  kernel.loop(out.data(), x.data(), y.data(), nullptr, static_cast<int64_t>(x.size()), 0);
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = ulp_error(out[i], c.exact(x[i], y[i]));
    if (error > worst) worst = error, at = i;
  }
  check::expect(worst <= bound_here(c.bound), __FILE__, __LINE__,
                describe(c.function, x[at], y[at], out[at], c.exact(x[at], y[at]), worst));
}

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (std::isnan(a) && std::isnan(b));
}

// One element alone, in the middle of an array, and in its scalar remainder: the same bits.
template <class T>
void check_bits(ScalarFn f, int arity, double low, double high) {
  std::mt19937_64 random(11);
  const ElementwiseKernel<T>& kernel = elementwise_kernel<T>(f);
  const std::vector<T> x = samples<T>(low, high, random, 500);
  std::vector<T> w = x;
  std::shuffle(w.begin(), w.end(), random);
  const T* second = arity == 2 ? w.data() : nullptr;
  const auto size = static_cast<int64_t>(x.size());
  std::vector<T> all(x.size());
  kernel.loop(all.data(), x.data(), second, nullptr, size, 0);
  bool same = true;
  for (int64_t i = 0; i < size; ++i) {
    const T b = arity == 2 ? w[i] : T(0);
    same = same && same_bits(all[i], kernel.scalar(x[i], b, T(0)));
  }
  for (int64_t begin : {1, 2, 3, 6}) {
    for (int64_t n : {1, 3, 7, 100, 301}) {
      std::vector<T> part(n);
      kernel.loop(part.data(), x.data() + begin, second ? second + begin : nullptr, nullptr, n, 0);
      for (int64_t i = 0; i < n; ++i) same = same && same_bits(part[i], all[begin + i]);
    }
  }
  check::expect(same, __FILE__, __LINE__, std::string(scalar_fn_info(f).name) + " differs");
}

}  // namespace

TEST(unary_functions_stay_within_their_bounds) {
  for (const UnaryCase& c : unary_cases()) {
    check_unary<double>(c);
    check_unary<float>(c);
  }
}

TEST(binary_functions_stay_within_their_bounds) {
  for (const BinaryCase& c : binary_cases()) {
    check_binary<double>(c);
    check_binary<float>(c);
  }
}

TEST(an_element_has_the_same_bits_alone_and_in_arrays) {
  for (const UnaryCase& c : unary_cases()) {
    check_bits<double>(c.function, 1, c.low, c.high);
    check_bits<float>(c.function, 1, c.low, c.high);
  }
  for (const BinaryCase& c : binary_cases()) {
    check_bits<double>(c.function, 2, -3, 3);
    check_bits<float>(c.function, 2, -3, 3);
  }
}

TEST(large_angles_are_reduced_exactly) {
  const double x[] = {1e300, -1e22, 0x1p60, 8388608.5, -8388607.5, 0x1.921fb54442d18p+31};
  double y[6];
  elementwise_kernel<double>(scalar_fn_of<Sin>()).loop(y, x, nullptr, nullptr, 6, 0);
  for (int i = 0; i < 6; ++i) CHECK(ulp_error(y[i], std::sin(Wide(x[i]))) <= 2);
  elementwise_kernel<double>(scalar_fn_of<Cos>()).loop(y, x, nullptr, nullptr, 6, 0);
  for (int i = 0; i < 6; ++i) CHECK(ulp_error(y[i], std::cos(Wide(x[i]))) <= 2);
  elementwise_kernel<double>(scalar_fn_of<Tan>()).loop(y, x, nullptr, nullptr, 6, 0);
  for (int i = 0; i < 6; ++i) CHECK(ulp_error(y[i], std::tan(Wide(x[i]))) <= 2);
}
