#pragma once

#include <unordered_map>
#include <vector>

#include "tapegrad/sweep/schedule.h"
#include "tapegrad/tape/ref.h"

// In the reverse sweep cotangents flow from outputs to targets. Invariant: each adjoint is written
// by one thread, its contributions added in descending sequence of the consumers, so the bits do
// not depend on the number of threads. Where it is not recorded, everything is a plain value:
// scalars run in place, elementwise functions run their recorded partials through the lane kernels,
// other ops their vjp rule. Where it is recorded, every op's vjp rule runs on tracked Refs.

namespace tapegrad {

class ReverseSweep {
 public:
  ReverseSweep() = default;
  ReverseSweep(const ReverseSweep&) = delete;
  ReverseSweep& operator=(const ReverseSweep&) = delete;

  // Empties the sweep for a new run over `schedule`, which must outlive it.
  void start(const Schedule& schedule, bool recorded);
  void seed(int32_t pos, Ref cotangent);
  void run();
  bool has_adjoint(int32_t pos) const {
    return pos >= 0 && state_[static_cast<size_t>(pos)] != State::absent;
  }
  Ref adjoint(int32_t pos) const;
  void finish();  // lets go of every adjoint

 private:
  friend class ReverseRule;
  struct Pending;
  // Sets `on` for a block. What waits in the outboxes goes with it, also when an exception leaves
  // the block.
  class ConcurrentSection {
   public:
    ConcurrentSection(bool& on, std::vector<std::vector<Pending>>& outbox)
        : on_(on), outbox_(outbox) {
      on_ = true;
    }
    ~ConcurrentSection() {
      on_ = false;
      outbox_.clear();
    }
    ConcurrentSection(const ConcurrentSection&) = delete;
    ConcurrentSection& operator=(const ConcurrentSection&) = delete;

   private:
    bool& on_;
    std::vector<std::vector<Pending>>& outbox_;
  };

  enum class State : uint8_t { absent, number, held };

  // A contribution may have to wait for its turn (in the runs on several threads).
  struct Pending {
    uint32_t to;             // position
    int32_t output = -1;     // of an op with several outputs: which cotangent
    const Op* op = nullptr;  // null: add refs[0]; else adjoint = op(adjoint, refs...)
    Attrs attrs{};
    std::vector<Ref> refs{};
  };

  void process(size_t pos);
  void process_scalar(size_t pos, const Node& n);
  void process_elementwise(size_t pos, const Node& n);
  void process_rule(size_t pos, const Node& n);
  void pass_on(size_t pos, const Node& n);

  void land(size_t from, size_t to, Ref contribution);
  void land_number(size_t from, size_t to, double contribution);
  void land_in_place(size_t from, size_t to, const Op& op, const Attrs& attrs,
                     std::vector<Ref> rest);
  // Where numbers are looked through: what `from` gives the adjoint at `to`; the adjoint itself.
  void check_contribution(size_t from, size_t to, const Value& contribution) const;
  void check_adjoint(size_t pos) const;
  void land_pick(size_t from, size_t to, size_t output, Ref contribution);
  void add_now(size_t to, Ref contribution);
  void add_number_now(size_t to, double contribution);
  void add_in_place_now(size_t to, const Op& op, const Attrs& attrs, std::vector<Ref> rest);
  void add_pick_now(size_t to, size_t output, Ref contribution);
  Ref take(size_t pos);
  const Node& node_at(size_t pos) const { return tape_->node(schedule_->slots[pos]); }

  size_t run_fused(size_t begin);  // sweeps a stretch from here; its end, or `begin`
  size_t fused_end(size_t pos) const;
  bool is_fusable(size_t pos, const Value& like) const;

  bool worth_threads();  // estimates the cost of every node
  bool plan_components();
  void run_components();
  bool plan_levels();
  void run_levels();
  void prepare_picked();
  bool waits(size_t to) const { return concurrent_ && deferred_[to]; }
  void land_pending(size_t pos);

  const Schedule* schedule_ = nullptr;
  Tape* tape_ = nullptr;
  bool recorded_ = false;
  bool watching_ = false;  // for bad numbers: see anomaly.h
  bool concurrent_ =
      false;  // rules run on several threads: what goes to a deferred target waits in an outbox
  std::vector<State> state_;
  std::vector<double> numbers_;
  std::vector<Ref> held_;
  std::unordered_map<size_t, std::vector<Ref>> picked_;  // cotangents of ops with several outputs
  std::vector<double> cost_;
  std::vector<uint8_t> deferred_;  // by position
  std::vector<int32_t> part_;      // by position
  std::vector<std::vector<uint32_t>> parts_;
  std::vector<std::vector<uint32_t>> levels_;
  std::vector<std::vector<Pending>>
      outbox_;  // by consumer: written by the thread that runs its rule
  std::vector<std::vector<uint32_t>> senders_;  // by position: its consumers, in landing order
};

// Adds v to the adjoint value in place where it is owned.
void add_into(Value& adjoint, const Value& v);

}  // namespace tapegrad
