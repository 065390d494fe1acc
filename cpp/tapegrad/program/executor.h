#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "tapegrad/program/program.h"

namespace tapegrad {

// Runs a program. The plan (who is the last to read a value, so that its memory serves again) is
// made once; a run takes a set of registers from a list of free ones and allocates nothing that the
// pool does not have after the first runs. Any number of threads may run one executor at once.
class Executor {
 public:
  explicit Executor(Program program);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // The outputs, or false where a guard did not hold: failed is its number then. Throws ValueError
  // where an input is not of the recorded shape and dtype; what a step throws comes through only if
  // all guards before it held.
  bool run(std::span<const Value> inputs, std::span<const Value> captures,
           std::vector<Value>& outputs, size_t& failed) const;

  const Program& program() const { return program_; }

 private:
  struct Registers;
  class Lease;
  struct StepPlan {
    uint32_t first_drop = 0, n_drop = 0;    // values that nothing reads any more
    uint32_t first_guard = 0, n_guard = 0;  // guards on its outputs
  };

  void plan();
  void run_step(const Program::Step& step, std::vector<Value>& values, std::vector<Value>& in,
                std::vector<Value>& out) const;
  bool holds(const Program::Guard& guard, const std::vector<Value>& values) const;

  Program program_;
  std::vector<StepPlan> plans_;
  std::vector<ValueId> drops_;
  std::vector<uint32_t> guards_;        // by step
  std::vector<uint32_t> early_guards_;  // on inputs and captures
  std::vector<uint8_t> takes_;          // by operand: the step is the last to read it
  std::vector<uint32_t> last_use_;      // by value: step, or ~0 where it must stay
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Registers>> free_;
};

}  // namespace tapegrad
