#include "tapegrad/program/run/captured_program.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/base/buffer.h"
#include "tapegrad/base/pool_policy.h"
#include "tapegrad/program/passes/tiles/run_cost.h"

namespace tapegrad {
namespace {

constexpr size_t many_steps = 2000;
constexpr int64_t many_elements = 2048;
constexpr size_t long_recording = 10000;  // whose passes take memory that no run needs

bool is_long(const Program& p) {
  return p.steps.size() > many_steps ||
         std::any_of(p.values.begin(), p.values.end(), [&](const Program::ValueInfo& v) {
           return element_count(p.types[v.type].shape) > many_elements;
         });
}

// What passes take at least for a step of a recording, of most models.
constexpr double pass_ns = 2000;

// Whether passes cost more than so many runs do without them.
bool may_wait(const Program& recorded, int runs) {
  return runs > 0 &&
         pass_ns * static_cast<double>(recorded.steps.size()) > runs * steps_cost(recorded);
}

}  // namespace

CapturedProgram::Runnable::Runnable(std::unique_ptr<const Executor> e)
    : executor(std::move(e)), is_long(tapegrad::is_long(executor->program())) {}

CapturedProgram::CapturedProgram(const Recording& r, std::span<const size_t> fixed,
                                 const PassOptions& options, std::span<const MemoryBlock> views)
    : captures_(r.captures), kept_(r.captures.size()), options_(options) {
  const OrdinaryPages pages;
  std::iota(kept_.begin(), kept_.end(), size_t{0});
  std::optional<Program> changed;
  if (!fixed.empty()) changed = with_fixed_captures(r, fixed);
  if (auto joined = join_captured_views(changed ? *changed : r.program, r.captures, views)) {
    changed = std::move(joined->program);
    kept_ = std::move(joined->kept);
    captures_.clear();
    for (size_t k : kept_) captures_.push_back(r.captures[k]);
    for (const Value& cover : joined->covers) captures_.push_back({CellPtr(), cover, Ref()});
  }
  const Program& recorded = changed ? *changed : r.program;
  if (may_wait(recorded, most_runs_)) {
    as_recorded_ = std::make_shared<const Runnable>(Executor::for_few_runs(recorded));
  } else {
    owned_ = std::make_unique<const Runnable>(std::make_unique<const Executor>(recorded, options));
    passed_ = owned_.get();
  }
}

// Passes may let other threads run, of the host language too: so no lock is held while they work,
// and of two threads that make the same the first one's stays.
const CapturedProgram::Runnable& CapturedProgram::passed() const {
  if (const Runnable* known = passed_.load(std::memory_order_acquire)) return *known;
  if (const std::shared_ptr<const Runnable> recorded = as_recorded()) {
    const OrdinaryPages pages;
    auto made = std::make_unique<const Runnable>(
        std::make_unique<const Executor>(recorded->executor->program(), options_));
    if (recorded->executor->program().steps.size() > long_recording) trim_pool();
    const std::lock_guard lock(mutex_);
    if (!owned_) {
      owned_ = std::move(made);
      as_recorded_ = nullptr;
      passed_.store(owned_.get(), std::memory_order_release);
    }
  }
  return *passed_.load(std::memory_order_acquire);
}

std::shared_ptr<const CapturedProgram::Runnable> CapturedProgram::as_recorded() const {
  const std::lock_guard lock(mutex_);
  return as_recorded_;
}

const Executor& CapturedProgram::executor() const { return *passed().executor; }

void CapturedProgram::read_captures(std::vector<Value>& captured) const {
  for (const Capture& c : captures_) captured.push_back(c.content());
}

bool CapturedProgram::run(std::span<const Value> inputs, std::span<const Value> captured,
                          std::vector<Value>& outputs) const {
  if (passed_.load(std::memory_order_acquire) == nullptr && runs_.fetch_add(1) < most_runs_)
    if (const std::shared_ptr<const Runnable> recorded = as_recorded())
      return run_by(*recorded, inputs, captured, outputs);
  return run_by(passed(), inputs, captured, outputs);
}

bool CapturedProgram::run_by(const Runnable& by, std::span<const Value> inputs,
                             std::span<const Value> captured, std::vector<Value>& outputs) const {
  size_t failed = 0;
  const LongWorkSection section(by.is_long);
  if (by.executor->run(inputs, captured, outputs, failed)) return true;
  const std::vector<Program::Guard>& guards = by.executor->program().guards;
  const std::lock_guard lock(mutex_);
  guard_failed_ = failed < guards.size() ? guards[failed].where : std::string();
  return false;
}

std::string CapturedProgram::guard_failed() const {
  const std::lock_guard lock(mutex_);
  return guard_failed_;
}

}  // namespace tapegrad
