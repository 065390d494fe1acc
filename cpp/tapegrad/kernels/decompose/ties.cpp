#include "tapegrad/kernels/decompose/ties.h"

#include <atomic>
#include <cmath>
#include <limits>

#include "tapegrad/kernels/linalg/stack.h"

namespace tapegrad {
namespace {

template <class T>
T tolerance(int64_t n, const T* w) {
  T largest = 0;
  for (int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(w[i]));
  return 4 * static_cast<T>(n) * std::numeric_limits<T>::epsilon() * largest;
}

// Calls f(first, end) for each run of ties.
template <class T, class F>
void for_ties(int64_t n, const T* w, F&& f) {
  const T most = tolerance(n, w);
  for (int64_t first = 0; first < n;) {
    int64_t end = first + 1;
    while (end < n && std::abs(w[end] - w[end - 1]) <= most) ++end;
    f(first, end);
    first = end;
  }
}

std::atomic<uint64_t> silent_count{0};

}  // namespace

uint64_t silent_ties() { return silent_count.load(std::memory_order_relaxed); }

Value mask_of_ties(const Value& w) {
  const Value out = Value::empty_like(w);
  const int64_t n = w.shape().back();
  if (out.size() == 0) return out;
  const Value numbers = w.contiguous();
  visit_floating(w.dtype(), [&](auto tag) {
    using T = decltype(tag);
    for (int64_t s = 0; s < w.size() / n; ++s)
      for_ties(n, numbers.data<T>() + s * n, [&](int64_t first, int64_t end) {
        for (int64_t i = first; i < end; ++i)
          out.data<T>()[s * n + i] = end - first > 1 ? T(1) : T(0);
      });
  });
  return out;
}

Value divide_by_gaps_values(const Value& w, const Value& k, const Value& d) {
  const Value out = Value::empty_like(k);
  const int64_t n = w.shape().back();
  if (out.size() == 0) return out;
  const Value numbers = w.contiguous(), above = k.contiguous(), said = d.contiguous();
  visit_floating(w.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const double ns = 2 * static_cast<double>(n * n);
    parallel_for(w.size() / n, 16, ns, [&](int64_t from, int64_t to) {
      for (int64_t s = from; s < to; ++s) {
        const T *x = numbers.data<T>() + s * n, *top = above.data<T>() + s * n * n;
        const T* share = said.data<T>() + s * n;
        T* result = out.data<T>() + s * n * n;
        bool hides = false;
        for_ties(n, x, [&](int64_t first, int64_t end) {
          for (int64_t i = first; i < end; ++i)
            for (int64_t j = 0; j < n; ++j) {
              const bool tied = j >= first && j < end;
              const bool silent = i == j || (top[i * n + j] == 0 && top[j * n + i] == 0 &&
                                             share[i] == 0 && share[j] == 0);
              hides |= tied && silent && i != j;
              result[i * n + j] = !tied    ? top[i * n + j] / (x[j] - x[i])
                                  : silent ? T(0)
                                           : std::numeric_limits<T>::quiet_NaN();
            }
        });
        if (hides) silent_count.fetch_add(1, std::memory_order_relaxed);
      }
    });
  });
  return out;
}

Value share_ties_values(const Value& w, const Value& d, Tip tip) {
  const Value out = Value::empty_like(d);
  const int64_t n = w.shape().back();
  if (out.size() == 0) return out;
  const Value numbers = w.contiguous(), given = d.contiguous();
  visit_floating(w.dtype(), [&](auto tag) {
    using T = decltype(tag);
    for (int64_t s = 0; s < w.size() / n; ++s) {
      const T *x = numbers.data<T>() + s * n, *from = given.data<T>() + s * n;
      T* to = out.data<T>() + s * n;
      const T zero = tip == Tip::up_to_rounding ? tolerance(n, x) : T(0);
      for_ties(n, x, [&](int64_t first, int64_t end) {
        T sum = 0;
        for (int64_t i = first; i < end; ++i) sum += from[i];
        for (int64_t i = first; i < end; ++i)
          to[i] =
              tip != Tip::none && std::abs(x[i]) <= zero ? T(0) : sum / static_cast<T>(end - first);
      });
    }
  });
  return out;
}

}  // namespace tapegrad
