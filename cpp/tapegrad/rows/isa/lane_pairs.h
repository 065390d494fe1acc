// Two cheap functions in one pass over the lanes, each rounded as it is alone.
#pragma once

#include "tapegrad/rows/isa/lane_loops.h"

namespace tapegrad {
namespace {

template <LaneSecond second, class T>
[[gnu::always_inline]] inline T second_value(T t, [[maybe_unused]] T c) {
  if constexpr (second == LaneSecond::add) return t + c;
  if constexpr (second == LaneSecond::subtract) return t - c;
  if constexpr (second == LaneSecond::subtract_from) return c - t;
  if constexpr (second == LaneSecond::multiply) return t * c;
  if constexpr (second == LaneSecond::zmul) return Zmul::value(t, c);
  if constexpr (second == LaneSecond::zmul_by) return Zmul::value(c, t);
  if constexpr (second == LaneSecond::negative) return -t;
  if constexpr (second == LaneSecond::square) return t * t;
}

template <class F, unsigned mask, LaneSecond second, bool uc, class T>
void pair(const LaneStep<T>& s, T* const* at, int64_t n, LaneFrame<T>&) {
  T* out = at[s.out];
  const T *a = at[s.a], *b = at[s.b], *c = at[s.c];
  const T x = a[0], y = b[0], z = c[0];
  for_lanes(out, n, [=](int64_t i) {
    T t;
    if constexpr (F::arity == 1)
      t = F::value(a[i]);
    else
      t = F::value(mask & 1 ? x : a[i], mask & 2 ? y : b[i]);
    return second_value<second>(t, uc ? z : c[i]);
  });
}

template <class F, unsigned mask, int second, class T>
void add_second(LaneHandler<T> (&to)[lane_second_count][2]) {
  constexpr auto s = static_cast<LaneSecond>(second);
  to[second][0] = pair<F, mask, s, false, T>;
  if constexpr (takes_operand(s)) to[second][1] = pair<F, mask, s, true, T>;
  if constexpr (second + 1 < lane_second_count) add_second<F, mask, second + 1, T>(to);
}

template <class F, LaneFirst first, class T>
void add_first(LaneLoops<T>& loops) {
  auto& by_mask = loops.pair[static_cast<int>(first)];
  add_second<F, 0, 0, T>(by_mask[0]);
  if constexpr (F::arity == 2) {
    add_second<F, 2, 0, T>(by_mask[2]);
    constexpr bool commutes = first == LaneFirst::add || first == LaneFirst::multiply;
    if constexpr (!commutes) add_second<F, 1, 0, T>(by_mask[1]);
  }
}

template <class T>
void add_pairs(LaneLoops<T>& loops) {
  add_first<Add, LaneFirst::add>(loops);
  add_first<Subtract, LaneFirst::subtract>(loops);
  add_first<Multiply, LaneFirst::multiply>(loops);
  add_first<Zmul, LaneFirst::zmul>(loops);
  add_first<Negative, LaneFirst::negative>(loops);
  add_first<Square, LaneFirst::square>(loops);
}

}  // namespace
}  // namespace tapegrad
