#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/run/run_plan.h"

namespace tapegrad {

// Runs a program. The plan (in which order, and who is the last to read a value, so that its memory
// serves again) is made once; a run takes a set of registers from a list of free ones and allocates
// nothing that the pool does not have after the first runs. Any number of threads may run one
// executor at once.
class Executor {
  struct Registers;

 public:
  // The first `n_owned` inputs belong to whoever runs it: a step that is the last to read one may
  // overwrite it, where nobody else holds it.
  explicit Executor(Program program, size_t n_owned = 0);
  // Runs the program that passes make of `recorded`. Where guards of theirs do not hold it runs
  // what is made without them, which raises what there is to raise.
  Executor(const Program& recorded, PassOptions options, size_t n_owned = 0);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Gives the outputs, or false where a guard did not hold: failed is its number then. Throws
  // ValueError where an input is not of the recorded shape and dtype; what a step throws comes
  // through only if all guards before it held.
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
    bool run_without_requirements(size_t& failed);
    void finish();  // everything but inputs, captures and outputs was dropped on the way
    const Executor& e_;
    std::unique_ptr<Registers> r_;
    bool clean_ = false;
  };

  const Program& program() const { return program_; }
  // Whether steps run at the same time where there are threads.
  bool runs_together() const { return together_.has_value(); }
  // See run_plan.h; on one thread.
  size_t peak_bytes() const { return tapegrad::peak_bytes(program_, in_order_); }

 private:
  class Stop;
  struct Operands {  // what a step is called with
    std::vector<Value> in, out;
  };
  struct StepGuards {
    uint32_t first = 0, n = 0;
  };

  void place_guards();
  void run_step(const RunPlan& plan, uint32_t k, std::vector<Value>& values, Operands& with) const;
  // The first guard of those that does not hold, or null.
  const uint32_t* broken(const uint32_t* first, size_t n, const std::vector<Value>& values) const;
  const uint32_t* broken_after(uint32_t k, const std::vector<Value>& values) const {
    const StepGuards& g = guards_of_[k];
    return g.n == 0 ? nullptr : broken(guards_.data() + g.first, g.n, values);
  }
  void run_in_order(Registers& r, Stop& stop) const;
  void run_together(Registers& r, Stop& stop) const;

  const Executor& without_requirements() const;

  Program program_;
  std::optional<Program> recorded_;  // where passes made guards
  PassOptions options_;
  mutable std::unique_ptr<const Executor> without_requirements_;
  RunPlan in_order_;
  std::optional<RunPlan> together_;
  std::vector<StepGuards> guards_of_;   // by step
  std::vector<uint32_t> guards_;        // step after step
  std::vector<uint32_t> early_guards_;  // on inputs and captures
  std::vector<uint8_t> moves_;          // by output: nothing else needs its register
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Registers>> free_;
};

}  // namespace tapegrad
