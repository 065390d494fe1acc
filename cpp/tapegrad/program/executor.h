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
  struct Registers;

 public:
  // The first `n_owned` inputs belong to whoever runs it: a step that is the last to read one may
  // overwrite it, where nobody else holds it.
  explicit Executor(Program program, size_t n_owned = 0);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // The outputs, or false where a guard did not hold: failed is its number then. Throws ValueError
  // where an input is not of the recorded shape and dtype; what a step throws comes through only if
  // all guards before it held.
  bool run(std::span<const Value> inputs, std::span<const Value> captures,
           std::vector<Value>& outputs, size_t& failed) const;

  // A set of registers for runs one after the other, of a program without captures. Types are the
  // caller's business.
  class Session {
   public:
    explicit Session(const Executor& e);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    void set(size_t input, Value v);  // stays for the runs that follow, unless it is owned
    // False where a guard did not hold: failed is its number then.
    bool run(size_t& failed);
    void run();  // of a program without guards
    const Value& output(size_t k) const;
    Value take(size_t k);  // moved out where it is asked for once

   private:
    friend class Executor;
    void finish();  // everything but inputs, captures and outputs was dropped on the way
    const Executor& e_;
    std::unique_ptr<Registers> r_;
    bool clean_ = false;
  };

  const Program& program() const { return program_; }

 private:
  struct StepPlan {
    uint32_t first_drop = 0, n_drop = 0;    // values that nothing reads any more
    uint32_t first_guard = 0, n_guard = 0;  // guards on its outputs
  };

  void plan(size_t n_owned);
  void plan_guards();
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
  std::vector<uint8_t> moves_;          // by output: nothing else needs its register
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Registers>> free_;
};

}  // namespace tapegrad
