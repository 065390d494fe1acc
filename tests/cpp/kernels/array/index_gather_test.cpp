#include <algorithm>

#include "check.h"
#include "kernels/array_cases.h"
#include "tapegrad/base/error.h"
#include "tapegrad/kernels/array/index.h"

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

// Where the elements of a view lie in the base, in the order of the update.
std::vector<int64_t> positions(const GatherView& view) {
  std::vector<int64_t> found;
  const Dims before(view.before.data(), view.before.size()),
      after(view.after.data(), view.after.size());
  for (int64_t p = 0; p < element_count(before); ++p)
    for (int64_t b = 0; b < view.offsets->size(); ++b)
      for (int64_t q = 0; q < element_count(after); ++q) {
        int64_t at = view.offset + view.offsets->data<int64_t>()[b];
        const Dims i = cases::index_of(p, before), j = cases::index_of(q, after);
        for (size_t k = 0; k < i.size(); ++k) at += i[k] * view.before_strides[k];
        for (size_t k = 0; k < j.size(); ++k) at += j[k] * view.after_strides[k];
        found.push_back(at);
      }
  return found;
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

// An array of shape (2, 3, 7, 2, 4), of which the third axis is indexed and the others are walked
// forwards or backwards, in pairs that do and do not merge into one.
TEST(axes_on_both_sides_with_strides_of_either_sign) {
  const Value base = random_array({2, 3, 7, 2, 4});
  Value offsets = random_offsets(90, 7);
  for (int64_t i = 0; i < 90; ++i) offsets.data<int64_t>()[i] *= 8;
  const Value update = random_array({2, 3, 90, 2, 4});
  for (int flips = 0; flips < 16; ++flips) {
    const Dims lengths{2, 3, 2, 4}, strides{168, 56, 4, 1};
    Dims turned = strides;
    int64_t offset = 0;
    for (size_t k = 0; k < 4; ++k) {
      if (!(flips >> k & 1)) continue;
      offset += (lengths[k] - 1) * strides[k];
      turned[k] = -strides[k];
    }
    const Dims before(lengths.data(), 2), after(lengths.data() + 2, 2);
    const Dims before_strides(turned.data(), 2), after_strides(turned.data() + 2, 2);
    const GatherView view{before, before_strides, after, after_strides, offset, &offsets};
    const std::vector<int64_t> at = positions(view);
    const auto gather = [&] {
      Value out = Value::empty_like(update);
      gather_elements(out, base, view);
      return out;
    };
    Value expected = Value::empty_like(update), set = base.copy(), sum = base.copy();
    for (size_t i = 0; i < at.size(); ++i) {
      const auto k = static_cast<int64_t>(i);
      expected.set_at(k, base.at(at[i]));
      set.set_at(at[i], update.at(k));
      sum.set_at(at[i], sum.at(at[i]) + update.at(k));
    }
    CHECK(same_bits(gather(), expected) && same_for_any_threads(gather));
    for (const bool adds : {false, true}) {
      const auto scatter = [&] {
        Value out = base.copy();
        (adds ? scatter_add : scatter_set)(out, view, update);
        return out;
      };
      CHECK(same_bits(scatter(), adds ? sum : set) && same_for_any_threads(scatter));
    }
  }
}

// Four updates of one element stand at both sides of the borders between the chunks in which index
// tuples are sorted; in another order their sum would be 0.
TEST(updates_at_the_borders_of_chunks_keep_their_order) {
  constexpr int64_t chunk = 1 << 15, count = 2 * chunk + 1, size = 6;
  Value offsets = Value::empty(DType::int64, Dims{count});
  Value update = Value::zeros(DType::float64, Dims{count});
  for (int64_t i = 0; i < count; ++i) offsets.data<int64_t>()[i] = 1 + i % (size - 1);
  const int64_t places[] = {chunk - 1, chunk, 2 * chunk - 1, 2 * chunk};
  const double terms[] = {1e16, 1, -1e16, 1};
  for (size_t k = 0; k < 4; ++k) {
    offsets.data<int64_t>()[places[k]] = 0;
    update.set_at(places[k], terms[k]);
  }
  const Dims none;
  const GatherView view{none, none, none, none, 0, &offsets};
  const auto scatter = [&] {
    Value out = Value::zeros(DType::float64, Dims{size});
    scatter_add(out, view, update);
    return out;
  };
  CHECK(scatter().at(0) == 1);
  CHECK(same_for_any_threads(scatter));
  update.set_at(2 * chunk, 9);
  const auto set = [&] {
    Value out = Value::zeros(DType::float64, Dims{size});
    scatter_set(out, view, update);
    return out;
  };
  CHECK(set().at(0) == 9);
  CHECK(same_for_any_threads(set));
}

TEST(no_index_at_all_changes_nothing) {
  const Problem p(2, 5, 3, 0);
  Value out = p.base.copy();
  scatter_add(out, p.view(), p.update);
  scatter_set(out, p.view(), p.update);
  CHECK(same_bits(out, p.base));
  CHECK(gathered(p).size() == 0);
}

TEST(updates_of_integers_are_refused) {
  const Problem p(1, 5, 1, 3, DType::int64);
  CHECK_THROWS_SAYING(TypeError, "an index update adds to float32 or float64 arrays, not to int64",
                      scatter_add(p.base.copy(), p.view(), p.update));
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

TEST(one_index_and_none_occur_last) {
  for (const int64_t n : {0, 1}) {
    bool all = false;
    const Value last = last_occurrences(Value::zeros(DType::int64, Dims{n}), &all);
    CHECK(all && last.size() == n);
    if (n == 1) CHECK(last.at(0) == 1);
  }
}

}  // namespace tapegrad
