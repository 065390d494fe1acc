// Every scalar function: see number.h for what a definition is, function_list.h for the list.
#pragma once

#include "tapegrad/scalar/functions/bessel/functions_bessel.h"
#include "tapegrad/scalar/functions/bessel/functions_bessel_modified.h"
#include "tapegrad/scalar/functions/functions_arithmetic.h"
#include "tapegrad/scalar/functions/functions_exponential.h"
#include "tapegrad/scalar/functions/functions_gamma.h"
#include "tapegrad/scalar/functions/functions_hyperbolic.h"
#include "tapegrad/scalar/functions/functions_normal.h"
#include "tapegrad/scalar/functions/functions_rounding.h"
#include "tapegrad/scalar/functions/functions_selection.h"
#include "tapegrad/scalar/functions/functions_shape.h"
#include "tapegrad/scalar/functions/functions_special.h"
#include "tapegrad/scalar/functions/functions_trigonometric.h"
