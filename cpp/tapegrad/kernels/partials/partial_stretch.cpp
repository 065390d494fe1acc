#include "tapegrad/kernels/partials/partial_stretch.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <unordered_map>

#include "tapegrad/kernels/fused/lane_program.h"
#include "tapegrad/kernels/partials/partial_kernel.h"

namespace tapegrad {
namespace {

constexpr uint32_t none = ~uint32_t{0};

// The kernel of a stretch. Its inputs are the values that are read, each once, then the arrays of
// `memory` that are added to; its outputs are those that are written.
class StretchKernel {
 public:
  StretchKernel(std::span<const ProductStep> steps, uint32_t scratch_places, size_t memory,
                DType dtype)
      : scratch_places_(scratch_places), at_(scratch_places + memory, none) {
    kernel_.dtype = dtype;
    collect(steps);
    kernel_.n_inputs = static_cast<uint32_t>(read_.size() + added_to_.size());
    for (uint32_t k = 0; k < added_to_.size(); ++k)
      at_[scratch_places_ + added_to_[k]] = static_cast<uint32_t>(read_.size()) + k;
    for (const ProductStep& s : steps) write(s);
    for (uint32_t k = 0; k < memory; ++k) {
      if (at_[scratch_places_ + k] == none) continue;
      written_.push_back(k);
      kernel_.outputs.push_back({at_[scratch_places_ + k], false, {}, dtype});
    }
  }

  const LaneKernel& kernel() const { return kernel_; }
  const std::vector<const Value*>& read() const { return read_; }
  const std::vector<uint32_t>& added_to() const { return added_to_; }
  const std::vector<uint32_t>& written() const { return written_; }

 private:
  static uint64_t bits(double x) { return std::bit_cast<uint64_t>(x); }

  // Inputs and constants are numbered before the first instruction.
  void collect(std::span<const ProductStep> steps) {
    std::vector<bool> begun(at_.size(), false);
    number(0.0);
    for (const ProductStep& s : steps) {
      for (const Value* v : s.inputs)
        if (v && inputs_.emplace(v, static_cast<uint32_t>(read_.size())).second) read_.push_back(v);
      if (s.kind == ProductStep::Kind::add && !begun[s.to] && s.to >= scratch_places_)
        added_to_.push_back(s.to - scratch_places_);
      begun[s.to] = true;
      if (s.partial)
        for (double c : s.partial->constants) number(c);
    }
  }

  void number(double c) {
    if (constants_.emplace(bits(c), static_cast<uint32_t>(kernel_.constants.size())).second)
      kernel_.constants.push_back(c);
  }

  void write(const ProductStep& s) {
    if (s.kind == ProductStep::Kind::load) {
      at_[s.to] = inputs_.at(s.inputs[0]);
      return;
    }
    const auto constant = [this](double c) {
      return kernel_.first_constant() + constants_.at(bits(c));
    };
    uint32_t product = at_[s.from];
    if (s.partial->constant != 1.0) {
      const uint32_t value = append_partial(
          kernel_, *s.partial, [&](uint32_t i) { return inputs_.at(s.inputs[i]); }, constant);
      product = append_product(kernel_, *s.partial, product, value, constant);
    }
    const bool adds = s.kind == ProductStep::Kind::add;
    at_[s.to] = adds ? kernel_.add(scalar_fn_of<Add>(), {at_[s.to], product, 0}) : product;
  }

  const uint32_t scratch_places_;
  LaneKernel kernel_;
  std::vector<uint32_t> at_;  // by place: the operand that it holds by now
  std::vector<const Value*> read_;
  std::vector<uint32_t> added_to_, written_;  // of `memory`
  std::unordered_map<const Value*, uint32_t> inputs_;
  std::unordered_map<uint64_t, uint32_t> constants_;
};

bool same_kernel(const LaneKernel& a, const LaneKernel& b) {
  const auto same_output = [](const LaneKernel::Output& x, const LaneKernel::Output& y) {
    return x.operand == y.operand;
  };
  const auto same_constant = [](double x, double y) {
    return std::bit_cast<uint64_t>(x) == std::bit_cast<uint64_t>(y);
  };
  return a.dtype == b.dtype && a.n_inputs == b.n_inputs && a.code == b.code &&
         std::ranges::equal(a.constants, b.constants, same_constant) &&
         std::ranges::equal(a.outputs, b.outputs, same_output);
}

// The kernels that this thread ran last: a training loop sweeps the same stretches again and again,
// and a plan takes longer to make than a short stretch to run.
const LaneProgram& program_of(const LaneKernel& kernel) {
  constexpr size_t most = 16;
  thread_local std::vector<std::unique_ptr<LaneProgram>> recent;
  thread_local size_t next = 0;
  for (const std::unique_ptr<LaneProgram>& p : recent)
    if (same_kernel(p->kernel(), kernel)) return *p;
  auto made = std::make_unique<LaneProgram>(kernel);
  if (recent.size() < most) return *recent.emplace_back(std::move(made));
  next = (next + 1) % most;
  recent[next] = std::move(made);
  return *recent[next];
}

}  // namespace

void run_products(std::span<const ProductStep> steps, uint32_t scratch_places,
                  std::span<Value> memory, const TensorType& type) {
  const StretchKernel stretch(steps, scratch_places, memory.size(), type.dtype);
  // An array that is written in place is lent to the kernel as an input. Results of few elements
  // may be made anew, which would take the memory away.
  constexpr int64_t few = 64;
  std::vector<Value> inputs, outputs;
  for (const Value* v : stretch.read()) inputs.push_back(*v);
  for (uint32_t k : stretch.added_to()) {
    const Value& v = memory[k];
    inputs.push_back(v.size() <= few ? v.copy()
                                     : Value::wrap(Buffer::borrow(v.raw(), v.byte_count(), nullptr,
                                                                  [](void*) {}),
                                                   v.raw(), type.dtype, type.shape, nullptr));
  }
  for (uint32_t k : stretch.written()) outputs.push_back(std::move(memory[k]));
  program_of(stretch.kernel()).run(inputs, type.shape, outputs);
  for (size_t i = 0; i < outputs.size(); ++i) memory[stretch.written()[i]] = std::move(outputs[i]);
}

}  // namespace tapegrad
