#include <cmath>
#include <string>
#include <vector>

#include "tapegrad/autodiff/doubts/doubts.h"
#include "tapegrad/autodiff/doubts/probe.h"
#include "tapegrad/ops/decompose/decompose.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {
namespace {

// One decomposition: the nodes of its numbers and of its vectors, which are picks.
struct Decomposition {
  uint32_t numbers = 0;
  const Value* values = nullptr;  // of the numbers
  std::vector<int32_t> vectors;   // positions
  std::vector<bool> in_rows;      // of each: whether it holds one vector in each row
};

const Value* value_of(const Node& op, const Node& n, size_t output) {
  if (n.value.has_data()) return &n.value;
  if (op.extra == nullptr || op.extra->outs.size() <= output) return nullptr;
  const Value& v = op.extra->outs[output];
  return v.has_data() ? &v : nullptr;
}

Decomposition decomposition_at(const Schedule& schedule, size_t pos) {
  const Tape& tape = *schedule.tape;
  const uint32_t slot = schedule.slots[pos];
  const Node& op = tape.node(slot);
  const std::vector<VectorsOfNumbers>& layout = vectors_of_numbers(op_by_id(op.op));
  Decomposition found;
  if (layout.empty()) return found;
  const auto numbers = static_cast<size_t>(layout.front().numbers);
  const auto look = [&](size_t at, size_t output) {
    if (output == numbers) {
      found.numbers = schedule.slots[at];
      found.values = value_of(op, tape.node(found.numbers), output);
    }
    for (const VectorsOfNumbers& v : layout) {
      if (static_cast<size_t>(v.vectors) != output) continue;
      found.vectors.push_back(static_cast<int32_t>(at));
      found.in_rows.push_back(v.in_rows);
    }
  };
  for (size_t at = 0; at < pos; ++at) {  // consumers come first
    const Node& n = tape.node(schedule.slots[at]);
    if (n.kind == NodeKind::pick && n.inputs()[0] == slot) look(at, n.op);
  }
  return found;
}

// Weights, which do not cancel, of the elements of c that belong to a vector of a tie and are zero,
// as are all of that vector; empty where there is none.
Value weights_of_silent(const Value& c, const Value& tied, bool in_rows, bool& any) {
  const int64_t k = tied.shape().back(), m = c.shape()[c.ndim() - (in_rows ? 1 : 2)];
  Value weights = Value::zeros(DType::float64, c.shape());
  double* const to = weights.data<double>();
  any = false;
  for (int64_t s = 0; s < tied.size() / k; ++s)
    for (int64_t j = 0; j < k; ++j) {
      if (tied.at(s * k + j) == 0) continue;
      const auto at = [&](int64_t i) { return s * m * k + (in_rows ? j * m + i : i * k + j); };
      bool silent = true;
      for (int64_t i = 0; i < m && silent; ++i) silent = c.at(at(i)) == 0;
      for (int64_t i = 0; i < m && silent; ++i) {
        const double turn = 0.6180339887498949 * static_cast<double>(at(i) + 1);
        to[at(i)] = 1 + turn - std::floor(turn);
        any = true;
      }
    }
  return weights.cast(c.dtype());
}

// Whether what is asked of a vector of a tie is zero by the numbers alone: it depends on them.
bool is_hidden_by_numbers(const Schedule& schedule, const Decomposition& d,
                          std::span<const Ref> outputs, std::span<const Ref> seeds) {
  const Value tied = mask_of_ties(*d.values);
  Probe first(schedule);
  for (const int32_t pos : d.vectors) first.keep(static_cast<size_t>(pos));
  first.start(true);
  for (size_t k = 0; k < outputs.size(); ++k)
    first.seed(k, seeds.empty() ? ones_of(outputs[k]) : Ref(seeds[k].value()));
  first.run(true);
  std::vector<Ref> cotangents;
  std::vector<Value> weights;
  std::vector<uint32_t> slots;
  for (size_t k = 0; k < d.vectors.size(); ++k) {
    if (!first.has(d.vectors[k])) continue;
    const Ref c = first.adjoint(d.vectors[k]);
    bool any = false;
    if (!c.tracked()) continue;
    Value w = weights_of_silent(c.value(), tied, d.in_rows[k], any);
    if (!any) continue;
    weights.push_back(std::move(w));
    slots.push_back(c.slot());
    cotangents.push_back(c);
  }
  if (slots.empty()) return false;
  Schedule between;
  build_schedule(*schedule.tape, {slots, {&d.numbers, 1}, {}, false}, between);
  Probe second(std::move(between));
  second.start(false);
  for (size_t k = 0; k < slots.size(); ++k) second.seed(k, Ref(weights[k]));
  second.run(false);
  const int32_t pos = second.schedule().node_positions[0];
  if (!second.has(pos)) return false;
  const Value slope = second.adjoint(pos).value();
  for (int64_t i = 0; i < slope.size(); ++i)
    if (tied.at(i) != 0 && slope.at(i) != 0) return true;
  return false;
}

}  // namespace

void doubt_ties(const Schedule& schedule, std::span<const Ref> outputs, std::span<const Ref> seeds,
                const char* operation) {
  if (warn_of_doubt == nullptr) return;
  const Untraced untraced(*schedule.tape);
  for (size_t pos = 0; pos < schedule.size(); ++pos) {
    const Node& n = schedule.tape->node(schedule.slots[pos]);
    if (n.kind != NodeKind::op) continue;
    const char* const name = op_by_id(n.op).name;
    const Decomposition d = decomposition_at(schedule, pos);
    if (d.values == nullptr || d.vectors.empty()) continue;
    if (!is_hidden_by_numbers(schedule, d, outputs, seeds)) continue;
    warn_of_doubt(std::string(operation) + ": " + name +
                  " has equal values, and of their vectors something is asked that is zero there, "
                  "as that of v @ np.diag(np.log(w)) @ v.T is at w = 1: the derivative taken is "
                  "zero and may be wrong. Add distinct small numbers to the diagonal, as in "
                  "np.linalg.eigh(a + np.diag(1e-8 * np.arange(len(a))))");
    return;
  }
}

}  // namespace tapegrad
