// What the tests of products and factorizations share: random matrices, and each test run on
// OpenBLAS (where the build names one) and on the built-in kernels.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "check.h"
#include "tapegrad/kernels/blas/blas_library.h"
#include "tapegrad/parallel/parallel.h"

template <class T>
std::vector<T> random_matrix(int64_t size, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> values(size);
  for (T& value : values) value = static_cast<T>(uniform(generator));
  return values;
}

template <class F>
void on_each_library(F&& f) {
  const std::string standard = tapegrad::blas_library();
  if (!standard.empty()) {
    CHECK(tapegrad::blas_name().find("OpenBLAS ") == 0);
    f();
  }
  tapegrad::set_blas_library("");
  CHECK(tapegrad::blas_name() == "built-in");
  f();
  tapegrad::set_blas_library(standard);
}

// The result of f on 1, 2, 3 and 8 threads must be the same, to the bit, and the parallel path must
// have run.
template <class F>
void check_same_bits_for_any_threads(F&& f) {
  tapegrad::set_work_threshold_ns(0);
  tapegrad::set_num_threads(1);
  const auto serial = f();
  for (int threads : {2, 3, 8}) {
    tapegrad::set_num_threads(threads);
    const int64_t before = tapegrad::parallel_regions_run();
    CHECK(f() == serial);
    CHECK(tapegrad::parallel_regions_run() > before);
  }
  tapegrad::set_num_threads(0);
  tapegrad::set_work_threshold_ns(20000);
}
