#include "tapegrad/kernels/array/index.h"

#include "check.h"
#include "kernels/array_cases.h"

namespace tapegrad {
namespace {

using cases::random_array;
using cases::same_for_any_threads;

Value random_offsets(int64_t count, int64_t below) {
  cases::Random random;
  Value v = Value::empty(DType::int64, Dims{count});
  for (int64_t i = 0; i < count; ++i)
    v.set_at(i, static_cast<double>(
                    static_cast<int64_t>((random.next() + 1) / 2 * static_cast<double>(below))));
  return v;
}

// base has shape (before, rows, after); the index runs over the rows.
struct Problem {
  Dims before, after, before_strides, after_strides;
  Value base, offsets, update;

  Problem(int64_t b, int64_t rows, int64_t a, int64_t count, DType d = DType::float64)
      : before{b},
        after{a},
        before_strides{rows * a},
        after_strides{1},
        base(random_array({b, rows, a}, d)),
        offsets(random_offsets(count, rows)),
        update(random_array({b, count, a}, d)) {
    for (int64_t i = 0; i < count; ++i) offsets.data<int64_t>()[i] *= a;
  }
  GatherView view() const { return {before, before_strides, after, after_strides, 0, &offsets}; }
};

// One after the other, in the order of the indices.
Value slow_scatter(const Problem& p, bool adds) {
  Value out = p.base.copy();
  const int64_t count = p.offsets.size(), row = p.after[0];
  for (int64_t b = 0; b < p.before[0]; ++b)
    for (int64_t i = 0; i < count; ++i)
      for (int64_t q = 0; q < row; ++q) {
        const int64_t to = b * p.before_strides[0] + static_cast<int64_t>(p.offsets.at(i)) + q;
        const double u = p.update.at((b * count + i) * row + q);
        out.set_at(to, adds ? out.at(to) + u : u);
      }
  return out;
}

}  // namespace

// Shapes that take each way to split a scatter: by rows, by position in a row, by bucket of
// offsets.
TEST(scatters_agree_with_one_write_after_the_other) {
  for (DType d : {DType::float64, DType::float32}) {
    for (const Dims& s : {Dims{1, 500, 1, 70000}, Dims{1, 40000, 1, 70000}, Dims{40, 30, 3, 200},
                          Dims{2, 50, 2000, 40}, Dims{3, 100, 4, 1000}, Dims{1, 1, 1, 300}}) {
      const Problem p(s[0], s[1], s[2], s[3], d);
      for (bool adds : {true, false}) {
        const auto run = [&] {
          Value out = p.base.copy();
          if (adds) {
            scatter_add(out, p.view(), p.update);
          } else {
            scatter_set(out, p.view(), p.update);
          }
          return out;
        };
        CHECK(same_bits(run(), slow_scatter(p, adds)));
        CHECK(same_for_any_threads(run));
      }
    }
  }
}

Value gathered(const Problem& p) {
  Value out = Value::empty_like(p.update);
  gather_elements(out, p.base, p.view());
  return out;
}

int64_t wrong_elements(const Problem& p, const Value& out) {
  const int64_t count = p.offsets.size(), row = p.after[0];
  int64_t wrong = 0;
  for (int64_t i = 0; i < out.size(); ++i) {
    const int64_t from = i / (count * row) * p.before_strides[0] +
                         static_cast<int64_t>(p.offsets.at(i / row % count)) +
                         i % row * p.after_strides[0];
    wrong += out.at(i) != p.base.at(from);
  }
  return wrong;
}

TEST(gathers_for_any_number_of_threads) {
  for (const Dims& s : {Dims{1, 500, 1, 70000}, Dims{7, 30, 3, 2000}, Dims{2, 50, 20000, 3}}) {
    const Problem p(s[0], s[1], s[2], s[3]);
    const auto run = [&] { return gathered(p); };
    CHECK(same_for_any_threads(run));
    CHECK(wrong_elements(p, run()) == 0);
  }
}

// Each length of a row has its own loop, up to where they are copied in pieces.
TEST(rows_of_every_length) {
  for (DType d : {DType::float64, DType::float32, DType::int16, DType::int8}) {
    for (int64_t row = 1; row < 70; ++row) {
      const Problem p(3, 11, row, 40, d);
      CHECK(wrong_elements(p, gathered(p)) == 0);
      Value out = p.base.copy();
      scatter_set(out, p.view(), p.update);
      CHECK(same_bits(out, slow_scatter(p, false)));
      if (!is_floating(d)) continue;
      out = p.base.copy();
      scatter_add(out, p.view(), p.update);
      CHECK(same_bits(out, slow_scatter(p, true)));
    }
  }
}

TEST(rows_that_are_not_contiguous) {
  Problem p(4, 9, 6, 30);
  p.after = Dims{3};
  p.after_strides = Dims{2};
  p.update = random_array({4, 30, 3}, DType::float64);
  CHECK(wrong_elements(p, gathered(p)) == 0);
}

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

TEST(last_occurrences_dense_and_sparse) {
  for (int64_t spread : {1, 1000000}) {
    Value offsets = random_offsets(300, 100);
    for (int64_t i = 0; i < 300; ++i) offsets.data<int64_t>()[i] *= spread;
    bool all = true;
    const Value last = last_occurrences(offsets, &all);
    CHECK(!all);
    for (int64_t i = 0; i < 300; ++i) {
      bool later = false;
      for (int64_t j = i + 1; j < 300; ++j) later = later || offsets.at(j) == offsets.at(i);
      CHECK(last.at(i) == !later);
    }
  }
  const int64_t distinct[] = {4, 0, 1000000000};
  bool all = false;
  last_occurrences(Value::from_int64(distinct, Dims{3}), &all);
  CHECK(all);
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
