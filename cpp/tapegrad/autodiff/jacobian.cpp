#include <algorithm>
#include <cstring>

#include "tapegrad/autodiff/doubts/doubts.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/parallel/parallel.h"

// One recording, one schedule, one sweep per seed. Unrecorded sweeps only read the tape, so seeds
// run on several threads, each with a sweep of its own, and write disjoint parts of the result.

namespace tapegrad {
namespace {

Dims joined(const Dims& a, const Dims& b) {
  Dims all = a;
  for (int64_t d : b) all.push_back(d);
  return all;
}

Value unit(const TensorType& type, int64_t k) {
  Value v = Value::zeros(type.dtype, type.shape);
  v.set_at(k, 1.0);
  return v;
}

constexpr double long_ns = 200'000;  // worth giving the host's lock away

double sweep_cost_ns(const Schedule& schedule) {
  double ns = 0;
  for (uint32_t slot : schedule.slots)
    ns += 30 + 2.0 * static_cast<double>(schedule.tape->node(slot).value.size());
  return ns;
}

// Runs sweep(k, workspace sweep) for every seed.
template <class Sweep, class F>
void for_each_seed(int64_t count, const Schedule& schedule, bool recorded, Sweep& own, F&& f) {
  const double ns = sweep_cost_ns(schedule);
  if (recorded || count < 2 || num_threads() < 2 ||
      ns * static_cast<double>(count) < 2 * work_threshold_ns() || ns > 1e6 ||
      stays_on_this_thread(schedule)) {
    for (int64_t k = 0; k < count; ++k) f(k, own);
    return;
  }
  const int64_t parts = std::min<int64_t>(count, 4L * num_threads());
  parallel_tasks(parts, [&](int64_t part) {
    Sweep sweep;
    InterruptPoll poll;
    for (int64_t k = count * part / parts; k < count * (part + 1) / parts; ++k) {
      poll();
      f(k, sweep);
    }
  });
}

// Copies `from` (any layout) to a contiguous row.
void put_row(const Value& whole, int64_t row, const Value& from) {
  const int64_t n = from.size();
  if (from.is_scalar()) {
    whole.is_scalar() ? void() : Value(whole).set_at(row, from.as_double());
    return;
  }
  const Value target = whole.view(Dims{n}, Dims{1}, row * n);
  copy_into(target, from.reshaped(Dims{n}));
}

}  // namespace

std::vector<Ref> Scope::jacobian(const Ref& output, std::span<const Ref> wrt, bool reverse) {
  std::vector<Ref> result;
  if (!output.tracked()) {
    for (const Ref& x : wrt)
      result.push_back(constant_full({x.dtype(), joined(output.shape(), x.shape())}, 0.0));
    return result;
  }
  if (!Tape::is_current(output.tape())) throw_wrong_thread(*output.tape(), "jacobian");
  const bool recorded = outside(output);
  const uint32_t out_slot = output.slot();
  std::vector<uint32_t> wrt_slots;
  for (const Ref& x : wrt) wrt_slots.push_back(x.slot());
  WorkspaceLease w;
  build_schedule(tape_, {{&out_slot, 1}, wrt_slots, {}, false}, w->schedule);
  check_constants(w->schedule);
  const Schedule& schedule = w->schedule;
  const RecordingGuard guard(recorded);
  const int64_t m = output.size();
  int64_t seeds = reverse ? m : 0;
  for (const Ref& x : wrt) seeds += reverse ? 0 : x.size();
  if (recorded) {
    if (program_only_from() == 0) doubt_tips(schedule, {&output, 1}, "second derivative");
  } else if (reverse) {
    doubt_hidden_overflow(schedule, {&output, 1}, {}, "jacobian");
  }
  const LongWorkSection section(sweep_cost_ns(schedule) * static_cast<double>(seeds) > long_ns);

  if (reverse) {
    std::vector<Value> whole;
    std::vector<std::vector<Ref>> rows(wrt.size());
    const uint64_t silent = silent_ties();
    for (const Ref& x : wrt)
      if (!recorded) whole.push_back(Value::zeros(x.dtype(), joined(Dims{m}, x.shape())));
    for_each_seed(m, schedule, recorded, w->reverse, [&](int64_t k, ReverseSweep& sweep) {
      sweep.start(schedule, recorded);
      sweep.seed(schedule.output_positions[0], Ref(unit(output.type(), k)));
      sweep.run();
      for (size_t i = 0; i < wrt.size(); ++i) {
        const int32_t pos = schedule.node_positions[i];
        const bool has = sweep.has_adjoint(pos);
        if (recorded) {
          rows[i].push_back(has ? sweep.adjoint(pos) : constant_full(wrt[i].type(), 0.0));
        } else if (has) {
          put_row(whole[i], k, sweep.adjoint(pos).value());
        }
      }
      sweep.finish();
    });
    if (silent_ties() != silent) doubt_ties(schedule, {&output, 1}, {}, "jacobian");
    for (size_t i = 0; i < wrt.size(); ++i) {
      const Dims shape = joined(output.shape(), wrt[i].shape());
      if (!recorded) {
        result.push_back(Ref(whole[i].reshaped(shape)));
      } else if (m == 0) {
        result.push_back(constant_full({wrt[i].dtype(), shape}, 0.0));
      } else {
        result.push_back(reshape(stack(rows[i], 0), shape));
      }
    }
    return result;
  }

  for (size_t i = 0; i < wrt.size(); ++i) {
    const int64_t n = wrt[i].size();
    Value whole =
        recorded ? Value() : Value::zeros(output.dtype(), joined(Dims{n}, output.shape()));
    std::vector<Ref> columns;
    for_each_seed(n, schedule, recorded, w->tangent, [&](int64_t k, TangentSweep& sweep) {
      sweep.start(schedule, recorded);
      sweep.seed(schedule.node_positions[i], Ref(unit(wrt[i].type(), k)));
      sweep.run();
      const int32_t pos = schedule.output_positions[0];
      const bool has = sweep.has_tangent(pos);
      if (recorded) {
        columns.push_back(has ? sweep.tangent(pos) : constant_full(output.type(), 0.0));
      } else if (has) {
        put_row(whole, k, sweep.tangent(pos).value());
      }
      sweep.finish();
    });
    // Columns came first: turn (n, out...) into (out..., n), then into out.shape + wrt.shape.
    const Dims shape = joined(output.shape(), wrt[i].shape());
    if (n == 0 || m == 0) {
      result.push_back(constant_full({wrt[i].dtype(), shape}, 0.0));
      continue;
    }
    Ref table = recorded ? reshape(stack(columns, 0), Dims{n, m}) : Ref(whole.reshaped(Dims{n, m}));
    result.push_back(cast(reshape(transpose(table, Axes{1, 0}), shape), wrt[i].dtype()));
  }
  return result;
}

}  // namespace tapegrad
