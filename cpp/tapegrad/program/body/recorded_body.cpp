#include "tapegrad/program/body/recorded_body.h"

#include <algorithm>

#include "tapegrad/base/error.h"
#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/body/call.h"
#include "tapegrad/program/scan/scan_fixed.h"

namespace tapegrad {
namespace {

Flags tracked_among(const std::vector<Ref>& refs) {
  Flags flags;
  for (const Ref& r : refs) flags.push_back(r.tracked());
  return flags;
}

}  // namespace

RecordedBody::RecordedBody(const Recording& r) : body_(body_from(r)) {
  for (const Program::Guard& g : r.program.guards) guards_.push_back(g.where);
}

// A tracer that is at work gets what the guards look at.
RecordedBody::Results RecordedBody::results_of(std::vector<Ref> outputs, size_t n,
                                               const Flags& reached) const {
  const bool tracing = Tape::current().tracing();
  if (tracing) {
    const size_t first = body_->n_out() - guards_.size();
    for (size_t k = 0; k < guards_.size(); ++k)
      if (outputs[first + k].tracked())
        Tape::current().tracer()->guard(outputs[first + k], guards_[k]);
  }
  outputs.resize(n);
  Results found{std::move(outputs), {}};
  for (size_t j = 0; j < n; ++j)
    found.recorded.push_back(found.outputs[j].tracked() && (tracing || reached[j]));
  return found;
}

RecordedBody::Results RecordedBody::call(std::vector<Ref> inputs) const {
  const Flags reached = reached_outputs(body_->program(), tracked_among(inputs));
  return results_of(tapegrad::call(body_, std::move(inputs)), body_->n_out() - guards_.size(),
                    reached);
}

RecordedBody::Results RecordedBody::call_with(std::vector<Ref> inputs, const Recording& recording,
                                              std::vector<Value> outputs) const {
  const Flags reached = reached_outputs(body_->program(), tracked_among(inputs));
  for (size_t j = 0; j < outputs.size(); ++j)  // the host's integers came without a dtype
    outputs[j] = outputs[j].cast(body_->out_type(j).dtype);
  for (const Program::Guard& g : recording.program.guards) outputs.push_back(g.expected);
  return results_of(tapegrad::call_with(body_, std::move(inputs), std::move(outputs)),
                    body_->n_out() - guards_.size(), reached);
}

RecordedBody::Results RecordedBody::scan(std::vector<Ref> inputs, int64_t length, size_t n_carry,
                                         size_t n_xs, bool reverse, int64_t checkpoints) const {
  if (!guards_.empty()) throw_error<RuntimeError>("internal error: a scan of a body with branches");
  ScanForm form(body_, length, n_carry, n_xs, reverse);
  const Flags tracked = tracked_among(inputs), reached = reached_through(form, tracked);
  form.checkpoints = checkpoints < length ? checkpoints : 0;
  const bool is_swept = std::find(tracked.begin(), tracked.end(), 1) != tracked.end();
  return results_of(scan_without_fixed(form, std::move(inputs), form.checkpoints == 0 && is_swept),
                    body_->n_out(), reached);
}

}  // namespace tapegrad
