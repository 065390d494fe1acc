#pragma once

#include <atomic>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/program/record.h"
#include "tapegrad/program/run/executor.h"

namespace tapegrad {

// A recorded function, ready to run: the program that the passes make of it, and the things that it
// reads again at each run. Any number of threads may run one at once.
class CapturedProgram {
 public:
  // `fixed`: the numbers of captured arrays that are constants.
  CapturedProgram(const Recording& r, std::span<const size_t> fixed, const PassOptions& options);

  const Executor& executor() const { return executor_; }
  const Program& program() const { return executor_.program(); }

  // What the program's own captures hold now, appended.
  void read_captures(std::vector<Value>& captured) const;

  // False where a guard does not hold; throws what a step throws.
  bool run(std::span<const Value> inputs, std::span<const Value> captured,
           std::vector<Value>& outputs) const;
  // Where the last guard that did not hold was made; empty where all held.
  std::string guard_failed() const;

 private:
  std::vector<Capture> captures_;
  Executor executor_;
  bool long_;  // worth telling the host language, which may let other threads run
  mutable std::atomic<size_t> guard_failed_{~size_t{0}};
};

}  // namespace tapegrad
