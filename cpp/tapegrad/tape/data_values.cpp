#include "tapegrad/tape/data_values.h"

#include <algorithm>

#include "tapegrad/tape/tracer.h"

namespace tapegrad {

Value learn(const Ref& r) {
  if (Tracer* tracer = Tape::current().tracer(); tracer && r.tracked()) {
    if (!is_floating(r.dtype())) tracer->see_learned(r);
    tracer->guard(r);
  }
  return r.value();
}

void learn_distance(const Ref& r) {
  if (Tracer* tracer = Tape::current().tracer(); tracer && r.tracked()) tracer->guard(r);
}

void learn_lengths() {
  if (const Tape* tape = Tape::current_if_any(); tape && tape->tracing())
    tape->tracer()->read_length();
}

namespace {

bool is_of_data(const Tape& tape, uint32_t slot, int steps) {
  const Node& n = tape.node(slot);
  if (n.kind == NodeKind::constant || !is_floating(n.value.dtype())) return true;
  return n.kind == NodeKind::op && steps > 0 && std::ranges::all_of(n.inputs(), [&](uint32_t in) {
           return in == 0 || is_of_data(tape, in, steps - 1);
         });
}

}  // namespace

bool is_computed_from_data(const Ref& r) {
  constexpr int most_steps = 8;
  return r.tracked() && is_of_data(*r.tape(), r.slot(), most_steps);
}

}  // namespace tapegrad
