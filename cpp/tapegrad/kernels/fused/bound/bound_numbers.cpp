#include "tapegrad/kernels/fused/bound/bound_numbers.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "tapegrad/lanes/lane_plan.h"
#include "tapegrad/rows/copy_row.h"

namespace tapegrad {
namespace {

// The kernel whose inputs are numbered as they lie: so do their registers.
LaneKernel in_order(LaneKernel kernel) {
  auto batch = std::make_shared<LaneBatch>(*kernel.batch);
  std::vector<uint32_t> order(kernel.n_inputs), now(kernel.n_inputs);
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, {}, [&](uint32_t i) {
    return std::pair(batch->inputs[i].array, batch->inputs[i].at);
  });
  for (uint32_t k = 0; k < kernel.n_inputs; ++k) {
    now[order[k]] = k;
    batch->inputs[k] = kernel.batch->inputs[order[k]];
  }
  const auto renumber = [&](uint32_t& operand) {
    if (operand < kernel.n_inputs) operand = now[operand];
  };
  for (ScalarTape::Instruction& code : kernel.code)
    for (size_t k = 0; k < static_cast<size_t>(lane_arity(code.fn)); ++k) renumber(code.args[k]);
  for (LaneKernel::Output& out : kernel.outputs) renumber(out.operand);
  kernel.batch = std::move(batch);
  return kernel;
}

template <class T>
class Numbers final : public BoundKernel {
 public:
  explicit Numbers(const LaneKernel& kernel) {
    InputBits uniform(kernel.n_inputs);
    for (uint32_t i = 0; i < kernel.n_inputs; ++i) uniform.set(i);
    code_ = std::move(make_lane_plan<T>(kernel, uniform)->uniform);
    const LaneBatch& batch = *kernel.batch;
    for (const auto& in : code_.inputs) {
      const LaneBatch::Part part = batch.inputs[in.number];
      add(loads_, element(in.reg, part, batch.in[part.array].dtype));
    }
    for (const auto& out : code_.outputs) {
      const LaneBatch::Part part = batch.outputs[out.number];
      add(stores_, element(out.reg, part, batch.out[part.array].dtype));
    }
  }

  size_t scratch_bytes() const override { return code_.registers * sizeof(T); }
  std::string machine_code() const override {
    return code_.machine.is_compiled() ? listing_of(code_) : "";
  }

  void set_up(char* scratch) const override {
    std::ranges::copy(code_.constants, static_cast<T*>(static_cast<void*>(scratch)));
  }

  void run(char* const* inputs, char* const* outputs, char* scratch) const override {
    T* const registers = static_cast<T*>(static_cast<void*>(scratch));
    for (const Element& e : loads_) {
      const char* const from = inputs[e.array] + e.offset;
      if (e.is_bool) {
        registers[e.reg] = T(*from != 0);
      } else {
        copy_row(static_cast<const T*>(static_cast<const void*>(from)), e.count, registers + e.reg);
      }
    }
    run_registers(code_, registers);
    for (const Element& e : stores_) {
      char* const to = outputs[e.array] + e.offset;
      if (e.is_bool) {
        *static_cast<bool*>(static_cast<void*>(to)) = registers[e.reg] != 0;
      } else {
        copy_row(registers + e.reg, e.count, static_cast<T*>(static_cast<void*>(to)));
      }
    }
  }

 private:
  struct Element {
    uint32_t reg, array;
    size_t offset;  // bytes
    bool is_bool;
    int64_t count;
  };
  static Element element(uint32_t reg, LaneBatch::Part part, DType dtype) {
    return {reg, part.array, part.at * item_size(dtype), is_bool(dtype), 1};
  }
  // What lies one behind the other on both sides is moved at once.
  static void add(std::vector<Element>& all, const Element& e) {
    if (!all.empty() && !e.is_bool) {
      Element& last = all.back();
      const auto n = static_cast<size_t>(last.count);
      if (!last.is_bool && last.array == e.array && last.reg + n == e.reg &&
          last.offset + n * sizeof(T) == e.offset) {
        ++last.count;
        return;
      }
    }
    all.push_back(e);
  }

  RegisterCode<T> code_;
  std::vector<Element> loads_, stores_;
};

}  // namespace

std::unique_ptr<const BoundKernel> bind_numbers(const LaneKernel& kernel) {
  const auto fits = [&](const LaneBatch::Array& a) {
    return a.axis == LaneBatch::no_axis && (a.dtype == kernel.dtype || is_bool(a.dtype));
  };
  if (!std::ranges::all_of(kernel.batch->in, fits) || !std::ranges::all_of(kernel.batch->out, fits))
    return nullptr;
  if (!kernel.batch->places.empty()) return nullptr;
  for (const LaneKernel::Output& o : kernel.outputs)
    if (o.summed) return nullptr;
  if (kernel.dtype == DType::float32) return std::make_unique<Numbers<float>>(in_order(kernel));
  return std::make_unique<Numbers<double>>(in_order(kernel));
}

}  // namespace tapegrad
