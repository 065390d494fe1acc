// This is the one list of scalar functions. An entry's place is its ScalarFn; scalar_fn_of<Sin>()
// names it. The structs are defined in functions_<family>.h; to add a function, define it there and
// add it to the family's list here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tapegrad/scalar/scalar_fn.h"

namespace tapegrad {

inline namespace TAPEGRAD_ISA_NAMESPACE {

template <class... F>
struct FunctionList {
  static constexpr size_t size = sizeof...(F);
};

using ArithmeticFunctions =
    FunctionList<struct Add, struct Subtract, struct Multiply, struct Divide, struct Negative,
                 struct Positive, struct Conjugate, struct Reciprocal, struct Square, struct Sqrt,
                 struct Absolute, struct Fabs, struct Degrees, struct Radians, struct Copysign,
                 struct Zmul, struct Zproduct>;

using SelectionFunctions =
    FunctionList<struct Maximum, struct Minimum, struct Fmax, struct Fmin, struct Select,
                 struct Clip, struct Sign, struct Heaviside, struct Less, struct LessEqual,
                 struct Greater, struct GreaterEqual, struct Equal, struct NotEqual,
                 struct LogicalAnd, struct LogicalOr, struct LogicalXor, struct LogicalNot,
                 struct Isnan, struct Isinf, struct Isfinite, struct Signbit, struct Prefer,
                 struct WithValue>;

using RoundingFunctions =
    FunctionList<struct Floor, struct Ceil, struct Trunc, struct Rint, struct FloorDivide,
                 struct Remainder, struct Fmod, struct ModfFrac, struct FrexpMantissa,
                 struct FrexpExponent, struct Ldexp, struct Nextafter, struct Spacing>;

using ExponentialFunctions =
    FunctionList<struct Exp, struct Exp2, struct Expm1, struct Log, struct Log2, struct Log10,
                 struct Log1p, struct Power, struct Cbrt, struct Logaddexp, struct Logaddexp2>;

using TrigonometricFunctions =
    FunctionList<struct Sin, struct Cos, struct Tan, struct Arcsin, struct Arccos, struct Arctan,
                 struct Arctan2, struct Hypot>;

using HyperbolicFunctions = FunctionList<struct Sinh, struct Cosh, struct Tanh, struct Arcsinh,
                                         struct Arccosh, struct Arctanh>;

using SpecialFunctions =
    FunctionList<struct Expit, struct LogExpit, struct Logit, struct Erf, struct Erfc, struct Ndtr,
                 struct Erfcx, struct ErfcxIntegral, struct ErfcxSlope, struct LogNdtr,
                 struct Huber, struct Xlogy, struct Xlog1py, struct Entr, struct RelEntr,
                 struct KlDiv, struct Gammaln, struct ZetaByOrder, struct Polygamma, struct Psi,
                 struct GammaincByShape, struct BetaincAA, struct BetaincAB, struct BetaincBB,
                 struct BetaincA, struct BetaincB, struct KvByOrder>;

using BesselFunctions =
    FunctionList<struct J0, struct J1, struct Y0, struct Y1, struct J1OverX, struct JOverPower,
                 struct I0, struct I1, struct I0e, struct I1e, struct I1OverX, struct IOverPower,
                 struct K0, struct K1, struct K0e, struct K1e>;

template <class... A, class... B>
FunctionList<A..., B...> operator+(FunctionList<A...>, FunctionList<B...>);

using ScalarFunctions =
    decltype(ArithmeticFunctions() + SelectionFunctions() + RoundingFunctions() +
             ExponentialFunctions() + TrigonometricFunctions() + HyperbolicFunctions() +
             SpecialFunctions() + BesselFunctions());

template <class F, class... All>
constexpr ScalarFn position_in(FunctionList<All...>) {
  static_assert((std::is_same_v<F, All> || ...), "not in the list of scalar functions");
  uint16_t position = 0;
  (void)((std::is_same_v<F, All> || (++position, false)) || ...);
  return static_cast<ScalarFn>(position);
}

template <class F>
constexpr ScalarFn scalar_fn_of() {
  return position_in<F>(ScalarFunctions());
}

constexpr size_t scalar_fn_count = ScalarFunctions::size;
static_assert(scalar_fn_count <= scalar_fn_limit);

}  // namespace TAPEGRAD_ISA_NAMESPACE
}  // namespace tapegrad
