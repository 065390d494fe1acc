// One or more ways to apply each structural op, for tests that hold what its record says against
// what it does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ops/foreign_cases.h"
#include "ops/host_sine.h"
#include "ops/run_op.h"
#include "tapegrad/ops/index/index_spec.h"

namespace cases {

using tapegrad::AttrRef;
using tapegrad::IndexSpec;

struct Sample {
  std::string op;
  std::vector<Value> in;
  Attrs attrs;
};

// Distinct numbers of both signs, other ones for another seed.
inline Value drawn(const Dims& shape, int seed) {
  Value v = Value::empty(DType::float64, shape);
  for (int64_t i = 0; i < v.size(); ++i)
    v.set_at(i, 0.37 * static_cast<double>((i * 7 + 3 * seed) % 23) - 3.1 +
                    0.011 * static_cast<double>(i + seed));
  return shape.empty() ? Value::scalar(1.7 + seed, DType::float64) : v;
}

// Symmetric, positive definite, each of the stack.
inline Value definite(const Dims& shape) {
  Value v = drawn(shape, 2);
  const int64_t n = shape.back(), stack = v.size() / (n * n);
  for (int64_t s = 0; s < stack; ++s)
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        const double x = i == j ? 9.0 + static_cast<double>(i + s) : 0.1 * v.at(i + j + s);
        v.set_at((s * n + i) * n + j, x);
        v.set_at((s * n + j) * n + i, x);
      }
  return v;
}

inline Value integers(const std::vector<int64_t>& items, const Dims& shape) {
  return Value::from_int64(items, shape);
}

inline std::vector<Sample> op_samples() {
  const Value m = drawn({3, 4}, 0), n = drawn({3, 4}, 1), v = drawn({4}, 2),
              w = drawn({2, 3, 4}, 3);
  const Value s = definite({2, 3, 3}), b = drawn({2, 3, 2}, 4), q = drawn({4, 3}, 5);
  const Value rows = integers({2, 0, 2}, {3});
  const Value four_rows = integers({0, 1, 1, 4}, {4}), four_columns = integers({2, 0, 2, 1}, {4});
  const Attrs basic = IndexSpec().range(2, -1, 2).at(1).attrs();
  const Attrs by_rows = IndexSpec().array().whole(4).attrs();
  const int64_t one = 1;
  std::vector<Sample> all = {
      {"foreign", {m, n}, product_attrs()},
      {"foreign_several", {m}, several_attrs()},
      {"cast", {m}, {static_cast<int64_t>(DType::float32)}},
      {"sum_to_shape", {m}, {Ints{1, 4}}},
      {"cumsum", {m}, {one, false}},
      {"cumsum", {m}, {Attr{}, false}},
      {"cumprod", {m}, {int64_t{0}, true}},
      {"linear_recurrence", {m, n}, {one, false}},
      {"shift", {m}, {one, one, 1.0}},
      {"tie_shares", {m, run_op("max", m, {Ints{1}, false})}, {Ints{1}}},
      {"reshape", {m}, {Ints{2, 6}}},
      {"transpose", {w}, {Ints{2, 0, 1}}},
      {"transpose", {w}, {Attr{}}},
      {"expand_dims", {m}, {Ints{1}}},
      {"squeeze", {drawn({3, 1, 2}, 6)}, {Ints{1}}},
      {"broadcast_to", {v}, {Ints{3, 4}}},
      {"concatenate", {m, n}, {one}},
      {"concatenate", {m, v}, {Attr{}}},
      {"stack", {m, n}, {one}},
      {"unstack", {m}, {one}},
      {"split", {m}, {one, Ints{1, 3}}},
      {"flip", {m}, {Ints{1}}},
      {"flip", {m}, {Attr{}}},
      {"roll", {m}, {Ints{1}, Ints{1}}},
      {"roll", {m}, {Ints{2}, Attr{}}},
      {"pad_constant", {m}, {Ints{1, 0, 0, 2}, 2.5}},
      {"crop", {m}, {Ints{1, 1}, Ints{2, 2}}},
      {"sparse_product", {v, drawn({3, 2}, 8), four_rows, four_columns}, {int64_t{5}}},
      {"sparse_sample", {drawn({5, 2}, 8), drawn({3, 2}, 9), four_rows, four_columns}, {}},
      {"gather_axis", {m}, {one, Ints{3, 0, 3}}},
      {"scatter_axis", {m}, {one, Ints{1, 0, 1, 4}, int64_t{6}}},
      {"diagonal", {m}, {one, int64_t{-2}, int64_t{-1}}},
      {"diagonal_scatter", {v}, {Ints{4, 4}, int64_t{0}, int64_t{-2}, int64_t{-1}}},
      {"tril", {m}, {int64_t{0}}},
      {"windows", {m}, {one, int64_t{2}}},
      {"triu", {v}, {one}},
      {"slice", {m}, basic},
      {"slice_copy", {m}, basic},
      {"slice_add", {m, drawn({2}, 7)}, basic},
      {"slice_set", {m, drawn({2}, 7)}, basic},
      {"gather", {m, rows}, by_rows},
      {"gather_add", {m, n, rows}, by_rows},
      {"gather_set", {m, n, rows}, by_rows},
      {"last_writes", {rows}, {by_rows[0], by_rows[1], Ints{3, 4}}},
      {"argsort", {m}, {one}},
      {"argmax", {m}, {one}},
      {"argmin", {m}, {int64_t{0}}},
      {"searchsorted", {counting({5}), m}, {true}},
      {"middle", {integers({1, 2, 3, 4, 5, 6}, {2, 3})}, {}},
      {"matmul", {w, q}, {}},
      {"matmul", {v, q}, {}},
      {"einsum", {m, q}, {"ij,jk->ki"}},
      {"cross_last", {drawn({2, 3}, 8), drawn({2, 3}, 9)}, {int64_t{3}}},
      {"inv", {s}, {}},
      {"solve", {s, b}, {}},
      {"solve", {s, drawn({3}, 4)}, {}},
      {"solve_triangular", {s, b}, {true, false, false}},
      {"det", {s}, {}},
      {"det_regular", {s}, {}},
      {"slogdet", {s}, {}},
      {"cholesky_lower", {s}, {}},
      {"eigh", {s}, {true}},
      {"eigvalsh_alone", {s}, {false}},
      {"svd", {w}, {}},
      {"svdvals_alone", {w}, {false}},
      {"svd_rest", {b}, {}},
      {"eig", {s, drawn({2, 3, 3}, 5)}, {false}},
      {"eig", {s, s}, {true}},
      {"eigvals_alone", {s, drawn({2, 3, 3}, 5)}, {false}},
      {"slogdet_complex", {s, drawn({2, 3, 3}, 5)}, {}},
      {"real_places", {s, drawn({2, 3, 3}, 5)}, {}},
      {"roots", {m, n}, {false}},
      {"eigh_complex", {s, drawn({2, 3, 3}, 5)}, {true}},
      {"svd_complex", {b, drawn({2, 3, 2}, 5)}, {}},
      {"svd_complex_rest", {b, drawn({2, 3, 2}, 5)}, {}},
      {"qr_tall", {b}, {}},
      {"qr_rest", {b}, {}},
      {"pinv", {w}, {1e-15}},
      {"pinv", {w}, {0.5, true}},
      {"solve_stein", {s, s, drawn({2, 3, 3}, 5)}, {}},
      {"lstsq", {w, b}, {1e-15}},
      {"correlate", {m, drawn({3, 2}, 5)}, {int64_t{0}, one}},
      {"correlate", {v, drawn({7}, 5)}, {int64_t{5}, int64_t{6}}},
      {"fourier", {m, n}, {one, int64_t{4}, false, 1.0}},
      {"fourier", {w, drawn({2, 3, 4}, 5)}, {int64_t{-2}, int64_t{5}, true, 0.5}},
      {"real_fourier", {m}, {one, int64_t{4}, false, 1.0, int64_t{0}}},
      {"real_fourier", {m}, {int64_t{0}, int64_t{3}, true, 0.5, int64_t{1}}},
      {"real_fourier", {w}, {int64_t{-2}, int64_t{3}, false, 1.0, int64_t{2}}},
      {"real_fourier_back", {m, n}, {one, int64_t{6}, false, 1.0, int64_t{1}}},
      {"real_fourier_back", {m, n}, {int64_t{0}, int64_t{5}, true, 0.5, int64_t{0}}},
      {"real_fourier_back", {m, n}, {int64_t{-2}, int64_t{3}, false, 1.0, int64_t{2}}},
      {"divide_by_gaps", {counting({2, 3}), s, drawn({2, 3}, 5)}, {}},
      {"divide_by_complex_gaps", {counting({2, 3}), drawn({2, 3}, 5), s, drawn({2, 3, 3}, 6)}, {}},
      {"share_complex_ties",
       {counting({2, 3}), drawn({2, 3}, 4), drawn({2, 3}, 5), drawn({2, 3}, 6)},
       {}},
      {"share_ties", {counting({2, 3}), drawn({2, 3}, 5)}, {int64_t{0}}},
      {"host_function", {m}, {AttrRef(std::make_shared<HostSine>(2.0, type_of(m)))}},
      {"scaled_product", {b, drawn({2, 2}, 3), drawn({2, 2, 3}, 6)}, {}},
  };
  for (const char* op : {"sum", "mean", "prod", "max", "min", "logsumexp"})
    for (const Attr& axes : {Attr{Ints{1}}, Attr{Ints{0}}, Attr{}})
      all.push_back({op, {m}, {axes, true}});
  for (const char* op : {"var", "std"})
    for (const Attr& axes : {Attr{Ints{1}}, Attr{Ints{0}}, Attr{}})
      all.push_back({op, {m}, {axes, true, 1.0}});
  for (const char* op :
       {"add", "subtract", "multiply", "floor_divide", "remainder", "minimum", "maximum"})
    all.push_back({std::string("int_") + op,
                   {integers({7, 2, 9}, {3}), integers({2, 5, 4}, {3})},
                   {static_cast<int64_t>(DType::int64)}});
  for (const char* op : {"positive", "negative", "absolute"})
    all.push_back({std::string("int_") + op,
                   {integers({7, -2, 9}, {3})},
                   {static_cast<int64_t>(DType::int64)}});
  all.push_back({"to_integers", {drawn({3}, 2)}, {static_cast<int64_t>(DType::int64)}});
  return all;
}

}  // namespace cases
