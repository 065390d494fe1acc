#pragma once

#include <cstdint>

#ifndef TAPEGRAD_ISA_NAMESPACE
#define TAPEGRAD_ISA_NAMESPACE isa_any
#endif

namespace tapegrad {

// What the lane interpreter adds to the scalar functions: sums in place. A bit set in uniform_mask:
// that operand (ct: bit 0, p: bit 1) points to one value. `to` overlaps no operand.
template <class T>
struct LaneKernels {
  using Sum = void (*)(T* to, const T* ct, const T* p, int64_t n, unsigned uniform_mask);

  void (*add)(T* to, const T* ct, int64_t n, unsigned uniform_mask);  // to += ct
  Sum add_product;         // to += ct * p, 0 where ct is 0
  Sum add_strong_product;  // to += ct * p, 0 where ct or p is 0
  Sum add_masked;          // to += p ? ct : 0
};

template <class T>
const LaneKernels<T>& lane_kernels();  // those of isa_level()

inline namespace TAPEGRAD_ISA_NAMESPACE {
void fill_lanes(LaneKernels<double>& f64, LaneKernels<float>& f32);
}

}  // namespace tapegrad
