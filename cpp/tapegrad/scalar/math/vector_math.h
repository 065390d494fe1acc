#pragma once

#include "tapegrad/scalar/math/vector_math_arc.h"
#include "tapegrad/scalar/math/vector_math_erf.h"
#include "tapegrad/scalar/math/vector_math_exp.h"
#include "tapegrad/scalar/math/vector_math_log.h"
#include "tapegrad/scalar/math/vector_math_power.h"
#include "tapegrad/scalar/math/vector_math_trig.h"

// These are elementary functions for float and double as straight-line code: inlined into a simd
// loop they become vector instructions, called alone they are the scalar functions, and the bits
// are the same. The result for an element depends on that element alone.
//
//   f(x)          any x. Branch-free, except where a "special" predicate exists.
//   f_core(x)     branch-free; meant only for elements with !f_special(x), harmless for others.
//   f_special(x)  true where libm does the element (std::f).
//
// sin, cos, tan (|x| beyond Format::trig_limit) and pow (x zero, subnormal or not finite; y huge or
// not finite) have a core and a predicate; f(x) is then f_special(x) ? std::f(x) : f_core(x). Array
// loops run the core and the predicate over a block and redo the special elements afterwards:
//
//   bool any = false;
//   #pragma omp simd reduction(|| : any)
//   for (i...) { y[i] = vm::sin_core(x[i]); any = any || vm::sin_special(x[i]); }
//   if (any) for (i...) if (vm::sin_special(x[i])) y[i] = std::sin(x[i]);
//
// (y may be x only if the block's inputs are kept.) All other functions are called as they are.
// Without FMA (the baseline instruction set) every function is libm's, and no element is special.
//
// Bounds in ULP, measured on both formats (float over a sample of all numbers, double
// over millions) and held by the tests (there, x^3 of the power kernel is a product, within 1.5):
//   exp 1.0   exp2 1.2   expm1 1.2   log 0.9   log2, log10 0.8   log1p 1.0   pow 0.75
//   sin, cos 2.0   tan 1.4   asin, acos 1.2   atan, atan2 2.0
//   sinh 1.8   cosh 1.5   tanh 1.6   asinh 1.3   acosh 2.0   atanh 1.2
//   sqrt 0.5   cbrt 0.51   hypot 1.0   erf 2.5   erfc, ndtr 6 (in double alone)
//
// The headers rely on round-to-nearest and on -ffp-contract=off; vectorising them needs -O3
// -fopenmp-simd -fno-math-errno -fno-trapping-math.
