#include "tapegrad/program/run/captured_program.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/base/pool_policy.h"

namespace tapegrad {
namespace {

constexpr size_t many_steps = 2000;
constexpr int64_t many_elements = 2048;

bool is_long(const Program& p) {
  return p.steps.size() > many_steps ||
         std::any_of(p.values.begin(), p.values.end(), [&](const Program::ValueInfo& v) {
           return element_count(p.types[v.type].shape) > many_elements;
         });
}

Executor executor_of(const Program& recorded, const PassOptions& options) {
  const OrdinaryPages pages;
  return Executor(recorded, options);
}

}  // namespace

CapturedProgram::Start CapturedProgram::start(const Recording& r, std::span<const size_t> fixed,
                                              std::span<const MemoryBlock> views) {
  const OrdinaryPages pages;
  Start s{std::nullopt, std::vector<size_t>(r.captures.size()), r.captures};
  std::iota(s.kept.begin(), s.kept.end(), size_t{0});
  if (!fixed.empty()) s.changed = with_fixed_captures(r, fixed);
  auto joined = join_captured_views(s.changed ? *s.changed : r.program, r.captures, views);
  if (!joined) return s;
  s.changed = std::move(joined->program);
  s.kept = std::move(joined->kept);
  s.captures.clear();
  for (size_t k : s.kept) s.captures.push_back(r.captures[k]);
  for (const Value& cover : joined->covers) s.captures.push_back({CellPtr(), cover, Ref()});
  return s;
}

CapturedProgram::CapturedProgram(const Recording& r, std::span<const size_t> fixed,
                                 const PassOptions& options, std::span<const MemoryBlock> views)
    : CapturedProgram(start(r, fixed, views), r.program, options) {}

CapturedProgram::CapturedProgram(Start start, const Program& recorded, const PassOptions& options)
    : start_(std::move(start)),
      executor_(executor_of(start_.changed ? *start_.changed : recorded, options)),
      long_(is_long(executor_.program())) {
  start_.changed.reset();  // the passes have made theirs of it
}

void CapturedProgram::read_captures(std::vector<Value>& captured) const {
  for (const Capture& c : start_.captures) captured.push_back(c.content());
}

bool CapturedProgram::run(std::span<const Value> inputs, std::span<const Value> captured,
                          std::vector<Value>& outputs) const {
  size_t failed = 0;
  const LongWorkSection section(long_);
  const bool held = executor_.run(inputs, captured, outputs, failed);
  if (!held) guard_failed_ = failed;
  return held;
}

std::string CapturedProgram::guard_failed() const {
  const size_t failed = guard_failed_;
  return failed < program().guards.size() ? program().guards[failed].where : std::string();
}

}  // namespace tapegrad
