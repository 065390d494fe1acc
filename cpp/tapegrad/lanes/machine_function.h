// Which of the scalar functions have instructions of their own.
#pragma once

#include "tapegrad/emit/line.h"
#include "tapegrad/scalar/tape.h"

namespace tapegrad {

// Function::call where it has none. The values are those that the structs of scalar/functions give.
emit::Function machine_function(ScalarFn fn);

template <class T>
constexpr emit::Precision machine_precision =
    sizeof(T) == sizeof(double) ? emit::Precision::float64 : emit::Precision::float32;

}  // namespace tapegrad
