#include "tapegrad/kernels/array/order.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

template <class T>
bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(x);
  return false;
}

template <class T>
bool is_less(T a, T b) {
  return a < b || (is_nan(b) && !is_nan(a));
}

// The vectors along one axis of a packed array.
struct Vectors {
  int64_t count, length, stride;

  Vectors(const Value& x, int axis) : count(1), length(x.dim(axis)), stride(1) {
    for (int i = 0; i < x.ndim(); ++i) {
      if (i != axis) count *= x.dim(i);
      if (i > axis) stride *= x.dim(i);
    }
  }
  int64_t first(int64_t i) const { return i / stride * stride * length + i % stride; }
};

Dims without(Dims shape, int axis) {
  Dims rest;
  for (int i = 0; i < shape.ndim(); ++i)
    if (i != axis) rest.push_back(shape[static_cast<size_t>(i)]);
  return rest;
}

// Maps x to an integer that sorts as x does.
template <class T>
uint64_t key_of(T x) {
  constexpr uint64_t top = uint64_t{1} << 63;
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(x)) return ~uint64_t{0};
    const auto bits = std::bit_cast<uint64_t>(static_cast<double>(x) + 0.0);  // no zero is negative
    return bits & top ? ~bits : bits | top;
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<uint64_t>(static_cast<int64_t>(x)) ^ top;
  }
  return static_cast<uint64_t>(x);
}

struct Item {
  uint64_t key;
  int64_t at;
};

// Sorts digit by digit, from the lowest: that is linear, and equal keys stay in their order.
void sort_digits(std::vector<Item>& items, std::vector<Item>& other) {
  constexpr int bits = 11;
  constexpr uint64_t mask = (uint64_t{1} << bits) - 1;
  uint64_t differing = 0;
  for (const Item& x : items) differing |= x.key ^ items[0].key;
  other.resize(items.size());
  std::vector<size_t> first(mask + 1);
  for (int shift = 0; shift < 64; shift += bits) {
    if ((differing >> shift & mask) == 0) continue;
    std::fill(first.begin(), first.end(), 0);
    for (const Item& x : items) ++first[x.key >> shift & mask];
    size_t at = 0;
    for (size_t& f : first) at += std::exchange(f, at);
    for (const Item& x : items) other[first[x.key >> shift & mask]++] = x;
    items.swap(other);
  }
}

template <class T>
void sort_vectors(const T* x, const Vectors& vectors, int64_t begin, int64_t end, int64_t* out) {
  constexpr int64_t few = 512;  // below, comparing is quicker
  std::vector<Item> items(static_cast<size_t>(vectors.length)), other;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t first = vectors.first(i);
    for (int64_t k = 0; k < vectors.length; ++k)
      items[static_cast<size_t>(k)] = {key_of(x[first + k * vectors.stride]), k};
    if (vectors.length < few) {
      std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
        return a.key < b.key || (a.key == b.key && a.at < b.at);
      });
    } else {
      sort_digits(items, other);
    }
    for (int64_t k = 0; k < vectors.length; ++k)
      out[first + k * vectors.stride] = items[static_cast<size_t>(k)].at;
  }
}

template <class T>
int64_t extreme_position(const T* x, int64_t length, int64_t stride, bool largest) {
  int64_t best = 0;
  for (int64_t k = 0; k < length; ++k) {
    const T a = x[k * stride], b = x[best * stride];
    if (is_nan(a)) return k;
    if (largest ? a > b : a < b) best = k;
  }
  return best;
}

constexpr double ns_per_compared = 3;

}  // namespace

Value sorting_positions(const Value& x, int axis) {
  const Value packed = x.contiguous();
  const Value out = Value::empty(DType::int64, x.shape());
  const Vectors vectors(packed, axis);
  const double ns = ns_per_compared * static_cast<double>(vectors.length) *
                    std::log2(static_cast<double>(vectors.length) + 1);
  visit_dtype(x.dtype(), [&](auto tag) {
    using T = decltype(tag);
    if (out.size() == 0) return;
    parallel_for(vectors.count, 1, ns, [&](int64_t begin, int64_t end) {
      sort_vectors(packed.data<T>(), vectors, begin, end, out.data<int64_t>());
    });
  });
  return out;
}

Value extreme_positions(const Value& x, int axis, bool largest) {
  const Value packed = x.contiguous();
  const Vectors vectors(packed, axis);
  const Dims shape = without(x.shape(), axis);
  const Value out = Value::empty(DType::int64, shape.empty() ? Dims{1} : shape);
  visit_dtype(x.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const double ns = static_cast<double>(vectors.length);
    parallel_for(out.size(), 1, ns, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        out.data<int64_t>()[i] = extreme_position(packed.data<T>() + vectors.first(i),
                                                  vectors.length, vectors.stride, largest);
    });
  });
  return shape.empty() ? out.view({}, {}, 0) : out;
}

Value counts_below(const Value& sorted, const Value& v, bool or_equal) {
  const Value table = sorted.contiguous();
  const Value keys = (v.is_scalar() ? v.reshaped(Dims{1}) : v).contiguous();
  const Value out = Value::empty(DType::int64, keys.shape());
  visit_dtype(v.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const T *begin = table.data<T>(), *end = begin + table.size();
    const double ns = ns_per_compared * std::log2(static_cast<double>(table.size()) + 2);
    parallel_for(keys.size(), 1024, ns, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) {
        const T key = keys.data<T>()[i];
        const T* at = or_equal ? std::upper_bound(begin, end, key, is_less<T>)
                               : std::lower_bound(begin, end, key, is_less<T>);
        out.data<int64_t>()[i] = at - begin;
      }
    });
  });
  return v.is_scalar() ? out.view({}, {}, 0) : out;
}

}  // namespace tapegrad
