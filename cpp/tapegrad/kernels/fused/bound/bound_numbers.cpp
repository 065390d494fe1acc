#include "tapegrad/kernels/fused/bound/bound_numbers.h"

#include <algorithm>
#include <vector>

#include "tapegrad/lanes/lane_plan.h"

namespace tapegrad {
namespace {

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
      loads_.push_back(element(in.reg, part, batch.in[part.array].dtype));
    }
    for (const auto& out : code_.outputs) {
      const LaneBatch::Part part = batch.outputs[out.number];
      stores_.push_back(element(out.reg, part, batch.out[part.array].dtype));
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
      registers[e.reg] =
          e.is_bool ? T(*from != 0) : *static_cast<const T*>(static_cast<const void*>(from));
    }
    run_registers(code_, registers);
    for (const Element& e : stores_) {
      char* const to = outputs[e.array] + e.offset;
      if (e.is_bool) {
        *static_cast<bool*>(static_cast<void*>(to)) = registers[e.reg] != 0;
      } else {
        *static_cast<T*>(static_cast<void*>(to)) = registers[e.reg];
      }
    }
  }

 private:
  struct Element {
    uint32_t reg, array;
    size_t offset;  // bytes
    bool is_bool;
  };
  static Element element(uint32_t reg, LaneBatch::Part part, DType dtype) {
    return {reg, part.array, part.at * item_size(dtype), is_bool(dtype)};
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
  if (kernel.dtype == DType::float32) return std::make_unique<Numbers<float>>(kernel);
  return std::make_unique<Numbers<double>>(kernel);
}

}  // namespace tapegrad
