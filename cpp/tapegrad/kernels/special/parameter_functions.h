#pragma once

#include <cstddef>
#include <string_view>

namespace tapegrad {

// A function of doubles. Its first inputs say which derivative is wanted; where there is none, or
// where rounding errors would have eaten half of its digits, it is NaN.
struct ParameterFunction {
  const char* name = "";
  int n_in = 0;
  double (*value)(const double* inputs) = nullptr;
};

constexpr int most_parameters = 8;

// By name; null where there is none.
const ParameterFunction* find_parameter_function(std::string_view name);

// Over `dims[0]` elements, as loops of other libraries are called: `data` is the function.
void run_parameter_function_f64(char** args, const std::ptrdiff_t* dims,
                                const std::ptrdiff_t* steps, void* data);
void run_parameter_function_f32(char** args, const std::ptrdiff_t* dims,
                                const std::ptrdiff_t* steps, void* data);

}  // namespace tapegrad
