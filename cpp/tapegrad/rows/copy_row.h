// Short rows are copied where they are: a call of memmove takes as long as forty elements do.
#pragma once

#include <cstdint>
#include <cstring>

namespace tapegrad {

template <class T>
inline void copy_row(const T* from, int64_t n, T* to) {
  constexpr int64_t at_once = 64 / sizeof(T), most = 8 * at_once;
  if (n > most) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
    return;
  }
  for (; n >= at_once; n -= at_once, from += at_once, to += at_once) std::memcpy(to, from, 64);
  for (int64_t i = 0; i < n; ++i) to[i] = from[i];
}

}  // namespace tapegrad
