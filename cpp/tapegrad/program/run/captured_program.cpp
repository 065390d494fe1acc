#include "tapegrad/program/run/captured_program.h"

#include <algorithm>

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

Executor executor_of(const Recording& r, std::span<const size_t> fixed,
                     const PassOptions& options) {
  const OrdinaryPages pages;
  return fixed.empty() ? Executor(r.program, options)
                       : Executor(with_fixed_captures(r, fixed), options);
}

}  // namespace

CapturedProgram::CapturedProgram(const Recording& r, std::span<const size_t> fixed,
                                 const PassOptions& options)
    : captures_(r.captures),
      executor_(executor_of(r, fixed, options)),
      long_(is_long(executor_.program())) {}

void CapturedProgram::read_captures(std::vector<Value>& captured) const {
  for (const Capture& c : captures_) captured.push_back(c.content());
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
