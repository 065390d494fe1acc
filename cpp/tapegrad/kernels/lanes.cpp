#include "tapegrad/kernels/lanes.h"

#include <algorithm>
#include <array>

#include "tapegrad/kernels/copy.h"
#include "tapegrad/kernels/cpu.h"
#include "tapegrad/kernels/elementwise.h"
#include "tapegrad/kernels/elementwise_operands.h"
#include "tapegrad/kernels/lanes_table.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {

namespace isa_v1 {
void fill_lanes(LaneKernels<double>& f64, LaneKernels<float>& f32);
}
namespace isa_v3 {
void fill_lanes(LaneKernels<double>& f64, LaneKernels<float>& f32);
}
namespace isa_v4 {
void fill_lanes(LaneKernels<double>& f64, LaneKernels<float>& f32);
}

namespace {

// Ready to be written in place: a packed buffer that nobody else has.
void own(Value& v) {
  if (!v.is_scalar() && !(v.owns_buffer() && v.is_contiguous())) v = packed_copy(v);
}

struct BothLaneKernels {
  LaneKernels<double> f64;
  LaneKernels<float> f32;
};

const BothLaneKernels& both_lane_kernels() {
  static const BothLaneKernels kernels = [] {
    BothLaneKernels k{};
    switch (isa_level()) {
#if TAPEGRAD_HIGHEST_ISA >= 4
      case IsaLevel::v4:
        isa_v4::fill_lanes(k.f64, k.f32);
        break;
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
      case IsaLevel::v3:
        isa_v3::fill_lanes(k.f64, k.f32);
        break;
#endif
      default:
        isa_v1::fill_lanes(k.f64, k.f32);
    }
    return k;
  }();
  return kernels;
}

constexpr int64_t grain = 1024;
constexpr int most_operands = 256;
constexpr size_t local_bytes = 48 * 1024;

// Scratch memory of one range of lanes.
class Scratch {
 public:
  explicit Scratch(size_t bytes) {
    if (bytes > local_bytes) buffer_ = Buffer::allocate(bytes);
  }
  ~Scratch() {
    if (buffer_) buffer_->drop();
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  template <class T>
  T* data() {
    return static_cast<T*>(static_cast<void*>(buffer_ ? buffer_->data() : local_));
  }

 private:
  Buffer* buffer_ = nullptr;
  alignas(64) char local_[local_bytes];
};

double cost_of(const ScalarProgram& p) {
  double ns = 0.6;
  for (const ScalarProgram::Instruction& step : p.code) ns += scalar_fn_info(step.fn).ns;
  return ns;
}

// A program with its operands bound: x0.., y and, last, a cotangent where there is one.
template <class T>
class Lanes {
 public:
  using Block = typename Operands<T>::Block;

  Lanes(const ScalarProgram& p, std::span<const Value* const> operands, const Dims& shape)
      : p_(p), operands_(operands, shape), n_operands_(static_cast<int>(operands.size())) {
    for (size_t k = 0; k < p.constants.size(); ++k) constants_[k] = static_cast<T>(p.constants[k]);
    const int64_t live = p.slot_count + n_operands_ + 1;
    block_ = std::clamp<int64_t>(24 * 1024 / (static_cast<int64_t>(sizeof(T)) * live), 128, 1024) /
             64 * 64;
  }

  size_t scratch_bytes() const {
    return static_cast<size_t>(block_ * (p_.slot_count + n_operands_)) * sizeof(T);
  }

  // Calls use(begin, n, block of the program's values, block of the cotangent or null) over [0, n).
  template <class Use>
  void run(double ns, Use&& use) const {
    parallel_for(operands_.size(), grain, ns, [&](int64_t begin, int64_t end) {
      Scratch scratch(scratch_bytes());
      std::array<Block, most_operands> blocks;
      std::array<T, most_operands> uniform;
      for (int64_t i = begin; i < end;) {
        const int64_t n = operands_.block_length(i, std::min(block_, end - i));
        const Block value =
            compute(i, n, scratch.template data<T>(), blocks.data(), uniform.data(), nullptr);
        use(i, n, value, cotangent(i, n, scratch.template data<T>()));
        i += n;
      }
    });
  }

  void run_into(double ns, T* out) const {
    parallel_for(operands_.size(), grain, ns, [&](int64_t begin, int64_t end) {
      Scratch scratch(scratch_bytes());
      std::array<Block, most_operands> blocks;
      std::array<T, most_operands> uniform;
      for (int64_t i = begin; i < end;) {
        const int64_t n = operands_.block_length(i, std::min(block_, end - i));
        const Block value =
            compute(i, n, scratch.template data<T>(), blocks.data(), uniform.data(), out + i);
        if (value.uniform) {
          std::fill_n(out + i, n, *value.data);
        } else if (value.data != out + i) {
          std::copy_n(value.data, n, out + i);
        }
        i += n;
      }
    });
  }

 private:
  T* operand_scratch(T* scratch, int k) const { return scratch + block_ * (p_.slot_count + k); }

  Block cotangent(int64_t begin, int64_t n, T* scratch) const {
    const int k = p_.n_inputs + 1;
    if (k >= n_operands_) return {nullptr, true};
    return operands_.read(k, begin, n, operand_scratch(scratch, k));
  }

  // The last instruction writes straight to `out` if there is one.
  Block compute(int64_t begin, int64_t n, T* scratch, Block* blocks, T* uniform_values,
                T* out) const {
    for (int i = 0; i <= p_.n_inputs; ++i) {
      const unsigned bit = i == p_.n_inputs ? ScalarProgram::reads_output : 1u << i;
      if (p_.reads & bit) blocks[i] = operands_.read(i, begin, n, operand_scratch(scratch, i));
    }
    int at = p_.first_constant();
    for (size_t k = 0; k < p_.constants.size(); ++k) blocks[at++] = {&constants_[k], true};
    for (size_t k = 0; k < p_.code.size(); ++k, ++at) {
      const ScalarProgram::Instruction& step = p_.code[k];
      const ElementwiseKernel<T>& kernel = elementwise_kernel<T>(step.fn);
      const int arity = scalar_fn_info(step.fn).arity;
      const Block& a = blocks[step.args[0]];
      const Block& b = blocks[arity > 1 ? step.args[1] : step.args[0]];
      const Block& c = blocks[arity > 2 ? step.args[2] : step.args[0]];
      const unsigned mask = (a.uniform ? 1u : 0u) | (b.uniform ? 2u : 0u) | (c.uniform ? 4u : 0u);
      if (mask == 7) {
        uniform_values[k] = kernel.scalar(*a.data, *b.data, *c.data);
        blocks[at] = {&uniform_values[k], true};
        continue;
      }
      T* to = out && at == p_.result ? out : scratch + block_ * p_.slots[k];
      kernel.loop(to, a.data, b.data, c.data, n, mask);
      blocks[at] = {to, false};
    }
    return blocks[p_.result];
  }

  const ScalarProgram& p_;
  Operands<T> operands_;
  int n_operands_;
  int64_t block_;
  std::array<T, most_operands> constants_;
};

// The operands that are read; null for the others.
struct OperandList {
  std::array<const Value*, Operands<double>::most> items{};
  size_t count = 0;
  bool all_scalars = true;

  OperandList(const ScalarProgram& p, std::span<const Value> inputs) {
    for (size_t i = 0; i <= static_cast<size_t>(p.n_inputs); ++i) {
      const unsigned bit =
          i == static_cast<size_t>(p.n_inputs) ? ScalarProgram::reads_output : 1u << i;
      add(p.reads & bit ? &inputs[i] : nullptr);
    }
  }
  void add(const Value* v) {
    if (v && !v->is_scalar()) all_scalars = false;
    items[count++] = v;
  }
  std::span<const Value* const> span() const { return {items.data(), count}; }
};

template <class T>
T at_scalars(const ScalarProgram& p, const OperandList& operands) {
  T x[4] = {};
  for (size_t i = 0; i <= static_cast<size_t>(p.n_inputs); ++i)
    if (operands.items[i]) x[i] = scalar_as<T>(*operands.items[i]);
  return eval_program(p, x);
}

template <class T>
void run_program_as(const ScalarProgram& p, std::span<const Value> inputs, Value& out) {
  const OperandList operands(p, inputs);
  Dims shape = inputs[0].shape();
  for (const Value& v : inputs.subspan(1))
    shape = broadcast_shapes(shape, v.shape(), "run_program");
  const DType d = out.dtype();
  if (shape.empty()) {
    out = Value::scalar(static_cast<double>(at_scalars<T>(p, operands)), d);
    return;
  }
  Value result = Value::empty(d, shape);
  const Lanes<T> lanes(p, operands.span(), shape);
  lanes.run_into(cost_of(p), result.data<T>());
  out = std::move(result);
}

template <class T>
T strong_product(const ScalarProgram& partial, T ct, T p) {
  if (partial.is_mask) return p != 0 ? ct : T(0);
  return ct == 0 || (partial.strong && p == 0) ? T(0) : ct * p;
}

template <class T>
void accumulate_product_as(const ScalarProgram& partial, std::span<const Value> inputs,
                           const Value& ct, Value& adjoint, bool accumulate) {
  const DType d = dtype_of<T>();
  if (partial.constant == 1.0) {
    if (accumulate) {
      add_in_place(adjoint, ct);
    } else {
      adjoint = ct;
    }
    return;
  }
  OperandList operands(partial, inputs);
  operands.add(&ct);
  if (operands.all_scalars) {
    const T product = strong_product(partial, scalar_as<T>(ct), at_scalars<T>(partial, operands));
    if (!accumulate) {
      adjoint = Value::scalar(static_cast<double>(product), d);
    } else if (adjoint.is_scalar()) {
      adjoint.set_scalar(static_cast<double>(static_cast<T>(adjoint.as_double()) + product));
    } else {
      add_in_place(adjoint, Value::scalar(static_cast<double>(product), d));
    }
    return;
  }
  Dims shape = ct.shape();
  for (const Value* v : operands.span())
    if (v) shape = broadcast_shapes(shape, v->shape(), "accumulate_product");
  if (accumulate) {
    own(adjoint);
  } else {
    adjoint = Value::empty(d, shape);
  }
  T* to = adjoint.data<T>();
  const Lanes<T> lanes(partial, operands.span(), shape);
  const ElementwiseTable& table = elementwise_table();
  const auto multiply = table.get<T>(scalar_fn_of<Zmul>()).loop;
  const auto select = table.get<T>(scalar_fn_of<Select>()).loop;
  const LaneKernels<T>& sums = lane_kernels<T>();
  const T zero = 0;
  const auto add = partial.is_mask  ? sums.add_masked
                   : partial.strong ? sums.add_strong_product
                                    : sums.add_product;
  lanes.run(cost_of(partial), [&](int64_t i, int64_t n, auto p, auto c) {
    const unsigned mask = (c.uniform ? 1u : 0u) | (p.uniform ? 2u : 0u);
    if (accumulate) {
      add(to + i, c.data, p.data, n, mask);
    } else if (partial.strong && !partial.is_mask) {
      std::fill_n(to + i, n, T(0));
      add(to + i, c.data, p.data, n, mask);
    } else if (partial.is_mask) {
      select(to + i, p.data, c.data, &zero, n, (p.uniform ? 1u : 0u) | (c.uniform ? 2u : 0u) | 4u);
    } else {
      multiply(to + i, c.data, p.data, nullptr, n, mask);
    }
  });
}

template <class T>
void add_in_place_as(Value& to, const Value& v) {
  if (to.is_scalar()) {
    to.set_scalar(static_cast<double>(static_cast<T>(to.as_double()) + scalar_as<T>(v)));
    return;
  }
  own(to);
  const Value* values[] = {&v};
  const Operands<T> operands(values, to.shape());
  const LaneKernels<T>& sums = lane_kernels<T>();
  parallel_for(to.size(), grain, 0.5, [&](int64_t begin, int64_t end) {
    T scratch[grain];
    for (int64_t i = begin; i < end;) {
      const int64_t most = operands.is_direct(0) ? end - i : std::min(grain, end - i);
      const int64_t n = operands.block_length(i, most);
      const auto block = operands.read(0, i, n, scratch);
      sums.add(to.data<T>() + i, block.data, n, block.uniform ? 1u : 0u);
      i += n;
    }
  });
}

}  // namespace

template <>
const LaneKernels<double>& lane_kernels() {
  return both_lane_kernels().f64;
}

template <>
const LaneKernels<float>& lane_kernels() {
  return both_lane_kernels().f32;
}

void run_program(const ScalarProgram& p, std::span<const Value> inputs, Value& out) {
  if (out.dtype() == DType::float32) {
    run_program_as<float>(p, inputs, out);
  } else {
    run_program_as<double>(p, inputs, out);
  }
}

void accumulate_product(const ScalarProgram& partial, std::span<const Value> inputs,
                        const Value& ct, Value& adjoint, bool accumulate) {
  if (ct.dtype() == DType::float32) {
    accumulate_product_as<float>(partial, inputs, ct, adjoint, accumulate);
  } else {
    accumulate_product_as<double>(partial, inputs, ct, adjoint, accumulate);
  }
}

void add_in_place(Value& to, const Value& v) {
  if (to.dtype() == DType::float32) {
    add_in_place_as<float>(to, v);
  } else {
    add_in_place_as<double>(to, v);
  }
}

}  // namespace tapegrad
