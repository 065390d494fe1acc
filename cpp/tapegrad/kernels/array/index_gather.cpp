// Gather and scatter address elements by (before, b, after): b runs over the index tuples, whose
// flat positions are in `offsets`; before and after are the axes that the indices leave alone.
//
// A gather writes each element once, so any split will do. In a scatter several b may share a
// destination, but two elements with another (before, after) or another offset never do. So the
// work is split by `after`, by `before`, or into buckets of offsets, and inside a part b ascends:
// each destination is written by one thread in the order of the indices.

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>

#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/array/index.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/index_rows.h"
#include "tapegrad/rows/index_walk.h"

namespace tapegrad {
namespace {

using index_walk::for_each_run;
using index_walk::make_walk;
using index_walk::visit_width;
using index_walk::Walk;

constexpr double element_ns = 2.0, row_element_ns = 0.8, bucket_ns = 3.0;

// The operands of one gather or scatter; T is the element.
template <class T>
struct Elements {
  T* base;
  const int64_t* offsets;
  int64_t count;  // index tuples
  Walk before;    // a: base, b: unused
  Walk after;     // a: base, b: packed
  int64_t row;    // elements of `after`

  Elements(const Value& array, const GatherView& view)
      : base(array.data<T>() + view.offset),
        offsets(view.offsets->data<int64_t>()),
        count(view.offsets->size()),
        before(make_walk(view.before, view.before_strides, Dims(view.before.size(), 0))),
        after(make_walk(view.after, view.after_strides, contiguous_strides(view.after))),
        row(after.size) {}

  int64_t total() const { return before.size * count * row; }
  bool has_packed_rows() const { return after.shape.size() == 1 && after.a.back() == 1; }
  double cost() const { return row >= 4 ? row_element_ns : element_ns; }

  T* before_at(int64_t p) const {
    if (before.shape.size() == 1) return base + p * before.a.back();
    T* at = base;
    for_each_run(before, p, p + 1, [&](int64_t a, int64_t, int64_t) { at += a; });
    return at;
  }

  // Calls op(base element, packed position in the row, base stride, n) for positions [begin, end).
  template <class Op>
  void for_row(T* at, int64_t begin, int64_t end, Op&& op) const {
    if (after.shape.size() == 1) {
      op(at + begin * after.a.back(), begin, after.a.back(), end - begin);
    } else {
      for_each_run(after, begin, end,
                   [&](int64_t a, int64_t b, int64_t n) { op(at + a, b, after.a.back(), n); });
    }
  }
};

struct Set {
  template <int64_t N, class T>
  static void row(T* to, const T* from, int64_t n) {
    index_rows::copy_row<N>(to, from, n);
  }
  template <class T>
  static void run(T* to, int64_t stride, const T* from, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i * stride] = from[i];
  }
};

struct Add {
  template <int64_t N, class T>
  static void row(T* to, const T* from, int64_t n) {
    index_rows::add_row<N>(to, from, n);
  }
  template <class T>
  static void run(T* to, int64_t stride, const T* from, int64_t n) {
    for (int64_t i = 0; i < n; ++i) to[i * stride] += from[i];
  }
};

// Copies whole rows, in the order of the output.
template <int64_t N, class T>
void gather_rows(const Elements<T>& e, T* out, int64_t begin, int64_t end) {
  const int64_t row = N != 0 ? N : e.row;
  T* to = out + begin * row;
  for (int64_t i = begin; i < end;) {
    const int64_t block = i / e.count, block_end = std::min(end, (block + 1) * e.count);
    const T* from = e.before_at(block);
    const int64_t* offset = e.offsets + (i - block * e.count);
    for (; i < block_end; ++i, to += row) index_rows::copy_row<N>(to, from + *offset++, row);
  }
}

// Copies positions [begin, end) of the output, which may begin and end inside a row.
template <class T>
void gather_elements_of(const Elements<T>& e, T* out, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end;) {
    const int64_t block = i / (e.count * e.row);
    const int64_t block_end = std::min(end, (block + 1) * e.count * e.row);
    T* const from = e.before_at(block);
    for (int64_t b = i / e.row % e.count; i < block_end; ++b) {
      const int64_t q = i % e.row, q_end = std::min(e.row, q + block_end - i);
      T* to = out + i - q;
      e.for_row(from + e.offsets[b], q, q_end,
                [&](const T* x, int64_t at, int64_t stride, int64_t n) {
                  if (stride == 1) {
                    std::memcpy(to + at, x, static_cast<size_t>(n) * sizeof(T));
                  } else {
                    for (int64_t j = 0; j < n; ++j) to[at + j] = x[j * stride];
                  }
                });
      i += q_end - q;
    }
  }
}

template <class T>
void gather(const Elements<T>& e, T* out) {
  constexpr int64_t grain = 2048;
  if (!e.has_packed_rows() || e.row > grain) {
    parallel_for(e.total(), grain, e.cost(),
                 [&](int64_t begin, int64_t end) { gather_elements_of(e, out, begin, end); });
    return;
  }
  parallel_for(e.before.size * e.count, grain / e.row, e.cost() * static_cast<double>(e.row),
               [&](int64_t begin, int64_t end) {
                 index_rows::visit_length(
                     e.row, [&](auto n) { gather_rows<decltype(n)::value>(e, out, begin, end); });
               });
}

// The index tuples sorted by bucket of their offset, ascending inside a bucket.
struct Buckets {
  PooledVector<int64_t> starts;  // one more than buckets
  Value order;
};

Buckets make_buckets(const int64_t* offsets, int64_t count) {
  constexpr int64_t chunk = 1 << 15, buckets = 64;
  const int64_t chunks = (count + chunk - 1) / chunk;
  PooledVector<int64_t> low(static_cast<size_t>(chunks)), high(low);
  const auto chunk_end = [&](int64_t c) { return std::min(count, (c + 1) * chunk); };
  parallel_for(chunks, 1, chunk * 0.5, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const auto [lo, hi] = std::minmax_element(offsets + c * chunk, offsets + chunk_end(c));
      low[static_cast<size_t>(c)] = *lo;
      high[static_cast<size_t>(c)] = *hi;
    }
  });
  const int64_t lowest = *std::min_element(low.begin(), low.end());
  const int64_t width = (*std::max_element(high.begin(), high.end()) - lowest) / buckets + 1;

  PooledVector<int64_t> counts(static_cast<size_t>(chunks * buckets));  // [chunk][bucket]
  parallel_for(chunks, 1, chunk * bucket_ns, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      int64_t* mine = counts.data() + c * buckets;
      for (int64_t b = c * chunk; b < chunk_end(c); ++b) ++mine[(offsets[b] - lowest) / width];
    }
  });
  Buckets out{PooledVector<int64_t>(buckets + 1), Value::empty(DType::int64, Dims{count})};
  int64_t at = 0;
  for (int64_t k = 0; k < buckets; ++k) {
    out.starts[static_cast<size_t>(k)] = at;
    for (int64_t c = 0; c < chunks; ++c) {
      int64_t& n = counts[static_cast<size_t>(c * buckets + k)];
      const int64_t first = at;
      at += n;
      n = first;
    }
  }
  out.starts[buckets] = at;
  int64_t* order = out.order.data<int64_t>();
  parallel_for(chunks, 1, chunk * bucket_ns, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      int64_t* next = counts.data() + c * buckets;
      for (int64_t b = c * chunk; b < chunk_end(c); ++b)
        order[next[(offsets[b] - lowest) / width]++] = b;
    }
  });
  return out;
}

// Writes row b, or positions [begin, end) of it. N is the length of a whole row that is packed and
// short, else 0.
template <class How, int64_t N, class T>
void scatter_one(const Elements<T>& e, T* block, int64_t b, const T* rows, int64_t begin,
                 int64_t end) {
  const T* from = rows + b * (N != 0 ? N : e.row);
  T* const to = block + e.offsets[b];
  if constexpr (N != 0) {
    How::template row<N>(to, from, N);
  } else if (e.has_packed_rows()) {
    How::template row<0>(to + begin, from + begin, end - begin);
  } else {
    e.for_row(to, begin, end, [&](T* at, int64_t position, int64_t stride, int64_t n) {
      How::run(at, stride, from + position, n);
    });
  }
}

template <class How, int64_t N, class T>
void scatter_rows(const Elements<T>& e, const T* update) {
  const int64_t count = e.count, block_size = count * e.row;
  const double work = static_cast<double>(e.total()) * e.cost();
  const bool threads = num_threads() > 1 && work >= work_threshold_ns() && !in_parallel();
  const auto serial = [&](int64_t p, int64_t begin, int64_t end) {
    T* block = e.before_at(p);
    for (int64_t b = 0; b < count; ++b)
      scatter_one<How, N>(e, block, b, update + p * block_size, begin, end);
  };
  if (threads && e.row >= 1024) {
    for (int64_t p = 0; p < e.before.size; ++p)
      parallel_for(e.row, 256, static_cast<double>(e.count) * row_element_ns,
                   [&](int64_t begin, int64_t end) { serial(p, begin, end); });
  } else if (threads && e.before.size < 16 && e.count >= 256) {
    const Buckets buckets = make_buckets(e.offsets, e.count);
    const int64_t* order = buckets.order.data<int64_t>();
    for (int64_t p = 0; p < e.before.size; ++p) {
      T* block = e.before_at(p);
      parallel_tasks(static_cast<int64_t>(buckets.starts.size()) - 1, [&](int64_t k) {
        const auto bucket = static_cast<size_t>(k);
        for (int64_t i = buckets.starts[bucket]; i < buckets.starts[bucket + 1]; ++i)
          scatter_one<How, N>(e, block, order[i], update + p * block_size, 0, e.row);
      });
    }
  } else {
    parallel_for(e.before.size, 1, static_cast<double>(block_size) * e.cost(),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t p = begin; p < end; ++p) serial(p, 0, e.row);
                 });
  }
}

template <class How, class T>
void scatter(const Elements<T>& e, const T* update) {
  index_rows::visit_length(e.has_packed_rows() ? e.row : 0,
                           [&](auto n) { scatter_rows<How, decltype(n)::value>(e, update); });
}

}  // namespace

void gather_elements(const Value& out, const Value& base, const GatherView& view) {
  if (out.size() == 0) return;
  visit_width(base.dtype(), [&](auto tag) {
    using T = decltype(tag);
    gather(Elements<T>(base, view), out.data<T>());
  });
}

void scatter_set(const Value& base, const GatherView& view, const Value& update) {
  if (update.size() == 0) return;
  visit_width(base.dtype(), [&](auto tag) {
    using T = decltype(tag);
    scatter<Set>(Elements<T>(base, view), update.data<T>());
  });
}

void scatter_add(const Value& base, const GatherView& view, const Value& update) {
  if (update.size() == 0) return;
  if (base.dtype() == DType::float32) {
    scatter<Add>(Elements<float>(base, view), update.data<float>());
  } else if (base.dtype() == DType::float64) {
    scatter<Add>(Elements<double>(base, view), update.data<double>());
  } else {
    throw_error<TypeError>("an index update adds to float32 or float64 arrays, not to ",
                           dtype_name(base.dtype()));
  }
}

Value last_occurrences(const Value& offsets, bool* all) {
  const int64_t n = offsets.size();
  const int64_t* at = offsets.data<int64_t>();
  Value out = Value::full(DType::bool_, offsets.shape(), 1);
  bool* last = out.data<bool>();
  *all = true;
  if (n < 2) return out;
  const auto [low, high] = std::minmax_element(at, at + n);
  if (*high - *low < 8 * n) {
    const auto size = static_cast<size_t>(*high - *low + 1);
    PooledVector<uint8_t> seen(size);
    for (int64_t i = n; i-- > 0;) {
      uint8_t& mark = seen[static_cast<size_t>(at[i] - *low)];
      if (mark) *all = last[i] = false;
      mark = 1;
    }
    return out;
  }
  PooledVector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::sort(order.begin(), order.end(),
            [&](int64_t i, int64_t j) { return at[i] != at[j] ? at[i] < at[j] : i < j; });
  for (size_t i = 0; i + 1 < order.size(); ++i)
    if (at[order[i]] == at[order[i + 1]]) *all = last[order[i]] = false;
  return out;
}

}  // namespace tapegrad
