#pragma once

#include <atomic>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/program/captured_views.h"
#include "tapegrad/program/record.h"
#include "tapegrad/program/run/executor.h"

namespace tapegrad {

// A recorded function, ready to run: the program that the passes make of it, and the things that it
// reads again at each run. Any number of threads may run one at once.
class CapturedProgram {
 public:
  // `fixed`: the numbers of captured arrays that are constants. `views`, by capture: in which
  // blocks of memory those lie that no other array will ever replace.
  CapturedProgram(const Recording& r, std::span<const size_t> fixed, const PassOptions& options,
                  std::span<const MemoryBlock> views = {});

  const Executor& executor() const { return executor_; }
  const Program& program() const { return executor_.program(); }

  // What the program's own captures hold now, appended.
  void read_captures(std::vector<Value>& captured) const;
  // Where others are to be read: the captures of the recording that it takes, in order, and what it
  // takes behind them.
  std::span<const size_t> kept_captures() const { return start_.kept; }
  std::span<const Capture> own_captures() const {
    return std::span(start_.captures).subspan(start_.kept.size());
  }

  // False where a guard does not hold; throws what a step throws.
  bool run(std::span<const Value> inputs, std::span<const Value> captured,
           std::vector<Value>& outputs) const;
  // Where the last guard that did not hold was made; empty where all held.
  std::string guard_failed() const;

 private:
  // What the passes begin with.
  struct Start {
    std::optional<Program> changed;  // where it is not the program that was recorded
    std::vector<size_t> kept;
    std::vector<Capture> captures;
  };
  static Start start(const Recording& r, std::span<const size_t> fixed,
                     std::span<const MemoryBlock> views);
  CapturedProgram(Start start, const Program& recorded, const PassOptions& options);

  Start start_;
  Executor executor_;
  bool long_;  // worth telling the host language, which may let other threads run
  mutable std::atomic<size_t> guard_failed_{~size_t{0}};
};

}  // namespace tapegrad
