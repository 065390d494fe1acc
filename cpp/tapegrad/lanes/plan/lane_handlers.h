// Steps of blocks that are not among the loops of the instruction-set levels: for lane_plan.cpp.
#pragma once

#include <algorithm>
#include <type_traits>

#include "tapegrad/lanes/lane_sums.h"
#include "tapegrad/rows/lane_steps.h"

namespace tapegrad {
namespace {

template <class T>
void call_loop(const LaneStep<T>& s, T* const* at, int64_t n, LaneFrame<T>& f) {
  f.kernels[s.fn].loop(at[s.out], at[s.a], at[s.b], at[s.c], n, s.mask);
}

template <class T>
void sum_row(const LaneStep<T>& s, T* const* at, int64_t n, LaneFrame<T>& f) {
  T* out = at[s.out];
  if (s.mask & 1) std::fill_n(out, n, at[s.a][0]);
  const T* x = s.mask & 1 ? out : at[s.a];
  std::fill_n(out, n, fold_loops<T>(Fold::sum).row(x, 1, f.count, T{}));
}

template <class T>
void copy_row(const LaneStep<T>& s, T* const* at, int64_t n, LaneFrame<T>&) {
  if (s.mask & 1) {
    std::fill_n(at[s.out], n, at[s.a][0]);
  } else {
    std::copy_n(at[s.a], n, at[s.out]);
  }
}

template <class T>
void sink(const LaneStep<T>& s, T* const* at, int64_t, LaneFrame<T>& f) {
  f.sinks[s.b].take(at[s.a], f.begin, f.count);
}

template <class T>
void store(const LaneStep<T>& s, T* const* at, int64_t, LaneFrame<T>& f) {
  std::copy_n(at[s.a], f.count, static_cast<T*>(f.stores[s.b]) + f.begin);
}

template <class T>
void store_bool(const LaneStep<T>& s, T* const* at, int64_t, LaneFrame<T>& f) {
  const T* from = at[s.a];
  bool* to = static_cast<bool*>(f.stores[s.b]) + f.begin;
  for (int64_t i = 0; i < f.count; ++i) to[i] = from[i] != 0;
}

template <class T, class To>
void store_part(const LaneStep<T>& s, T* const* at, int64_t, LaneFrame<T>& f) {
  const T* from = at[s.a];
  const int64_t stride = f.parts[s.b].stride;
  To* to = static_cast<To*>(f.parts[s.b].data) + f.begin * stride;
  if constexpr (std::is_same_v<T, To>) {
    if (stride == 1) {
      std::copy_n(from, f.count, to);
      return;
    }
  }
#pragma GCC unroll 4  // as in strided_gather()
  for (int64_t i = 0; i < f.count; ++i)
    to[i * stride] = std::is_same_v<To, bool> ? from[i] != 0 : static_cast<To>(from[i]);
}

}  // namespace
}  // namespace tapegrad
