// A scalar program bound to its operands and run block by block. Inside kernels/ only.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "tapegrad/base/buffer.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/elementwise_operands.h"
#include "tapegrad/rows/lanes_table.h"
#include "tapegrad/scalar/program.h"

namespace tapegrad {

inline constexpr int64_t lane_grain = 1024;

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
  static constexpr size_t local_bytes = 48 * 1024;
  Buffer* buffer_ = nullptr;
  alignas(64) char local_[local_bytes];
};

inline double cost_of(const ScalarProgram& p) {
  double ns = 0.6;
  for (const ScalarProgram::Instruction& step : p.code) ns += scalar_fn_info(step.fn).ns;
  return ns;
}

// A program with its operands bound: x0.., y and, last, a cotangent where there is one.
template <class T>
class Lanes {
 public:
  using Block = typename Operands<T>::Block;
  static constexpr int most_operands = 256;

  Lanes(const ScalarProgram& p, std::span<const Value* const> operands, const Dims& shape)
      : p_(p), operands_(operands, shape), n_operands_(static_cast<int>(operands.size())) {
    for (size_t k = 0; k < p.constants.size(); ++k) constants_[k] = static_cast<T>(p.constants[k]);
    const int64_t live = p.slot_count + n_operands_ + 1;
    block_ = std::clamp<int64_t>(24 * 1024 / (static_cast<int64_t>(sizeof(T)) * live), 128, 1024) /
             64 * 64;
  }

  void limit_block(int64_t n) { block_ = std::min(block_, n); }
  int64_t block_length(int64_t begin, int64_t most) const {
    return operands_.block_length(begin, std::min(block_, most));
  }
  size_t scratch_bytes() const {
    return static_cast<size_t>(block_ * (p_.slot_count + n_operands_)) * sizeof(T);
  }

  // Calls use(begin, n, block of the program's values, block of the cotangent or null) over [0, n).
  template <class Use>
  void run(double ns, Use&& use) const {
    parallel_for(operands_.size(), lane_grain, ns, [&](int64_t begin, int64_t end) {
      Scratch scratch(scratch_bytes());
      std::array<Block, most_operands> blocks;
      std::array<T, most_operands> uniform;
      for (int64_t i = begin; i < end;) {
        const int64_t n = block_length(i, end - i);
        const Block value =
            compute(i, n, scratch.template data<T>(), blocks.data(), uniform.data(), nullptr);
        use(i, n, value, cotangent(i, n, scratch.template data<T>()));
        i += n;
      }
    });
  }

  void run_into(double ns, T* out) const {
    parallel_for(operands_.size(), lane_grain, ns, [&](int64_t begin, int64_t end) {
      Scratch scratch(scratch_bytes());
      std::array<Block, most_operands> blocks;
      std::array<T, most_operands> uniform;
      for (int64_t i = begin; i < end;) {
        const int64_t n = block_length(i, end - i);
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

  // The program's value on lanes begin, begin + 1, ..; the caller has scratch_bytes() and room for
  // most_operands blocks and numbers. The last instruction writes straight to `out` if there is
  // one.
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

 private:
  T* operand_scratch(T* scratch, int k) const { return scratch + block_ * (p_.slot_count + k); }

  Block cotangent(int64_t begin, int64_t n, T* scratch) const {
    const int k = p_.n_inputs + 1;
    if (k >= n_operands_) return {nullptr, true};
    return operands_.read(k, begin, n, operand_scratch(scratch, k));
  }

  const ScalarProgram& p_;
  Operands<T> operands_;
  int n_operands_;
  int64_t block_;
  std::array<T, most_operands> constants_;
};

// How the product of a cotangent and a partial, c * p, lands on an adjoint.
template <class T>
class Landing {
 public:
  explicit Landing(const ScalarProgram& partial)
      : masks_(partial.is_mask),
        strong_(partial.strong && !partial.is_mask),
        multiply_(elementwise_kernel<T>(scalar_fn_of<Zmul>()).loop),
        select_(elementwise_kernel<T>(scalar_fn_of<Select>()).loop),
        add_(partial.is_mask  ? lane_kernels<T>().add_masked
             : partial.strong ? lane_kernels<T>().add_strong_product
                              : lane_kernels<T>().add_product) {}

  // A bit set in `uniform`: that operand (c: bit 0, p: bit 1) points to one value.
  void add(T* to, const T* c, const T* p, int64_t n, unsigned uniform) const {
    add_(to, c, p, n, uniform);
  }
  void set(T* to, const T* c, const T* p, int64_t n, unsigned uniform) const {
    static constexpr T zero = 0;
    if (strong_) {
      std::fill_n(to, n, T(0));
      add_(to, c, p, n, uniform);
    } else if (masks_) {
      select_(to, p, c, &zero, n, (uniform & 2 ? 1u : 0u) | (uniform & 1 ? 2u : 0u) | 4u);
    } else {
      multiply_(to, c, p, nullptr, n, uniform);
    }
  }

 private:
  bool masks_, strong_;
  decltype(ElementwiseKernel<T>::loop) multiply_, select_;
  typename LaneKernels<T>::Sum add_;
};

}  // namespace tapegrad
