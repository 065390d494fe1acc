#include "tapegrad/program/arguments.h"

#include <algorithm>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/tape/tracer.h"

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

Ref lane_argument(Tracer& tracer, const Ref& lanes) {
  const Value& all = lanes.value();
  const Dims shape(all.shape().data() + 1, all.shape().size() - 1);
  if (all.dim(0) == 0) return tracer.argument(Value::zeros(all.dtype(), shape));
  if (!lanes.tracked())
    return tracer.argument(all.view(shape, {all.layout()->strides() + 1, shape.size()}, 0).copy());
  // The first lane is for derivatives alone, and no step of what is recorded.
  const Untraced untraced(tracer.tape());
  return linked_argument(tracer, slice(lanes, IndexSpec::entry(all.shape(), 0, 0)));
}

bool used_outside(const Tracer& tracer, std::span<const Ref> outputs) {
  return tracer.used_outside() || std::any_of(outputs.begin(), outputs.end(), [&](const Ref& r) {
           return r.tracked() && tracer.tape().node(r.slot()).origin < tracer.scope();
         });
}

}  // namespace tapegrad
