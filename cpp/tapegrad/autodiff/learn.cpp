#include "tapegrad/autodiff/learn.h"

#include <cmath>

#include "tapegrad/base/error.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/scalar/functions/function_list.h"
#include "tapegrad/tape/data_values.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {
namespace {

// Guards fn(v), which is all that plain code learns.
template <class... Others>
void learn_function(Cell& v, ScalarFn fn, const Others&... others) {
  Tape& tape = Tape::current();
  if (!tape.tracing()) return;
  const RecordingGuard off(false);
  if (is_python_integer(v)) learn(v.ref());
  learn(elementwise(fn, {v.ref(), others...}));
}

}  // namespace

bool is_float_of_data(Cell& v) {
  return Tape::current().tracing() && is_computed_from_data(v.ref());
}

Value learn_value(Cell& v) { return Tape::current().tracing() ? learn(v.ref()) : v.value(); }

bool learn_truth(Cell& v) {
  const Value x = v.value();
  if (x.size() != 1)
    throw_error<ValueError>("bool(v): the truth value of a Variable of shape ", x.shape(),
                            " is ambiguous; use v.any() or v.all()");
  learn_function(v, scalar_fn_of<NotEqual>(), Ref(0.0));
  return x.at(0) != 0;
}

double learn_integer_part(Cell& v, const char* call) {
  const Value x = v.value();
  if (x.size() != 1)
    throw_error<TypeError>(
        call, ": only Variables of one element can be converted, this one has shape ", x.shape(),
        x.size() > 1 ? "; index it, as in int(v[0]) of one axis" : "");
  learn_function(v, scalar_fn_of<Trunc>());
  return x.at(0);
}

void learn_lengths(Cell& v) {
  if (Tape::current().tracing() && !v.is_leaf() && v.value().ndim() > 0) learn_lengths();
}

void learn_result(const Ref& result, uint32_t scope) {
  if (!result.tracked()) {
    if (result.ndim() > 0) learn_lengths();
  } else if (Tracer* tracer = Tape::current().tracer(); tracer && result.type() == TensorType{}) {
    if (Tape::current().is_innermost_but_for(tracer->scope(), scope)) {
      tracer->mark_weak(result);
    } else {
      tracer->lose_weakness();
    }
  }
}

bool is_python_integer(Cell& v) {
  const Tracer* tracer = Tape::current().tracer();
  return tracer && is_integer(v.value().dtype()) && tracer->is_weak(v.ref());
}

bool is_weak(Cell& v) {
  const Tracer* tracer = Tape::current().tracer();
  return tracer && tracer->is_weak(v.ref());
}

void lose_weakness(Cell& v) {
  if (is_weak(v)) Tape::current().tracer()->lose_weakness();
}

Ref as_weak(Cell& v) {
  Tracer* tracer = Tape::current().tracer();
  const Ref x = v.ref("float");
  if (tracer == nullptr || x.type() != TensorType{}) return x;
  Ref result = elementwise(scalar_fn_of<Positive>(), {x});
  tracer->mark_weak(result);
  return result;
}

Ref as_strong(Cell& v) {
  Ref x = v.ref("array");
  if (is_python_integer(v)) return Ref(learn(x));
  return is_weak(v) ? elementwise(scalar_fn_of<Positive>(), {x}) : x;
}

Ref stop_gradient(Cell& v) {
  Tracer* tracer = Tape::current().tracer();
  if (tracer == nullptr) return Ref(v.value());
  const Ref held = v.ref("stop_gradient");
  const RecordingGuard off(false);
  Ref result = elementwise(scalar_fn_of<Positive>(), {held});
  if (tracer->is_weak(held)) tracer->mark_weak(result);
  return result;
}

}  // namespace tapegrad
