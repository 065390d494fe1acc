#include "tapegrad/program/arguments.h"

#include <algorithm>

namespace tapegrad {

Ref own_argument(Tracer& tracer, const Value& value, bool weak) {
  const Ref argument = tracer.argument(value.buffer() != nullptr ? value.copy() : value);
  if (weak) tracer.mark_weak(argument);
  return argument;
}

Ref linked_own_argument(Tracer& tracer, const Ref& x) {
  if (x.tracked() || x.value().is_scalar()) return linked_argument(tracer, x);
  return linked_argument(tracer, Ref(x.value().copy()));
}

Ref lane_argument(Tracer& tracer, const Value& lanes) {
  const Dims shape(lanes.shape().data() + 1, lanes.shape().size() - 1);
  if (lanes.dim(0) == 0) return tracer.argument(Value::zeros(lanes.dtype(), shape));
  return tracer.argument(
      lanes.view(shape, {lanes.layout()->strides() + 1, shape.size()}, 0).copy());
}

bool used_outside(const Tracer& tracer, std::span<const Ref> outputs) {
  return tracer.used_outside() || std::any_of(outputs.begin(), outputs.end(), [&](const Ref& r) {
           return r.tracked() && tracer.tape().node(r.slot()).origin < tracer.scope();
         });
}

}  // namespace tapegrad
