#include "tapegrad/ops/operand.h"

#include <algorithm>
#include <vector>

#include "tapegrad/base/promotion.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/integers.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/tape.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {

void settle_weak(std::span<Operand> operands) {
  bool any_weak = false, any_strong = false;
  DType strong = DType::bool_;
  for (const Operand& o : operands) {
    any_weak |= o.is_weak();
    if (o.is_weak()) continue;
    strong = any_strong ? promote(strong, o.ref.dtype()) : o.ref.dtype();
    any_strong = true;
  }
  if (!any_weak || !any_strong || weak_float_dtype(strong) == DType::float64) return;
  for (Operand& o : operands)
    if (o.is_weak())
      o.ref =
          o.ref.tracked() ? cast(o.ref, DType::float32) : Ref(o.ref.value().cast(DType::float32));
}

bool gives_weak(std::span<const Operand> operands) {
  bool any_recorded = false, all_numbers = true;
  for (const Operand& o : operands) {
    any_recorded |= o.number == PythonNumber::recorded;
    all_numbers &= o.number != PythonNumber::none;
  }
  return any_recorded && all_numbers;
}

namespace {

Ref apply_elementwise(ScalarFn fn, std::span<Operand> operands) {
  settle_weak(operands);
  Ref refs[2];
  for (size_t i = 0; i < operands.size(); ++i) refs[i].swap(operands[i].ref);
  return apply_single(op_by_id(static_cast<uint16_t>(fn)), Attrs(), {refs, operands.size()});
}

std::optional<Ref> apply_while_tracing(ScalarFn fn, std::span<Operand> operands) {
  if (is_integer_arithmetic(fn, operands)) return integer_arithmetic(fn, operands);
  if (is_integer_comparison(fn, operands)) return compare_integers(fn, operands);
  return apply_elementwise(fn, operands);
}

}  // namespace

std::optional<Ref> apply_to_operands(ScalarFn fn, std::span<Operand> operands, CalledAs how) {
  if (fn == scalar_fn_of<Ldexp>() && !operands[1].is_data())
    throw_error<TypeError>(
        "ldexp: the exponent must hold integers, as NumPy's must, and has dtype ",
        dtype_name(operands[1].ref.dtype()), "; write x * 2.0 ** n, which has a derivative in n");
  Tracer* tracer = Tape::current().tracer();
  if (tracer == nullptr) return apply_elementwise(fn, operands);
  const bool weak = how == CalledAs::operator_ && gives_weak(operands);
  std::optional<Ref> result = apply_while_tracing(fn, operands);
  if (weak && result) tracer->mark_weak(*result);
  return result;
}

std::optional<ScalarFn> short_cut_of_power(const TensorType& base, const Operand& exponent) {
  if (exponent.number == PythonNumber::none || exponent.ref.tracked()) return std::nullopt;
  const double p = exponent.ref.value().as_double();
  // An integer to the power of a float is a float.
  const bool keeps_dtype = is_floating(base.dtype) || exponent.is_python_int();
  if (p == 2.0 && keeps_dtype) return scalar_fn_of<Square>();
  if (p == 1.0 && keeps_dtype) return scalar_fn_of<Positive>();
  if (!is_floating(base.dtype)) return std::nullopt;
  // Of arrays NumPy takes the root; of scalars Python takes the power, inf of -inf and 0 of -0.0.
  if (p == 0.5 && !base.shape.empty()) return scalar_fn_of<Sqrt>();
  if (p == -1.0) return scalar_fn_of<Reciprocal>();
  return std::nullopt;
}

std::optional<Ref> combine_masks(ScalarFn fn, std::span<Operand> operands) {
  const auto is_mask = [](const Operand& o) {
    return !o.is_python_int() && is_bool(o.ref.dtype());
  };
  if (!std::ranges::all_of(operands, is_mask)) return std::nullopt;
  return apply_to_operands(fn, operands, CalledAs::operator_);
}

}  // namespace tapegrad
