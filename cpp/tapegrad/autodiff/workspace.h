#pragma once

#include <memory>
#include <vector>

#include "tapegrad/sweep/reverse_sweep.h"
#include "tapegrad/sweep/tangent_sweep.h"

namespace tapegrad {

// What the host language does around a long computation (Python: release its lock and take it
// back).
struct LongWork {
  void* (*begin)() = nullptr;
  void (*end)(void*) = nullptr;
};
extern LongWork long_work;

class LongWorkSection {
 public:
  explicit LongWorkSection(const Schedule& schedule);
  explicit LongWorkSection(bool is_long) {
    if (is_long && long_work.begin) state_ = long_work.begin();
  }
  ~LongWorkSection() {
    if (state_) long_work.end(state_);
  }
  LongWorkSection(const LongWorkSection&) = delete;
  LongWorkSection& operator=(const LongWorkSection&) = delete;

 private:
  void* state_ = nullptr;
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
