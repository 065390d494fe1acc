#include "tapegrad/kernels/array/index.h"

#include "check.h"
#include "kernels/array_cases.h"

namespace tapegrad {
namespace {

using cases::random_array;
using cases::same_for_any_threads;

}  // namespace

TEST(regions_for_any_number_of_threads) {
  const Value base = random_array({90, 70, 40}), update = random_array({30, 1, 40});
  const Dims shape{30, 70, 40}, strides{-2800 * 3, 40, 1};
  const RegionView region{shape, strides, 2800 * 89};
  CHECK(same_for_any_threads([&] { return copy_region(base, region); }));
  CHECK(same_for_any_threads([&] {
    Value out = base.copy();
    set_region(out, region, update);
    return out;
  }));
  CHECK(same_for_any_threads([&] {
    Value out = base.copy();
    add_region(out, region, copy_region(base, region));
    return out;
  }));
}

TEST(offsets_wrap_broadcast_and_name_the_axis) {
  const int64_t i[] = {0, -1}, j[] = {2, -3, 1};
  const Value indices[] = {Value::from_int64(i, Dims{2, 1}), Value::from_int64(j, Dims{3})};
  const Value offsets = index_offsets(indices, Dims{2, 3}, Dims{1, 2}, Dims{5, 4}, Dims{4, 1});
  const double expected[] = {2, 1, 1, 18, 17, 17};
  for (int64_t k = 0; k < 6; ++k) CHECK(offsets.at(k) == expected[k]);
  CHECK_THROWS_SAYING(IndexError, "index 2 is out of bounds for axis 2 with size 2",
                      index_offsets(indices, Dims{2, 3}, Dims{1, 2}, Dims{5, 2}, Dims{4, 1}));
}

TEST(nonzero_finds_every_position) {
  for (const Dims& shape : {Dims{17}, Dims{3, 20}, Dims{2, 3, 9}, Dims{4, 0}, Dims{1, 1}}) {
    Value mask = Value::zeros(DType::bool_, shape);
    for (int64_t i = 0; i < mask.size(); ++i) mask.set_at(i, i % 11 == 3 || i % 7 == 0);
    const std::vector<Value> found = nonzero(mask.raw(), shape);
    CHECK(found.size() == shape.size());
    int64_t at = 0;
    for (int64_t i = 0; i < mask.size(); ++i) {
      if (mask.at(i) == 0) continue;
      const Dims index = cases::index_of(i, shape);
      for (size_t k = 0; k < shape.size(); ++k)
        CHECK(found[k].at(at) == static_cast<double>(index[k]));
      ++at;
    }
    CHECK(found[0].size() == at);
  }
}

TEST(only_floats_are_added_to) {
  const Value counts = Value::zeros(DType::int64, Dims{3});
  const Dims shape{3}, strides{1};
  CHECK_THROWS(TypeError, add_region(counts, {shape, strides, 0}, counts));
}

}  // namespace tapegrad
