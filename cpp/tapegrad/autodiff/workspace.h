#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/sweep/reverse_sweep.h"
#include "tapegrad/sweep/tangent_sweep.h"

namespace tapegrad {

// What the host language does around a long computation (Python: release its lock and take it
// back), and in it now and then (take it, run the handlers of signals, release it), which says
// whether the computation shall stop; its argument is null where the lock was not released.
struct LongWork {
  void* (*begin)() = nullptr;
  void (*end)(void*) = nullptr;
  bool (*interrupted)(void*) = nullptr;
};
extern LongWork long_work;

class LongWorkSection {
 public:
  explicit LongWorkSection(const Schedule& schedule);
  explicit LongWorkSection(bool is_long) {
    if (is_long && long_work.begin) begin();
  }
  ~LongWorkSection() {
    source_.reset();
    if (state_) long_work.end(state_);
  }
  LongWorkSection(const LongWorkSection&) = delete;
  LongWorkSection& operator=(const LongWorkSection&) = delete;

 private:
  void begin() {
    state_ = long_work.begin();
    if (state_ && long_work.interrupted) source_.emplace(long_work.interrupted, state_);
  }

  void* state_ = nullptr;
  std::optional<InterruptSource> source_;
};

// Schedules and sweeps keep their memory between uses; rules that sweep again take the next one.
struct Workspace {
  Schedule schedule;
  ReverseSweep reverse;
  TangentSweep tangent;
};

class WorkspaceLease {
 public:
  WorkspaceLease() {
    if (depth() == all().size()) all().push_back(std::make_unique<Workspace>());
    workspace_ = all()[depth()++].get();
  }
  ~WorkspaceLease() {
    workspace_->reverse.finish();
    workspace_->tangent.finish();
    workspace_->schedule.shrink();
    --depth();
  }
  WorkspaceLease(const WorkspaceLease&) = delete;
  WorkspaceLease& operator=(const WorkspaceLease&) = delete;
  Workspace* operator->() const { return workspace_; }
  Workspace& operator*() const { return *workspace_; }

  // Gives back the memory of those of this thread that nobody holds.
  static void trim() { all().resize(depth()); }

 private:
  static std::vector<std::unique_ptr<Workspace>>& all() {
    thread_local std::vector<std::unique_ptr<Workspace>> workspaces;
    return workspaces;
  }
  static size_t& depth() {
    thread_local size_t d = 0;
    return d;
  }
  Workspace* workspace_;
};

}  // namespace tapegrad
