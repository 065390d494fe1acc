// What the search for doubts sweeps with.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tapegrad/sweep/reverse_sweep.h"
#include "tapegrad/sweep/schedule.h"
#include "tapegrad/tape/ref.h"

namespace tapegrad {

inline Ref ones_of(const Ref& like) { return Ref(Value::full(like.dtype(), like.shape(), 1.0)); }

// A reverse sweep over a schedule of its own, in which chosen positions keep their adjoints.
class Probe {
 public:
  explicit Probe(Schedule schedule) : schedule_(std::move(schedule)) {}
  void keep(size_t pos) { schedule_.target[pos] = 1; }
  void keep_all() { std::ranges::fill(schedule_.target, uint8_t{1}); }
  void start(bool recorded) { sweep_.start(schedule_, recorded); }
  void seed(size_t output, const Ref& cotangent) {
    sweep_.seed(schedule_.output_positions[output], cotangent);
  }
  void run(bool recorded) {
    const RecordingGuard guard(recorded);
    sweep_.run();
  }
  bool has(int32_t pos) const { return sweep_.has_adjoint(pos); }
  Ref adjoint(int32_t pos) const { return sweep_.adjoint(pos); }
  const Schedule& schedule() const { return schedule_; }

 private:
  Schedule schedule_;
  ReverseSweep sweep_;
};

}  // namespace tapegrad
