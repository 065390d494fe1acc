#include "tapegrad/base/pooled.h"

#include <numeric>

#include "check.h"

using namespace tapegrad;

TEST(vectors_take_their_memory_from_the_pool) {
  const size_t before = pool_stats().bytes_in_use;
  {
    PooledVector<double> x(1000, 2.0);
    x.resize(5000, 3.0);
    CHECK(pool_stats().bytes_in_use >= before + 5000 * sizeof(double));
    CHECK(reinterpret_cast<uintptr_t>(x.data()) % 64 == 0);
    CHECK(std::accumulate(x.begin(), x.end(), 0.0) == 1000 * 2.0 + 4000 * 3.0);
    PooledVector<PooledVector<int>> nested(3, PooledVector<int>(7, 1));
    nested.emplace_back(9);
    CHECK(nested[2][6] == 1 && nested[3].size() == 9);
  }
  CHECK(pool_stats().bytes_in_use == before);
}

TEST(arrays_give_it_back_once) {
  const size_t before = pool_stats().bytes_in_use;
  {
    PooledArray<int64_t> x(100), none;
    CHECK(x && !none);
    x[99] = 5;
    none = std::move(x);
    CHECK(none[99] == 5);
    const PooledArray<int64_t> y(std::move(none));
    CHECK(y.get()[99] == 5);
  }
  CHECK(pool_stats().bytes_in_use == before);
}
