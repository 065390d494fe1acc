// The table of functions of parameters, and their loops.
#include "tapegrad/kernels/special/parameter_functions.h"

#include "check.h"

using namespace tapegrad;

TEST(names) {
  CHECK(find_parameter_function("no such function") == nullptr);
  const ParameterFunction* f = find_parameter_function("jv_by_order");
  CHECK(f != nullptr && f->n_in == 3);
}

TEST(loops_step_through_their_operands) {
  const ParameterFunction* f = find_parameter_function("jv_slope");
  const double order = 1.5, x[] = {1, 2, 3};
  const float order_single = 1.5f, x_single[] = {1, 2, 3};
  double out[3];
  float out_single[3];
  const std::ptrdiff_t n = 3;
  const auto run = [&](auto loop, const auto& v, const auto* points, auto* results) {
    const auto size = static_cast<std::ptrdiff_t>(sizeof *results);
    char* args[] = {reinterpret_cast<char*>(const_cast<std::decay_t<decltype(v)>*>(&v)),
                    reinterpret_cast<char*>(const_cast<std::decay_t<decltype(*points)>*>(points)),
                    reinterpret_cast<char*>(results)};
    const std::ptrdiff_t steps[] = {0, size, size};
    loop(args, &n, steps, const_cast<ParameterFunction*>(f));
  };
  run(run_parameter_function_f64, order, x, out);
  run(run_parameter_function_f32, order_single, x_single, out_single);
  for (int k = 0; k < 3; ++k) {
    const double inputs[] = {order, x[k]};
    CHECK(out[k] == f->value(inputs));
    CHECK(out_single[k] == static_cast<float>(out[k]));
  }
}
