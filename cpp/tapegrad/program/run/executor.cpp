#include "tapegrad/program/run/executor.h"

#include <algorithm>
#include <atomic>
#include <exception>

#include "tapegrad/base/error.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {

namespace {

constexpr int64_t work_of_step = 4;  // for polls: it may be a whole kernel

}  // namespace

struct Executor::Registers {
  std::vector<Value> values;
  std::vector<Operands> operands;  // one for each thread that may be at it
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
  r_->operands.resize(1);
  r_->values.resize(e.program_.values.size());
  for (size_t v = 0; v < r_->values.size(); ++v)
    if (e.program_.values[v].source == Source::constant)
      r_->values[v] = e.program_.constants[e.program_.values[v].index];
}

// The registers go back to the list, empty.
Executor::Session::~Session() {
  if (!clean_) {
    for (size_t v = 0; v < r_->values.size(); ++v)
      if (e_.program_.values[v].source != Source::constant) r_->values[v] = Value();
    for (Operands& with : r_->operands) {
      with.in.clear();
      with.out.clear();
    }
  }
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

// A run ends early at the first step, in the program's order, that threw or had a guard that did
// not hold. Steps after it need not run, those before it must: one of them may be the first.
class Executor::Stop {
 public:
  bool reached(uint32_t step) const { return step >= at_.load(std::memory_order_relaxed); }
  void guard(uint32_t step, uint32_t number) { keep(step, number, nullptr); }
  void error(uint32_t step) { keep(step, 0, std::current_exception()); }
  void interrupt() {
    interrupted_ = true;
    keep(0, 0, nullptr);
  }
  // True where no guard failed; throws what a step threw.
  bool finish(size_t& failed) const {
    if (interrupted_) throw Interrupted();
    if (error_) std::rethrow_exception(error_);
    if (at_ == none) return true;
    failed = guard_;
    return false;
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};

  void keep(uint32_t step, uint32_t number, std::exception_ptr error) {
    std::lock_guard lock(mutex_);
    if (step >= at_) return;
    at_ = step;
    guard_ = number;
    error_ = std::move(error);
  }

  std::mutex mutex_;
  std::atomic<bool> interrupted_{false};
  std::atomic<uint32_t> at_{none};
  uint32_t guard_ = 0;
  std::exception_ptr error_;
};

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
  if (const uint32_t* guard =
          e_.broken(e_.early_guards_.data(), e_.early_guards_.size(), r_->values)) {
    failed = *guard;
    return false;
  }
  Stop stop;
  if (e_.together_ && num_threads() > 1 && !in_parallel()) {
    e_.run_together(*r_, stop);
  } else {
    e_.run_in_order(*r_, stop);
  }
  if (stop.finish(failed)) return true;
  return e_.recorded_ && e_.program_.guards[failed].of_pass && run_without_requirements(failed);
}

bool Executor::Session::run_without_requirements(size_t& failed) {
  const Program& p = e_.program_;
  std::vector<Value> inputs, captures, outputs;
  for (ValueId v : p.inputs) inputs.push_back(r_->values[v]);
  for (ValueId v : p.captures) captures.push_back(r_->values[v]);
  if (!e_.without_requirements().run(inputs, captures, outputs, failed)) return false;
  for (size_t k = 0; k < outputs.size(); ++k) r_->values[p.outputs[k]] = std::move(outputs[k]);
  return true;
}

void Executor::Session::run() {
  size_t failed = 0;
  if (!run(failed))
    throw_error<RuntimeError>("internal error: a guard failed in a program that has none");
}

Executor::Executor(Program program, size_t n_owned) : program_(std::move(program)) {
  check_program(program_);
  in_order_ = plan_in_order(program_, n_owned);
  together_ = plan_together(program_, n_owned);
  place_guards();
  std::vector<uint32_t> asked(program_.values.size(), 0);
  for (ValueId v : program_.outputs) ++asked[v];
  for (ValueId v : program_.outputs)
    moves_.push_back(program_.values[v].source == Source::step && asked[v] == 1);
}

namespace {

PassOptions with_requirements(PassOptions options) {
  options.may_require = true;
  return options;
}

}  // namespace

Executor::Executor(const Program& recorded, PassOptions options, size_t n_owned)
    : Executor(optimise(recorded, with_requirements(options)), n_owned) {
  if (std::none_of(program_.guards.begin(), program_.guards.end(),
                   [](const Program::Guard& g) { return g.of_pass; }))
    return;
  if (n_owned > 0) {  // inputs may be asked for again
    in_order_ = plan_in_order(program_, 0);
    together_ = plan_together(program_, 0);
  }
  recorded_ = recorded;
  options_ = options;
  options_.may_require = false;
}

Executor::~Executor() = default;

const Executor& Executor::without_requirements() const {
  const std::lock_guard lock(mutex_);
  if (!without_requirements_)
    without_requirements_ = std::make_unique<const Executor>(optimise(*recorded_, options_));
  return *without_requirements_;
}

void Executor::place_guards() {
  guards_of_.resize(program_.steps.size());
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
    if (guards_of_[step].n++ == 0) guards_of_[step].first = static_cast<uint32_t>(guards_.size());
    guards_.push_back(guard);
  }
}

const uint32_t* Executor::broken(const uint32_t* first, size_t n,
                                 const std::vector<Value>& values) const {
  for (size_t k = 0; k < n; ++k) {
    const Program::Guard& guard = program_.guards[first[k]];
    const Value& v = values[guard.value];
    if (!same_bits(v.is_contiguous() ? v : v.contiguous(), guard.expected)) return first + k;
  }
  return nullptr;
}

void Executor::run_step(const RunPlan& plan, uint32_t k, std::vector<Value>& values,
                        Operands& with) const {
  const Program::Step& s = program_.steps[k];
  const std::span<const ValueId> ids = program_.in(s);
  std::vector<Value>&in = with.in, &out = with.out;
  in.resize(ids.size());
  out.resize(s.n_out);
  for (size_t i = 0; i < ids.size(); ++i) {
    // The last reader takes the value, so that it may overwrite it or give its memory back.
    if (plan.takes[s.first_in + i]) {
      in[i] = std::move(values[ids[i]]);
    } else {
      in[i] = values[ids[i]];
    }
  }
  if (s.kernel >= 0) {
    program_.kernels[static_cast<size_t>(s.kernel)]->run(in, out);
  } else {
    op_by_id(s.op).eval(program_.attrs_of(s), in, out);
  }
  for (uint32_t j = 0; j < s.n_out; ++j) values[s.first_out + j] = std::move(out[j]);
  for (Value& v : in) v = Value();
  out.clear();
}

void Executor::run_in_order(Registers& r, Stop& stop) const {
  const RunPlan& plan = in_order_;
  InterruptPoll poll;
  for (uint32_t k = 0; k < plan.turns.size(); ++k) {
    poll(work_of_step);
    run_step(plan, k, r.values, r.operands[0]);
    if (const uint32_t* guard = broken_after(k, r.values)) return stop.guard(k, *guard);
    const RunPlan::Turn& turn = plan.turns[k];
    for (uint32_t d = 0; d < turn.n_drops; ++d) r.values[plan.drops[turn.first_drop + d]] = Value();
  }
}

void Executor::run_together(Registers& r, Stop& stop) const {
  const RunPlan& plan = *together_;
  const size_t most_groups = static_cast<size_t>(num_threads()) * 4;
  if (r.operands.size() < most_groups) r.operands.resize(most_groups);
  const auto run = [&](uint32_t i, Operands& with) {
    const uint32_t k = plan.steps[i];
    if (stop.reached(k)) return;
    try {
      run_step(plan, k, r.values, with);
      if (const uint32_t* guard = broken_after(k, r.values)) stop.guard(k, *guard);
    } catch (const Interrupted&) {
      stop.interrupt();
    } catch (...) {
      stop.error(k);
    }
  };
  InterruptPoll poll;
  for (const RunPlan::Turn& turn : plan.turns) {
    poll(work_of_step);
    const uint32_t first = turn.first_step, n = turn.n_steps;
    if (turn.together) {
      const size_t groups = std::min<size_t>(n, most_groups);
      parallel_tasks(static_cast<int64_t>(groups), [&](int64_t g) {
        const auto at = static_cast<size_t>(g);
        for (size_t i = n * at / groups; i < n * (at + 1) / groups; ++i)
          run(first + static_cast<uint32_t>(i), r.operands[at]);
      });
    } else {
      run(first, r.operands[0]);
    }
    for (uint32_t d = 0; d < turn.n_drops; ++d) r.values[plan.drops[turn.first_drop + d]] = Value();
  }
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
