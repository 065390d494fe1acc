#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/program/captured_views.h"
#include "tapegrad/program/record.h"
#include "tapegrad/program/run/executor.h"

namespace tapegrad {

// A recorded function, ready to run: the program that the passes make of it, and the things that it
// reads again at each run. Any number of threads may run one at once.
//
// A function may be called a few times only. Where passes take longer than so many first runs of
// the program as it was recorded, those can run so, and passes come then: set_runs_as_recorded().
// That depends on the program alone, never on a clock, so that a call's bits are the same
// everywhere. None do unless they are asked for: who times a program wants it fast at once.
class CapturedProgram {
 public:
  // `fixed`: the numbers of captured arrays that are constants. `views`, by capture: in which
  // blocks of memory those lie that no other array will ever replace.
  CapturedProgram(const Recording& r, std::span<const size_t> fixed, const PassOptions& options,
                  std::span<const MemoryBlock> views = {});

  // As the passes make it; they come now where they have not yet.
  const Executor& executor() const;
  const Program& program() const { return executor().program(); }
  // Whether the next run takes the program as it was recorded.
  bool runs_as_recorded() const { return passed_.load() == nullptr; }

  // What the program's own captures hold now, appended.
  void read_captures(std::vector<Value>& captured) const;
  // Where others are to be read: the captures of the recording that it takes, in order, and what it
  // takes behind them.
  std::span<const size_t> kept_captures() const { return kept_; }
  std::span<const Capture> own_captures() const {
    return std::span(captures_).subspan(kept_.size());
  }

  // False where a guard does not hold; throws what a step throws.
  bool run(std::span<const Value> inputs, std::span<const Value> captured,
           std::vector<Value>& outputs) const;
  // Where the last guard that did not hold was made; empty where none failed.
  std::string guard_failed() const;

  // How many runs as recorded there may be; returns what it was.
  static int set_runs_as_recorded(int n) { return most_runs_.exchange(n); }

 private:
  struct Runnable {
    explicit Runnable(std::unique_ptr<const Executor> e);
    std::unique_ptr<const Executor> executor;
    bool is_long;  // worth telling the host language, which may let other threads run
  };

  const Runnable& passed() const;
  // Null once the passes came.
  std::shared_ptr<const Runnable> as_recorded() const;
  bool run_by(const Runnable& by, std::span<const Value> inputs, std::span<const Value> captured,
              std::vector<Value>& outputs) const;

  static inline std::atomic<int> most_runs_{0};

  std::vector<Capture> captures_;
  std::vector<size_t> kept_;
  PassOptions options_;
  mutable std::mutex mutex_;  // of what comes next
  mutable std::shared_ptr<const Runnable> as_recorded_;
  mutable std::unique_ptr<const Runnable> owned_;
  mutable std::string guard_failed_;
  mutable std::atomic<const Runnable*> passed_{nullptr};
  mutable std::atomic<int> runs_{0};  // as recorded
};

}  // namespace tapegrad
