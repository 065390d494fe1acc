#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

// Rows of a few elements: a call of memcpy or a loop of unknown length costs more than what it
// moves. So their loops are compiled for each length.

namespace tapegrad::index_rows {

constexpr int64_t most_fixed = 8;

// f(N) with N the row's length as a constant, or 0 where it is longer than most_fixed.
template <class F>
void visit_length(int64_t row, F&& f) {
  switch (row) {
    case 1:
      return f(std::integral_constant<int64_t, 1>{});
    case 2:
      return f(std::integral_constant<int64_t, 2>{});
    case 3:
      return f(std::integral_constant<int64_t, 3>{});
    case 4:
      return f(std::integral_constant<int64_t, 4>{});
    case 5:
      return f(std::integral_constant<int64_t, 5>{});
    case 6:
      return f(std::integral_constant<int64_t, 6>{});
    case 7:
      return f(std::integral_constant<int64_t, 7>{});
    case 8:
      return f(std::integral_constant<int64_t, 8>{});
    default:
      return f(std::integral_constant<int64_t, 0>{});
  }
}

// Up to a few hundred bytes, in pieces of 16, of which the last may overlap the one before.
inline void copy_bytes(void* to, const void* from, size_t bytes) {
  constexpr size_t piece = 16, most = 256;
  auto* const out = static_cast<unsigned char*>(to);
  const auto* const in = static_cast<const unsigned char*>(from);
  if (bytes < piece || bytes > most) {
    std::memcpy(out, in, bytes);
    return;
  }
  for (size_t k = 0; k + piece <= bytes; k += piece) std::memcpy(out + k, in + k, piece);
  std::memcpy(out + bytes - piece, in + bytes - piece, piece);
}

// A row of N elements; of `row` where N is 0.
template <int64_t N, class T>
void copy_row(T* to, const T* from, int64_t row) {
  if constexpr (N != 0) {
    std::memcpy(to, from, static_cast<size_t>(N) * sizeof(T));
  } else {
    copy_bytes(to, from, static_cast<size_t>(row) * sizeof(T));
  }
}

template <int64_t N, class T>
void add_row(T* to, const T* from, int64_t row) {
  const int64_t n = N != 0 ? N : row;
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) to[i] += from[i];
}

}  // namespace tapegrad::index_rows
