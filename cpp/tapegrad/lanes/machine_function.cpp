#include "tapegrad/lanes/machine_function.h"

#include <array>

#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {
namespace {

using emit::Function;

std::array<Function, scalar_fn_limit> make_functions() {
  std::array<Function, scalar_fn_limit> of;
  of.fill(Function::call);
  const auto set = [&of](ScalarFn fn, Function f) { of[index_of(fn)] = f; };
  set(scalar_fn_of<Add>(), Function::add);
  set(scalar_fn_of<Subtract>(), Function::subtract);
  set(scalar_fn_of<Multiply>(), Function::multiply);
  set(scalar_fn_of<Divide>(), Function::divide);
  set(scalar_fn_of<Square>(), Function::square);
  set(scalar_fn_of<Negative>(), Function::negative);
  set(scalar_fn_of<Absolute>(), Function::absolute);
  set(scalar_fn_of<Fabs>(), Function::absolute);
  set(scalar_fn_of<Reciprocal>(), Function::reciprocal);
  set(scalar_fn_of<Sqrt>(), Function::root);
  set(scalar_fn_of<Zmul>(), Function::strong_product);
  set(scalar_fn_of<Zproduct>(), Function::zero_product);
  set(scalar_fn_of<Maximum>(), Function::maximum);
  set(scalar_fn_of<Minimum>(), Function::minimum);
  set(scalar_fn_of<Less>(), Function::less);
  set(scalar_fn_of<LessEqual>(), Function::less_equal);
  set(scalar_fn_of<Greater>(), Function::greater);
  set(scalar_fn_of<GreaterEqual>(), Function::greater_equal);
  set(scalar_fn_of<Equal>(), Function::equal);
  set(scalar_fn_of<NotEqual>(), Function::not_equal);
  set(scalar_fn_of<LogicalAnd>(), Function::logical_and);
  set(scalar_fn_of<LogicalOr>(), Function::logical_or);
  set(scalar_fn_of<LogicalNot>(), Function::logical_not);
  set(scalar_fn_of<Isnan>(), Function::is_nan);
  set(scalar_fn_of<Prefer>(), Function::prefer);
  set(scalar_fn_of<Select>(), Function::select);
  return of;
}

}  // namespace

Function machine_function(ScalarFn fn) {
  static const std::array<Function, scalar_fn_limit> functions = make_functions();
  return functions[index_of(fn)];
}

}  // namespace tapegrad
