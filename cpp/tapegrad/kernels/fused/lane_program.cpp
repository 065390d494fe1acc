#include "tapegrad/kernels/fused/lane_program.h"

#include <atomic>
#include <mutex>

#include "tapegrad/base/error.h"
#include "tapegrad/kernels/fused/lane_inputs.h"
#include "tapegrad/kernels/fused/lane_run.h"
#include "tapegrad/lanes/lane_sums.h"

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

  std::string machine_code() const {
    std::string all;
    for (const Entry* e = head_.load(std::memory_order_acquire); e; e = e->next)
      all += machine_code_of(*e->plan);
    return all;
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

[[noreturn]] void no_row_functions() {
  throw_error<ValueError>("LaneKernel: functions of rows run in loops alone (LaneLoop)");
}

}  // namespace

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
  for (const ScalarTape::Instruction& i : kernel.code)
    if (is_row_fn(i.fn)) no_row_functions();
  code_->kernel = std::move(kernel);
}

LaneProgram::~LaneProgram() = default;

const LaneKernel& LaneProgram::kernel() const { return code_->kernel; }

int LaneProgram::slot_count() const {
  return code_->kernel.dtype == DType::float32 ? code_->slot_count<float>()
                                               : code_->slot_count<double>();
}

std::string LaneProgram::machine_code() const {
  return code_->f64.machine_code() + code_->f32.machine_code();
}

void LaneProgram::run(std::span<const Value> inputs, std::span<const int64_t> space,
                      std::span<Value> outputs) const {
  const LaneKernel& k = code_->kernel;
  const size_t n_in = k.batch ? k.batch->in.size() : k.n_inputs + k.n_indices;
  const size_t n_out = k.batch ? k.batch->n_results() : k.outputs.size();
  if (inputs.size() != n_in || outputs.size() != n_out)
    throw_error<ValueError>("LaneProgram: the kernel has ", n_in, " inputs and ", n_out,
                            " outputs, got ", inputs.size(), " and ", outputs.size());
  if (k.dtype == DType::float32) {
    code_->run<float>(inputs, space, outputs);
  } else {
    code_->run<double>(inputs, space, outputs);
  }
}

}  // namespace tapegrad
