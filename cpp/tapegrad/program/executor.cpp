#include "tapegrad/program/executor.h"

#include <algorithm>

#include "tapegrad/base/error.h"

namespace tapegrad {

struct Executor::Registers {
  std::vector<Value> values;
  std::vector<Value> in, out;
};

Executor::Session::Session(const Executor& e) : e_(e) {
  {
    std::lock_guard lock(e.mutex_);
    if (!e.free_.empty()) {
      r_ = std::move(e.free_.back());
      e.free_.pop_back();
    }
  }
  if (r_) return;
  r_ = std::make_unique<Registers>();
  r_->values.resize(e.program_.values.size());
  for (size_t v = 0; v < r_->values.size(); ++v)
    if (e.program_.values[v].source == Source::constant)
      r_->values[v] = e.program_.constants[e.program_.values[v].index];
}

// The registers go back to the list, empty.
Executor::Session::~Session() {
  if (!clean_)
    for (size_t v = 0; v < r_->values.size(); ++v)
      if (e_.program_.values[v].source != Source::constant) r_->values[v] = Value();
  r_->in.clear();
  r_->out.clear();
  std::lock_guard lock(e_.mutex_);
  e_.free_.push_back(std::move(r_));
}

void Executor::Session::finish() {
  for (ValueId v : e_.program_.inputs) r_->values[v] = Value();
  for (ValueId v : e_.program_.captures) r_->values[v] = Value();
  for (ValueId v : e_.program_.outputs)
    if (e_.program_.values[v].source == Source::step) r_->values[v] = Value();
  clean_ = true;
}

void Executor::Session::set(size_t input, Value v) {
  r_->values[e_.program_.inputs[input]] = std::move(v);
}

const Value& Executor::Session::output(size_t k) const {
  return r_->values[e_.program_.outputs[k]];
}

Value Executor::Session::take(size_t k) {
  Value& v = r_->values[e_.program_.outputs[k]];
  return e_.moves_[k] ? std::move(v) : v;
}

bool Executor::Session::run(size_t& failed) {
  Registers& r = *r_;
  const Program& p = e_.program_;
  const auto hold = [&](const uint32_t* first, size_t n) {
    for (size_t k = 0; k < n; ++k)
      if (!e_.holds(p.guards[first[k]], r.values)) {
        failed = first[k];
        return false;
      }
    return true;
  };
  if (!hold(e_.early_guards_.data(), e_.early_guards_.size())) return false;
  for (size_t k = 0; k < p.steps.size(); ++k) {
    e_.run_step(p.steps[k], r.values, r.in, r.out);
    const StepPlan& plan = e_.plans_[k];
    if (plan.n_guard != 0 && !hold(e_.guards_.data() + plan.first_guard, plan.n_guard))
      return false;
    for (uint32_t d = 0; d < plan.n_drop; ++d) r.values[e_.drops_[plan.first_drop + d]] = Value();
  }
  return true;
}

void Executor::Session::run() {
  size_t failed = 0;
  if (!run(failed))
    throw_error<RuntimeError>("internal error: a guard failed in a program that has none");
}

Executor::Executor(Program program, size_t n_owned) : program_(std::move(program)) {
  check_program(program_);
  plan(n_owned);
  plan_guards();
}

Executor::~Executor() = default;

void Executor::plan(size_t n_owned) {
  constexpr uint32_t stays = ~uint32_t{0};
  const size_t n = program_.steps.size();
  const auto is_ours = [&](ValueId v) {
    const Program::ValueInfo& info = program_.values[v];
    return info.source == Source::step || (info.source == Source::input && info.index < n_owned);
  };
  last_use_.assign(program_.values.size(), stays);
  for (size_t k = 0; k < n; ++k) {
    const Program::Step& s = program_.steps[k];
    for (uint32_t j = 0; j < s.n_out; ++j) last_use_[s.first_out + j] = static_cast<uint32_t>(k);
    for (ValueId v : program_.in(s))
      if (is_ours(v)) last_use_[v] = static_cast<uint32_t>(k);
  }
  std::vector<uint32_t> asked(program_.values.size(), 0);
  for (ValueId v : program_.outputs) {
    last_use_[v] = stays;
    ++asked[v];
  }
  for (ValueId v : program_.outputs)
    moves_.push_back(program_.values[v].source == Source::step && asked[v] == 1);
  takes_.assign(program_.operands.size(), 0);
  std::vector<uint32_t> taken(program_.values.size(), stays);  // operand, the last of its step
  for (size_t k = 0; k < n; ++k) {
    const Program::Step& s = program_.steps[k];
    for (uint32_t i = s.first_in; i < s.first_in + s.n_in; ++i)
      if (const ValueId v = program_.operands[i]; last_use_[v] == k) {
        if (taken[v] != stays) takes_[taken[v]] = 0;
        taken[v] = i;
        takes_[i] = 1;
      }
  }
  plans_.resize(n);
  for (ValueId v = 0; v < last_use_.size(); ++v)
    if (last_use_[v] != stays) ++plans_[last_use_[v]].n_drop;
  uint32_t at = 0;
  for (StepPlan& p : plans_) {
    p.first_drop = at;
    at += p.n_drop;
    p.n_drop = 0;
  }
  drops_.resize(at);
  for (ValueId v = 0; v < last_use_.size(); ++v)
    if (last_use_[v] != stays) {
      StepPlan& p = plans_[last_use_[v]];
      drops_[p.first_drop + p.n_drop++] = v;
    }
}

void Executor::plan_guards() {
  std::vector<std::pair<uint32_t, uint32_t>> by_step;
  for (size_t g = 0; g < program_.guards.size(); ++g) {
    const Program::ValueInfo& info = program_.values[program_.guards[g].value];
    if (info.source == Source::step) {
      by_step.emplace_back(info.index, static_cast<uint32_t>(g));
    } else {
      early_guards_.push_back(static_cast<uint32_t>(g));
    }
  }
  std::sort(by_step.begin(), by_step.end());
  for (const auto& [step, guard] : by_step) {
    if (plans_[step].n_guard++ == 0)
      plans_[step].first_guard = static_cast<uint32_t>(guards_.size());
    guards_.push_back(guard);
  }
}

bool Executor::holds(const Program::Guard& guard, const std::vector<Value>& values) const {
  const Value& v = values[guard.value];
  return same_bits(v.is_contiguous() ? v : v.contiguous(), guard.expected);
}

void Executor::run_step(const Program::Step& s, std::vector<Value>& values, std::vector<Value>& in,
                        std::vector<Value>& out) const {
  const std::span<const ValueId> ids = program_.in(s);
  in.resize(ids.size());
  out.resize(s.n_out);
  for (size_t i = 0; i < ids.size(); ++i) {
    // The last reader takes the value, so that it may overwrite it or give its memory back.
    if (takes_[s.first_in + i]) {
      in[i] = std::move(values[ids[i]]);
    } else {
      in[i] = values[ids[i]];
    }
  }
  if (s.kernel >= 0) {
    const FusedKernel& k = *program_.kernels[static_cast<size_t>(s.kernel)];
    k.lanes.run(in, k.space, out);
  } else {
    op_by_id(s.op).eval(program_.attrs_of(s), in, out);
  }
  for (uint32_t j = 0; j < s.n_out; ++j) values[s.first_out + j] = std::move(out[j]);
  for (Value& v : in) v = Value();
  out.clear();
}

bool Executor::run(std::span<const Value> inputs, std::span<const Value> captures,
                   std::vector<Value>& outputs, size_t& failed) const {
  const auto check = [this](std::span<const Value> given, const std::vector<ValueId>& wanted,
                            const char* what) {
    if (given.size() != wanted.size())
      throw_error<ValueError>("compiled function: takes ", wanted.size(), ' ', what, "s, got ",
                              given.size());
    for (size_t k = 0; k < given.size(); ++k)
      if (const TensorType& t = program_.type_of(wanted[k]);
          given[k].dtype() != t.dtype || given[k].shape() != t.shape)
        throw_error<ValueError>("compiled function: ", what, ' ', k, " was recorded as ",
                                dtype_name(t.dtype), ' ', t.shape, ", got ", describe(given[k]),
                                "; record again for another shape or dtype");
  };
  check(inputs, program_.inputs, "input");
  check(captures, program_.captures, "capture");
  Session session(*this);
  for (size_t k = 0; k < inputs.size(); ++k) session.set(k, inputs[k]);
  for (size_t k = 0; k < captures.size(); ++k)
    session.r_->values[program_.captures[k]] = captures[k];
  if (!session.run(failed)) return false;
  outputs.resize(program_.outputs.size());
  for (size_t k = 0; k < outputs.size(); ++k) outputs[k] = session.output(k);
  session.finish();
  return true;
}

}  // namespace tapegrad
