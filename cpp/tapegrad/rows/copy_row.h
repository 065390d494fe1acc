// Short rows are copied and filled where they are: a call of memmove takes as long as forty
// elements do. The last elements of a row go again with those before them, as many as go at once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tapegrad {

template <class T>
inline void copy_row(const T* from, int64_t n, T* to) {
  constexpr int64_t at_once = 64 / sizeof(T), most = 8 * at_once;
  if (n > most) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  } else if (n >= at_once) {
    for (int64_t i = 0; i + at_once < n; i += at_once) std::memcpy(to + i, from + i, 64);
    std::memcpy(to + n - at_once, from + n - at_once, 64);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i];
  }
}

template <class T>
inline void fill_row(T x, int64_t n, T* to) {
  constexpr int64_t at_once = 64 / sizeof(T);
  if (n >= at_once) {
    T all[at_once];
    std::fill_n(all, at_once, x);
    for (int64_t i = 0; i + at_once < n; i += at_once) std::memcpy(to + i, all, 64);
    std::memcpy(to + n - at_once, all, 64);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = x;
  }
}

}  // namespace tapegrad
