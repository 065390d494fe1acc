#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tapegrad/tape/op.h"
#include "tapegrad/tape/tape.h"

namespace tapegrad {

// A sweep is asked for derivatives of `outputs` with respect to nodes and leaves.
struct SweepRequest {
  std::span<const uint32_t> outputs;
  std::span<const uint32_t> nodes;  // wrt, as nodes
  std::span<Leaf* const> leaves;    // wrt, as leaves (each may have been read by several nodes)
  bool every_leaf = false;          // wrt: whatever leaves the outputs reach
};

// A sweep or schedule of more positions than this gives its memory back instead of keeping it for
// the next one.
inline constexpr size_t most_kept_positions = size_t{1} << 18;

// A schedule is the part of a tape between outputs and targets. Positions run from consumers to
// inputs (descending sequence); a target is a node whose derivative is asked for.
struct Schedule {
  Tape* tape = nullptr;
  std::vector<uint32_t> slots;       // by position
  std::vector<uint32_t> first_edge;  // position -> its first edge; one more at the end
  std::vector<int32_t>
      edges;  // one per input: the input's position, or -1 where no derivative is wanted
  std::vector<uint8_t> target;            // by position
  std::vector<int32_t> output_positions;  // per requested output; -1: does not depend on a target
  std::vector<int32_t> node_positions;    // per requested node; -1: not reached

  size_t size() const { return slots.size(); }
  void shrink() {  // a schedule kept for the next use
    if (slots.capacity() > most_kept_positions) *this = Schedule();
  }
  std::span<const int32_t> inputs_of(size_t pos) const {
    return {edges.data() + first_edge[pos], edges.data() + first_edge[pos + 1]};
  }
};

void build_schedule(Tape& tape, const SweepRequest& request, Schedule& schedule);

// What a node costs, as loops tell it to InterruptPoll. One that is not elementwise may be a matrix
// product or a loop of its own.
inline int64_t work_for_polls(const Node& n) {
  if (n.kind != NodeKind::op) return 1;
  return op_by_id(n.op).scalar_fn >= 0 ? 1 + n.value.size() / 256 : 16;
}

// Whether rules must run one after the other, on the thread that asked: one calls the host
// language, or the thread looks for bad numbers.
bool stays_on_this_thread(const Schedule& schedule);

// Throws where a constant array that a scheduled rule reads changed since it was recorded.
void check_constants(const Schedule& schedule);

}  // namespace tapegrad
