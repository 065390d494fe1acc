#include "tapegrad/kernels/array/fingerprint.h"

#include <set>

#include "check.h"
#include "kernels/random_values.h"

using namespace tapegrad;

TEST(every_byte_counts) {
  for (DType d : {DType::float64, DType::float32, DType::int8, DType::bool_}) {
    const Value v = random_array({3, 1100}, 1, d, 0, 100);
    const uint64_t before = fingerprint(v);
    CHECK(before != 0 && fingerprint(v.copy()) == before);
    char* bytes = v.data<char>();
    const auto n = static_cast<int64_t>(v.byte_count());
    for (int64_t i = 0; i < n; i += 1 + i % 7) {
      bytes[i] ^= 1;
      CHECK(fingerprint(v) != before);
      bytes[i] ^= 1;
    }
    CHECK(fingerprint(v) == before);
  }
}

TEST(changes_do_not_cancel) {
  const Value v = random_array({4096}, 1, DType::float64, 0.5, 2);
  std::set<uint64_t> seen = {fingerprint(v)};
  double* x = v.data<double>();
  for (int64_t i = 0; i < v.size(); ++i) x[i] = -x[i];
  CHECK(seen.insert(fingerprint(v)).second);
  std::swap(x[0], x[8]);  // inside a chunk
  CHECK(seen.insert(fingerprint(v)).second);
  std::swap(x[1], x[1025]);  // between chunks, at the same place
  CHECK(seen.insert(fingerprint(v)).second);
  std::swap_ranges(x, x + 1024, x + 1024);  // whole chunks
  CHECK(seen.insert(fingerprint(v)).second);
  for (int64_t i = 0; i < 64; ++i) x[i] = -x[i];
  CHECK(seen.insert(fingerprint(v)).second);
  std::fill_n(x, v.size(), 0.0);
  CHECK(seen.insert(fingerprint(v)).second);
  x[4095] = -0.0;
  CHECK(seen.insert(fingerprint(v)).second);
  for (int64_t n : {0, 1, 2, 1023, 1024, 1025, 2048})
    CHECK(seen.insert(fingerprint(Value::zeros(DType::float64, Dims{n}))).second);
}

TEST(strides_do_not_matter) {
  const Value v = random_array({60, 70}, 2);
  const Value t = v.view(Dims{70, 60}, Dims{1, 70}, 0);
  CHECK(fingerprint(t) == fingerprint(t.copy()) && fingerprint(t) != fingerprint(v));
  const Value reversed = v.view(Dims{4200}, Dims{-1}, 4199);
  CHECK(fingerprint(reversed) == fingerprint(reversed.copy()));
  const Value i = random_array({60, 70}, 3, DType::int16, -99, 99);
  const Value strided = i.view(Dims{60, 35}, Dims{70, 2}, 1);
  CHECK(fingerprint(strided) == fingerprint(strided.copy()));
}

TEST(threads_do_not_matter) {
  const Value v = random_array({50000}, 4), t = v.view(Dims{100, 500}, Dims{1, 100}, 0);
  const uint64_t a = fingerprint(v), b = fingerprint(t);
  for (int threads : {1, 2, 3, 8}) {
    const UseThreads use(threads);
    const int64_t before = parallel_regions_run();
    CHECK(fingerprint(v) == a && fingerprint(t) == b);
    CHECK((parallel_regions_run() > before) == (threads > 1));
  }
}

TEST(scalars_by_their_bits) {
  CHECK(fingerprint(Value(0.0)) != fingerprint(Value(-0.0)));
  CHECK(fingerprint(Value(1.5)) == fingerprint(Value(1.5)));
}
