// Values of the scalar functions where NumPy's differ from the obvious, and the list itself.
#include "tapegrad/scalar/functions/functions.h"

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "check.h"
#include "tapegrad/kernels/array/elementwise.h"

using namespace tapegrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan_ = std::numeric_limits<double>::quiet_NaN();

template <class F, class... X>
double at(X... x) {
  const double result = eval_scalar(scalar_fn_of<F>(), x...);
  const float narrow = eval_scalar_f32(scalar_fn_of<F>(), static_cast<float>(x)...);
  CHECK_CLOSE(static_cast<double>(narrow), result, 1e-5);
  return result;
}

bool same(double a, double b) {
  return std::isnan(a) ? std::isnan(b) : a == b && std::signbit(a) == std::signbit(b);
}

}  // namespace

TEST(the_list_is_consistent) {
  std::set<std::string> names;
  for (size_t i = 0; i < scalar_fn_count; ++i) {
    const auto f = static_cast<ScalarFn>(i);
    const ScalarFnInfo& info = scalar_fn_info(f);
    CHECK(names.insert(info.name).second);
    CHECK(find_scalar_fn(info.name) == f);
    CHECK(info.arity >= 1 && info.arity <= 3);
    CHECK(info.ns > 0);
  }
  CHECK(scalar_fn_of<Add>() == static_cast<ScalarFn>(0));
  CHECK(std::string(scalar_fn_info(scalar_fn_of<Arctanh>()).name) == "arctanh");
  CHECK(!find_scalar_fn("no_such_function"));
}

TEST(every_numpy_ufunc_of_floats_is_there) {
  for (const char* name : {"add",
                           "subtract",
                           "multiply",
                           "divide",
                           "floor_divide",
                           "remainder",
                           "fmod",
                           "power",
                           "negative",
                           "positive",
                           "absolute",
                           "fabs",
                           "rint",
                           "sign",
                           "heaviside",
                           "conjugate",
                           "exp",
                           "exp2",
                           "log",
                           "log2",
                           "log10",
                           "expm1",
                           "log1p",
                           "sqrt",
                           "square",
                           "cbrt",
                           "reciprocal",
                           "sin",
                           "cos",
                           "tan",
                           "arcsin",
                           "arccos",
                           "arctan",
                           "arctan2",
                           "hypot",
                           "sinh",
                           "cosh",
                           "tanh",
                           "arcsinh",
                           "arccosh",
                           "arctanh",
                           "degrees",
                           "radians",
                           "maximum",
                           "minimum",
                           "fmax",
                           "fmin",
                           "logaddexp",
                           "logaddexp2",
                           "floor",
                           "ceil",
                           "trunc",
                           "copysign",
                           "nextafter",
                           "spacing",
                           "ldexp",
                           "modf_frac",
                           "frexp_mantissa",
                           "frexp_exponent",
                           "where",
                           "clip",
                           "zmul",
                           "zproduct",
                           "less",
                           "less_equal",
                           "greater",
                           "greater_equal",
                           "equal",
                           "not_equal",
                           "isnan",
                           "isinf",
                           "isfinite",
                           "signbit",
                           "logical_and",
                           "logical_or",
                           "logical_xor",
                           "logical_not"})
    CHECK(find_scalar_fn(name).has_value());
}

TEST(division_with_remainder) {
  CHECK(at<FloorDivide>(7, 2) == 3);
  CHECK(at<FloorDivide>(-7, 2) == -4);
  CHECK(at<FloorDivide>(7, -2) == -4);
  CHECK(at<FloorDivide>(1, 0) == inf);
  CHECK(at<FloorDivide>(-1, 0) == -inf);
  CHECK(std::isnan(at<FloorDivide>(0, 0)));
  CHECK(std::isnan(at<FloorDivide>(inf, 1)));
  CHECK(at<FloorDivide>(-1, inf) == -1);
  CHECK(same(at<FloorDivide>(0, -2), -0.0));
  CHECK(same(eval_scalar(scalar_fn_of<FloorDivide>(), 1.0, 0.1), 9));  // 10 slices do not fit
  CHECK(at<Remainder>(7, 3) == 1);
  CHECK(at<Remainder>(-7, 3) == 2);
  CHECK(at<Remainder>(7, -3) == -2);
  CHECK(same(at<Remainder>(6, -3), -0.0));
  CHECK(at<Remainder>(-1, inf) == inf);
  CHECK(at<Remainder>(1, inf) == 1);
  CHECK(std::isnan(at<Remainder>(1, 0)));
  CHECK(at<Fmod>(-7, 3) == -1);
  CHECK(at<Fmod>(7, -3) == 1);
  CHECK(std::isnan(at<Fmod>(inf, 3)));
}

TEST(choices_and_nan) {
  CHECK(std::isnan(at<Maximum>(nan_, 1)) && std::isnan(at<Maximum>(1, nan_)));
  CHECK(std::isnan(at<Minimum>(nan_, 1)) && std::isnan(at<Minimum>(1, nan_)));
  CHECK(at<Fmax>(nan_, 1) == 1 && at<Fmax>(1, nan_) == 1 && std::isnan(at<Fmax>(nan_, nan_)));
  CHECK(at<Fmin>(nan_, 1) == 1 && at<Fmin>(1, nan_) == 1);
  CHECK(at<Maximum>(2, 3) == 3 && at<Minimum>(2, 3) == 2 && at<Fmax>(2, 3) == 3 &&
        at<Fmin>(2, 3) == 2);
  CHECK(at<Sign>(-2) == -1 && at<Sign>(0) == 0 && std::isnan(at<Sign>(nan_)));
  CHECK(at<Heaviside>(0, 0.25) == 0.25 && at<Heaviside>(-1, 5) == 0 && at<Heaviside>(2, 5) == 1);
  CHECK(std::isnan(at<Heaviside>(nan_, 1)));
  CHECK(at<Select>(nan_, 1, 2) == 1 && at<Select>(0, 1, 2) == 2 && at<Select>(-3, 1, 2) == 1);
  CHECK(at<Clip>(5, 0, 1) == 1 && at<Clip>(-5, 0, 1) == 0 && at<Clip>(0.5, 0, 1) == 0.5);
  CHECK(at<Clip>(0.5, 3, 1) == 1);  // low above high: NumPy gives high
  CHECK(std::isnan(at<Clip>(nan_, 0, 1)));
  CHECK(same(at<Copysign>(3, -0.0), -3));
  CHECK(at<Signbit>(-0.0) == 1 && at<Signbit>(0.0) == 0);
  CHECK(at<NotEqual>(nan_, nan_) == 1 && at<Equal>(nan_, nan_) == 0 && at<LessEqual>(1, nan_) == 0);
  CHECK(at<Isinf>(-inf) == 1 && at<Isinf>(nan_) == 0 && at<Isfinite>(nan_) == 0 &&
        at<Isnan>(nan_) == 1);
  CHECK(at<LogicalXor>(2, 3) == 0 && at<LogicalXor>(2, 0) == 1 && at<LogicalAnd>(nan_, 1) == 1);
}

TEST(rounding_and_parts) {
  CHECK(at<Rint>(2.5) == 2 && at<Rint>(3.5) == 4 && same(at<Rint>(-0.4), -0.0));
  CHECK(same(at<Ceil>(-0.5), -0.0) && at<Floor>(-0.5) == -1 && same(at<Trunc>(-0.7), -0.0));
  CHECK(at<ModfFrac>(-2.75) == -0.75 && same(at<ModfFrac>(-3), -0.0) &&
        same(at<ModfFrac>(-inf), -0.0));
  CHECK(at<FrexpMantissa>(48) == 0.75 && at<FrexpExponent>(48) == 6);
  CHECK(at<FrexpMantissa>(-inf) == -inf && at<FrexpExponent>(inf) == 0 &&
        at<FrexpExponent>(0) == 0);
  CHECK(at<Ldexp>(0.75, 6) == 48 && at<Ldexp>(1, 1e9) == inf && at<Ldexp>(1, -1e9) == 0);
  CHECK(eval_scalar(scalar_fn_of<Spacing>(), 1) == std::numeric_limits<double>::epsilon());
  CHECK(eval_scalar(scalar_fn_of<Spacing>(), -1) == -std::numeric_limits<double>::epsilon());
  CHECK(eval_scalar_f32(scalar_fn_of<Spacing>(), 1) == std::numeric_limits<float>::epsilon());
  CHECK(std::isnan(at<Spacing>(inf)));
  CHECK(eval_scalar(scalar_fn_of<Nextafter>(), 1, 2) == 1 + std::numeric_limits<double>::epsilon());
}

TEST(powers_and_logarithms) {
  CHECK(at<Power>(-2, 3) == -8 && std::isnan(at<Power>(-2, 0.5)) && at<Power>(0, 0) == 1);
  CHECK(at<Power>(nan_, 0) == 1 && at<Power>(1, nan_) == 1 && at<Power>(0, -1) == inf);
  CHECK(at<Power>(-0.0, -1) == -inf && at<Power>(-0.0, -2) == inf && at<Power>(-inf, 0.5) == inf);
  CHECK(at<Power>(2, 2) == 4 && at<Power>(-3, 2) == 9 && at<Power>(2, -inf) == 0);
  CHECK(at<Logaddexp>(inf, inf) == inf && at<Logaddexp>(-inf, -inf) == -inf);
  CHECK(at<Logaddexp>(-inf, 3) == 3 && at<Logaddexp>(inf, -inf) == inf &&
        std::isnan(at<Logaddexp>(nan_, 1)));
  CHECK_CLOSE(at<Logaddexp>(1000, 1000), 1000 + std::log(2.0), 1e-15);
  CHECK_CLOSE(at<Logaddexp>(1, 2), std::log(std::exp(1.0) + std::exp(2.0)), 1e-15);
  CHECK_CLOSE(at<Logaddexp2>(1, 2), std::log2(6.0), 1e-15);
  CHECK(at<Logaddexp2>(-inf, -inf) == -inf && at<Logaddexp2>(5, 5) == 6);
  CHECK(at<Hypot>(inf, nan_) == inf && at<Hypot>(3, -4) == 5);
  CHECK_CLOSE(eval_scalar(scalar_fn_of<Hypot>(), 3e200, 4e200) / 1e200, 5, 1e-15);
  CHECK_CLOSE(eval_scalar(scalar_fn_of<Hypot>(), 3e-200, 4e-200) * 1e200, 5, 1e-15);
  CHECK(at<Degrees>(3.14159265358979323846) == 180 && at<Radians>(180) == 3.14159265358979323846);
}

TEST(strong_zero_products) {
  CHECK(at<Zmul>(0, inf) == 0 && at<Zmul>(0, nan_) == 0 && at<Zmul>(-0.0, nan_) == 0);
  CHECK(at<Zproduct>(0, inf) == 0 && at<Zproduct>(nan_, 0) == 0 && at<Zproduct>(2, 3) == 6);
  CHECK(std::isnan(at<Zmul>(inf, 0)) && std::isnan(at<Zmul>(nan_, 0)) && at<Zmul>(2, 3) == 6);
}
