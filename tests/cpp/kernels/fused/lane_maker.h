#pragma once

#include "tapegrad/kernels/fused/lane_program.h"
#include "tapegrad/scalar/functions/functions.h"

namespace tapegrad {

// A kernel put together step by step. Constants must come before the first instruction.
struct Maker {
  LaneKernel k;
  explicit Maker(uint32_t n_inputs, DType d = DType::float64) {
    k.n_inputs = n_inputs;
    k.dtype = d;
  }
  uint32_t constant(double c) {
    k.constants.push_back(c);
    return k.first_result() - 1;
  }
  template <class F>
  uint32_t call(uint32_t a, uint32_t b = 0, uint32_t c = 0) {
    return call(scalar_fn_of<F>(), a, b, c);
  }
  uint32_t call(ScalarFn fn, uint32_t a, uint32_t b = 0, uint32_t c = 0) {
    k.code.push_back({fn, {a, b, c}});
    return k.first_result() + static_cast<uint32_t>(k.code.size()) - 1;
  }
  void store(uint32_t operand) { k.outputs.push_back({operand, false, {}, k.dtype}); }
  void test(uint32_t operand) { k.outputs.push_back({operand, false, {}, DType::bool_}); }
  void sum(uint32_t operand, Dims shape = {}) {
    k.outputs.push_back({operand, true, std::move(shape), k.dtype});
  }
};

}  // namespace tapegrad
