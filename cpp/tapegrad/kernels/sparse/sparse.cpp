#include "tapegrad/kernels/sparse/sparse.h"

#include <algorithm>
#include <vector>

#include "tapegrad/base/error.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

// Elements in each share of the work, which ends with a row: it does not depend on the threads.
constexpr int64_t share = 4096;

int64_t columns_of(const Value& x) { return x.ndim() == 2 ? x.dim(1) : 1; }

void check_places(const Value& places, int64_t n, const char* what) {
  const int64_t* const at = places.data<int64_t>();
  for (int64_t p = 0; p < places.size(); ++p)
    if (at[p] < 0 || at[p] >= n)
      throw_error<IndexError>("sparse matrix: element ", p, " is in ", what, " ", at[p],
                              ", and there are ", n);
}

// Where the shares begin and end: only where the list goes row by row can there be several.
std::vector<int64_t> shares_of(const Value& rows) {
  const int64_t n = rows.size();
  const int64_t* const row = rows.data<int64_t>();
  std::vector<int64_t> ends{0};
  if (n > share && std::is_sorted(row, row + n))
    for (int64_t end = share; end < n; end = ends.back() + share) {
      while (end < n && row[end] == row[end - 1]) ++end;
      ends.push_back(end);
    }
  if (ends.back() < n) ends.push_back(n);
  return ends;
}

template <class T>
void add_products(const Value& data, const Value& x, const Value& rows, const Value& columns,
                  const Value& out) {
  const int64_t k = columns_of(x);
  const T* const d = data.data<T>();
  const T* const from = x.data<T>();
  const int64_t* const row = rows.data<int64_t>();
  const int64_t* const column = columns.data<int64_t>();
  T* const to = out.data<T>();
  const std::vector<int64_t> ends = shares_of(rows);
  const double ns = 1.5 * static_cast<double>(std::min(share, data.size()) * k);
  parallel_for(static_cast<int64_t>(ends.size()) - 1, 1, ns, [&](int64_t first, int64_t last) {
    for (int64_t p = ends[static_cast<size_t>(first)]; p < ends[static_cast<size_t>(last)]; ++p) {
      const T* const b = from + column[p] * k;
      T* const c = to + row[p] * k;
      for (int64_t j = 0; j < k; ++j) c[j] += d[p] * b[j];
    }
  });
}

template <class T>
void sample(const Value& u, const Value& v, const Value& rows, const Value& columns,
            const Value& out) {
  const int64_t k = columns_of(u), n = rows.size();
  const T* const a = u.data<T>();
  const T* const b = v.data<T>();
  const int64_t* const row = rows.data<int64_t>();
  const int64_t* const column = columns.data<int64_t>();
  T* const to = out.data<T>();
  const double ns = 1.5 * static_cast<double>(share * k);
  parallel_for((n + share - 1) / share, 1, ns, [&](int64_t first, int64_t last) {
    for (int64_t p = first * share; p < std::min(n, last * share); ++p) {
      const T* const left = a + row[p] * k;
      const T* const right = b + column[p] * k;
      T sum = 0;
      for (int64_t j = 0; j < k; ++j) sum += left[j] * right[j];
      to[p] = sum;
    }
  });
}

}  // namespace

Value sparse_product_values(const Value& data, const Value& x, const Value& rows,
                            const Value& columns, int64_t n_rows) {
  check_places(rows, n_rows, "row");
  check_places(columns, x.dim(0), "column");
  Dims shape = x.shape();
  shape[0] = n_rows;
  const Value out = Value::zeros(x.dtype(), shape);
  if (data.size() == 0 || out.size() == 0) return out;
  if (x.dtype() == DType::float32) {
    add_products<float>(data, x, rows, columns, out);
  } else {
    add_products<double>(data, x, rows, columns, out);
  }
  return out;
}

Value sparse_sample_values(const Value& u, const Value& v, const Value& rows,
                           const Value& columns) {
  check_places(rows, u.dim(0), "row");
  check_places(columns, v.dim(0), "column");
  const Value out = Value::zeros(u.dtype(), rows.shape());
  if (out.size() == 0 || columns_of(u) == 0) return out;
  if (u.dtype() == DType::float32) {
    sample<float>(u, v, rows, columns, out);
  } else {
    sample<double>(u, v, rows, columns, out);
  }
  return out;
}

}  // namespace tapegrad
