#include "tapegrad/kernels/special/parameter_functions.h"

#include "tapegrad/kernels/special/bessel_order.h"
#include "tapegrad/kernels/special/bessel_ratio.h"
#include "tapegrad/kernels/special/hypergeometric_parameters.h"
#include "tapegrad/kernels/special/noncentral.h"
#include "tapegrad/kernels/special/zeta_derivatives.h"

namespace tapegrad {
namespace {

constexpr ParameterFunction functions[] = {
    {"jv_slope", 2, jv_slope},
    {"jv_by_order", 3, jv_by_order},
    {"yv_by_order", 3, yv_by_order},
    {"iv_by_order", 3, iv_by_order},
    {"ive_by_order", 3, ive_by_order},
    {"hyp0f1_by", 4, hyp0f1_by},
    {"hyp1f1_by", 6, hyp1f1_by},
    {"hyp2f1_by", 8, hyp2f1_by},
    {"riemann_zeta_by", 2, riemann_zeta_by},
    {"chndtr_by_freedom", 4, chndtr_by_freedom},
    {"beta_mixture_by", 6, beta_mixture_by},
    {"iv_ratio", 2, iv_ratio},
};

template <class T>
void run(char** args, std::ptrdiff_t n, const std::ptrdiff_t* steps, const ParameterFunction& f) {
  double inputs[most_parameters];
  for (std::ptrdiff_t k = 0; k < n; ++k) {
    for (int i = 0; i < f.n_in; ++i)
      inputs[i] = static_cast<double>(*reinterpret_cast<const T*>(args[i] + k * steps[i]));
    *reinterpret_cast<T*>(args[f.n_in] + k * steps[f.n_in]) = static_cast<T>(f.value(inputs));
  }
}

}  // namespace

const ParameterFunction* find_parameter_function(std::string_view name) {
  for (const ParameterFunction& f : functions)
    if (name == f.name) return &f;
  return nullptr;
}

void run_parameter_function_f64(char** args, const std::ptrdiff_t* dims,
                                const std::ptrdiff_t* steps, void* data) {
  run<double>(args, dims[0], steps, *static_cast<const ParameterFunction*>(data));
}

void run_parameter_function_f32(char** args, const std::ptrdiff_t* dims,
                                const std::ptrdiff_t* steps, void* data) {
  run<float>(args, dims[0], steps, *static_cast<const ParameterFunction*>(data));
}

}  // namespace tapegrad
