#include "tapegrad/ops/operand.h"

#include "check.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/tape/tape.h"
#include "tapegrad/tape/tracer.h"

using namespace tapegrad;

namespace {

Operand python_float(double x) { return {Ref(x), PythonNumber::floating}; }
Operand python_int(int64_t i) { return {Ref(static_cast<double>(i)), PythonNumber::integer, i}; }
Operand array_of(DType d) { return {Ref(Value::full(d, Dims{2}, 1))}; }

DType add_dtype(Operand a, Operand b) {
  register_all_ops();
  Operand operands[] = {std::move(a), std::move(b)};
  return apply_to_operands(scalar_fn_of<Add>(), operands)->dtype();
}

}  // namespace

TEST(python_numbers_are_float32_beside_float32_and_float64_elsewhere) {
  CHECK(add_dtype(array_of(DType::float32), python_float(0.1)) == DType::float32);
  CHECK(add_dtype(python_int(3), array_of(DType::float32)) == DType::float32);
  CHECK(add_dtype(array_of(DType::float32), array_of(DType::float64)) == DType::float64);
  CHECK(add_dtype(array_of(DType::int32), python_float(0.1)) == DType::float64);
  CHECK(add_dtype(python_float(0.1), python_float(0.2)) == DType::float64);
  const Operand boolean{Ref(Value::integer_scalar(1, DType::bool_)), PythonNumber::bool_};
  CHECK(add_dtype(array_of(DType::float32), boolean) == DType::float32);
}

TEST(recorded_numbers_are_cast_on_the_tape) {
  register_all_ops();
  Tracer tracer;
  const Ref x = tracer.argument(Value(0.1));
  Operand operands[] = {array_of(DType::float32), {x, PythonNumber::recorded}};
  settle_weak(operands);
  CHECK(operands[1].ref.dtype() == DType::float32);
  CHECK(operands[1].ref.tracked() && operands[1].ref.slot() != x.slot());
}

TEST(arithmetic_of_numbers_alone_stays_weak) {
  const Operand recorded{Ref(1.0), PythonNumber::recorded}, strong{Ref(1.0)};
  const Operand boolean{Ref(Value::integer_scalar(1, DType::bool_)), PythonNumber::bool_};
  const auto weak = [](std::initializer_list<Operand> o) {
    return gives_weak({o.begin(), o.size()});
  };
  CHECK(weak({recorded}) && weak({recorded, python_float(2)}) && weak({python_int(2), recorded}));
  CHECK(weak({recorded, boolean}));
  CHECK(!weak({recorded, strong}) && !weak({strong}) && !weak({python_float(1), python_int(2)}));
}

TEST(operators_mark_weak_results_and_functions_do_not) {
  register_all_ops();
  Tracer tracer;
  const Ref x = tracer.argument(Value(2.0));
  tracer.mark_weak(x);
  for (const CalledAs how : {CalledAs::operator_, CalledAs::function}) {
    Operand operands[] = {{x, PythonNumber::recorded}, python_float(3)};
    const Ref y = *apply_to_operands(scalar_fn_of<Multiply>(), operands, how);
    CHECK(tracer.is_weak(y) == (how == CalledAs::operator_));
    CHECK(y.value().as_double() == 6);
  }
}

TEST(plain_exponents_have_short_cuts) {
  const TensorType f64{DType::float64, Dims{3}}, i64{DType::int64, Dims{3}};
  CHECK(short_cut_of_power(f64, python_int(2)) == scalar_fn_of<Square>());
  CHECK(short_cut_of_power(f64, python_float(2)) == scalar_fn_of<Square>());
  CHECK(short_cut_of_power(f64, python_float(0.5)) == scalar_fn_of<Sqrt>());
  // Python's power of -inf is inf and its power of -0.0 is 0.0; the roots are NaN and -0.0.
  CHECK(!short_cut_of_power({DType::float64, Dims{}}, python_float(0.5)));
  CHECK(short_cut_of_power(f64, python_int(-1)) == scalar_fn_of<Reciprocal>());
  CHECK(short_cut_of_power(i64, python_int(2)) == scalar_fn_of<Square>());
  CHECK(short_cut_of_power(i64, python_int(1)) == scalar_fn_of<Positive>());
  // A float makes a float of an integer, and a negative exponent is an error in NumPy.
  CHECK(!short_cut_of_power(i64, python_float(2)) && !short_cut_of_power(i64, python_int(-1)));
  CHECK(!short_cut_of_power(f64, python_int(3)) && !short_cut_of_power(f64, Operand{Ref(2.0)}));
}

TEST(exponents_of_ldexp_are_integers) {
  register_all_ops();
  const auto ldexp = [](Operand x, Operand n) {
    Operand operands[] = {std::move(x), std::move(n)};
    return apply_to_operands(scalar_fn_of<Ldexp>(), operands)->dtype();
  };
  CHECK(ldexp(array_of(DType::float32), python_int(3)) == DType::float32);
  CHECK(ldexp(array_of(DType::float64), array_of(DType::int32)) == DType::float64);
  CHECK_THROWS_SAYING(TypeError, "ldexp: the exponent must hold integers",
                      ldexp(array_of(DType::float64), python_float(1.5)));
  CHECK_THROWS_SAYING(TypeError, "float32", ldexp(python_float(2), array_of(DType::float32)));
}

TEST(masks_are_combined_by_logical_functions) {
  register_all_ops();
  Tracer tracer;
  const Operand mask{tracer.argument(Value::full(DType::bool_, Dims{3}, 1))};
  const Operand numbers{tracer.argument(Value::full(DType::int64, Dims{3}, 6))};
  Operand masks[] = {mask, mask}, mixed[] = {mask, numbers};
  const auto both = combine_masks(scalar_fn_of<LogicalAnd>(), masks);
  CHECK(both && both->tracked() && is_bool(both->dtype()));
  CHECK(!combine_masks(scalar_fn_of<LogicalAnd>(), mixed));
}
