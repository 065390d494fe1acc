#include "tapegrad/lanes/lane_kernel.h"

#include <atomic>
#include <mutex>
#include <sstream>

#include "tapegrad/base/error.h"
#include "tapegrad/lanes/lane_run.h"
#include "tapegrad/lanes/lane_sums.h"
#include "tapegrad/lanes/memory/lane_inputs.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {
namespace {

constexpr int64_t short_space = 64;

// The plans made so far. Those that read it take no lock: it only grows.
template <class T>
class PlanCache {
 public:
  PlanCache() = default;
  PlanCache(const PlanCache&) = delete;
  PlanCache& operator=(const PlanCache&) = delete;
  ~PlanCache() {
    for (const Entry* e = head_.load(); e;) {
      const Entry* next = e->next;
      delete e;
      e = next;
    }
  }

  // `own` holds a plan that there was no room for.
  const LanePlan<T>& get(const LaneKernel& kernel, const InputBits& uniform,
                         std::unique_ptr<LanePlan<T>>& own) {
    if (const LanePlan<T>* plan = find(uniform)) return *plan;
    std::lock_guard lock(mutex_);
    if (const LanePlan<T>* plan = find(uniform)) return *plan;
    std::unique_ptr<LanePlan<T>> plan = make_lane_plan<T>(kernel, uniform);
    const LanePlan<T>& made = *plan;
    if (count_ == most_plans) {
      own = std::move(plan);
    } else {
      ++count_;
      head_.store(new Entry{uniform, std::move(plan), head_.load(std::memory_order_relaxed)},
                  std::memory_order_release);
    }
    return made;
  }

  // The plan made last, null where there is none.
  const LanePlan<T>* any() const {
    const Entry* e = head_.load(std::memory_order_acquire);
    return e ? e->plan.get() : nullptr;
  }

 private:
  static constexpr int most_plans = 32;

  struct Entry {
    InputBits uniform;
    std::unique_ptr<LanePlan<T>> plan;
    const Entry* next;
  };

  const LanePlan<T>* find(const InputBits& uniform) const {
    for (const Entry* e = head_.load(std::memory_order_acquire); e; e = e->next)
      if (e->uniform == uniform) return e->plan.get();
    return nullptr;
  }

  std::atomic<const Entry*> head_{nullptr};
  std::mutex mutex_;
  int count_ = 0;
};

const char* lane_fn_name(ScalarFn fn) {
  if (is_window_fn(fn)) return fn == window_add ? "window_add" : "window_set";
  return fn == row_sum ? "row_sum" : fn == row_copy ? "row_copy" : scalar_fn_info(fn).name;
}

[[noreturn]] void no_row_functions() {
  throw_error<ValueError>("LaneKernel: functions of rows run in loops alone (LaneLoop)");
}

}  // namespace

int lane_arity(ScalarFn fn) {
  return is_window_fn(fn) ? 2 : is_row_fn(fn) ? 1 : scalar_fn_info(fn).arity;
}

double lane_ns(ScalarFn fn) {
  return index_of(fn) < scalar_fn_count ? scalar_fn_info(fn).ns
                                        : scalar_fn_info(scalar_fn_of<Add>()).ns;
}

void check_lane_kernel(const LaneKernel& k) {
  const auto fail = [](auto... what) { throw_error<ValueError>("LaneKernel: ", what...); };
  if (!is_floating(k.dtype)) fail("computes in float64 or float32, not in ", dtype_name(k.dtype));
  uint32_t next = k.first_result();
  for (const LaneKernel::Instruction& step : k.code) {
    const int arity = lane_arity(step.fn);
    for (size_t i = 0; i < static_cast<size_t>(arity); ++i)
      if (step.args[i] >= next)
        fail("operand ", step.args[i], " of %", next, " = ", lane_fn_name(step.fn),
             " comes after it; operands are numbered inputs, constants, results");
    if (is_window_fn(step.fn) && step.args[2] >= k.windows.size())
      fail("window ", step.args[2], " of ", k.windows.size());
    ++next;
  }
  if (!k.offsets.empty() && k.offsets.size() != k.n_inputs)
    fail(k.offsets.size(), " offsets for ", k.n_inputs, " inputs");
  if (k.boxes.size() != k.offsets.size())
    fail(k.boxes.size(), " boxes for ", k.offsets.size(), " offsets");
  for (const LaneKernel::Output& o : k.outputs) {
    if (o.operand >= next) fail("output %", o.operand, " of ", next, " operands");
    if (o.dtype != k.dtype && (o.summed || !is_bool(o.dtype)))
      fail("an output is of ", dtype_name(k.dtype), ", or bool where it is not summed; got ",
           dtype_name(o.dtype));
  }
  for (const LaneGather& g : k.gathers)
    if (g.input >= k.n_inputs || g.index >= k.n_indices)
      fail("input ", g.input, " is gathered by index array ", g.index, "; it has ", k.n_inputs,
           " and ", k.n_indices);
  if (k.batch &&
      (k.batch->inputs.size() != k.n_inputs || k.batch->outputs.size() != k.outputs.size()))
    fail("a batch says where each input and each output lies; it has ", k.batch->inputs.size(),
         " and ", k.batch->outputs.size(), " for ", k.n_inputs, " and ", k.outputs.size());
}

struct LaneProgram::Code {
  LaneKernel kernel;
  PlanCache<double> f64;
  PlanCache<float> f32;

  template <class T>
  PlanCache<T>& plans() {
    if constexpr (sizeof(T) == sizeof(double)) {
      return f64;
    } else {
      return f32;
    }
  }

  template <class T>
  void run(std::span<const Value> inputs, std::span<const int64_t> space,
           std::span<Value> outputs) {
    if (kernel.batch) return run_batch<T>(inputs, space[0], outputs);
    thread_local InputBits uniform;
    uniform.reset(kernel.n_inputs);
    const int64_t size = element_count(space);
    for (uint32_t i = 0; i < kernel.n_inputs; ++i) {
      if (kernel.gather_of(i) || kernel.offset(i) != no_offset) continue;
      if (lane_input_is_uniform(inputs[i], space, i) || (size == 1 && kernel.windows.empty()))
        uniform.set(i);
    }
    if (size == 0) return make_empty(space, outputs);
    if (size > 1 && size <= short_space) uniform.set(kernel.n_inputs);
    std::unique_ptr<LanePlan<T>> own;
    const LanePlan<T>& plan = plans<T>().get(kernel, uniform, own);
    run_lane_plan(kernel, plan, inputs, space, outputs);
  }

  // Which inputs are uniform is known beforehand.
  InputBits batch_uniform() const {
    InputBits uniform(kernel.n_inputs);
    for (uint32_t i = 0; i < kernel.n_inputs; ++i)
      if (kernel.batch->in[kernel.batch->inputs[i].array].axis == LaneBatch::no_axis)
        uniform.set(i);
    return uniform;
  }

  template <class T>
  void run_batch(std::span<const Value> inputs, int64_t n, std::span<Value> outputs) {
    std::unique_ptr<LanePlan<T>> own;
    const LanePlan<T>* plan = plans<T>().any();
    if (!plan) plan = &plans<T>().get(kernel, batch_uniform(), own);
    run_lane_batch(kernel, *plan, inputs, n, outputs);
  }

  void make_empty(std::span<const int64_t> space, std::span<Value> outputs) const {
    for (size_t k = 0; k < outputs.size(); ++k) {
      const LaneKernel::Output& o = kernel.outputs[k];
      if (o.summed) (void)sum_geometry(space, o.shape);
      outputs[k] = Value::zeros(o.dtype, o.summed ? o.shape : Dims(space));
    }
  }

  template <class T>
  int slot_count() {
    std::unique_ptr<LanePlan<T>> own;
    const InputBits uniform = kernel.batch ? batch_uniform() : InputBits(kernel.n_inputs);
    return static_cast<int>(plans<T>().get(kernel, uniform, own).slots);
  }
};

LaneProgram::LaneProgram(LaneKernel kernel) : code_(std::make_unique<Code>()) {
  check_lane_kernel(kernel);
  for (const LaneKernel::Instruction& i : kernel.code)
    if (is_row_fn(i.fn)) no_row_functions();
  code_->kernel = std::move(kernel);
}

LaneProgram::~LaneProgram() = default;

const LaneKernel& LaneProgram::kernel() const { return code_->kernel; }

int LaneProgram::slot_count() const {
  return code_->kernel.dtype == DType::float32 ? code_->slot_count<float>()
                                               : code_->slot_count<double>();
}

void LaneProgram::run(std::span<const Value> inputs, std::span<const int64_t> space,
                      std::span<Value> outputs) const {
  const LaneKernel& k = code_->kernel;
  const size_t n_in = k.batch ? k.batch->in.size() : k.n_inputs + k.n_indices;
  const size_t n_out = k.batch ? k.batch->out.size() : k.outputs.size();
  if (inputs.size() != n_in || outputs.size() != n_out)
    throw_error<ValueError>("LaneProgram: the kernel has ", n_in, " inputs and ", n_out,
                            " outputs, got ", inputs.size(), " and ", outputs.size());
  if (k.dtype == DType::float32) {
    code_->run<float>(inputs, space, outputs);
  } else {
    code_->run<double>(inputs, space, outputs);
  }
}

std::string to_string(const LaneKernel& kernel) {
  std::ostringstream out;
  out.precision(17);
  const auto operand = [&](uint32_t i) {
    if (i < kernel.n_inputs) {
      out << "x" << i;
      if (kernel.offset(i) != no_offset) out << " at " << kernel.offset(i);
    } else if (i < kernel.first_result()) {
      out << kernel.constants[i - kernel.n_inputs];
    } else {
      out << "%" << i;
    }
  };
  for (const LaneGather& g : kernel.gathers)
    out << "x" << g.input << " taken by x" << kernel.n_inputs + g.index << " along axis " << g.axis
        << "\n";
  uint32_t result = kernel.first_result();
  for (const LaneKernel::Instruction& step : kernel.code) {
    out << "%" << result++ << " = " << lane_fn_name(step.fn) << "(";
    for (size_t i = 0; i < static_cast<size_t>(lane_arity(step.fn)); ++i) {
      if (i) out << ", ";
      operand(step.args[i]);
    }
    out << ")";
    if (is_window_fn(step.fn))
      for (const LaneWindow::Range& r : kernel.windows[step.args[2]].ranges)
        out << " [" << r.begin << ", " << r.end << ") of " << r.period;
    out << "\n";
  }
  for (const LaneKernel::Output& o : kernel.outputs) {
    out << (o.summed ? "sum " : is_bool(o.dtype) ? "test " : "store ");
    operand(o.operand);
    if (o.summed) out << " to " << o.shape;
    out << "\n";
  }
  return out.str();
}

}  // namespace tapegrad
