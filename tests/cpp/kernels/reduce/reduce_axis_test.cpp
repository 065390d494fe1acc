#include "tapegrad/kernels/reduce/reduce_axis.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "kernels/array_cases.h"

using namespace tapegrad;
using namespace cases;

namespace {

const Fold all_folds[] = {
    Fold::sum,     Fold::prod,       Fold::max, Fold::min, Fold::square_deviation,
    Fold::exp_sum, Fold::count_equal};

bool parametric(Fold f) { return f >= Fold::square_deviation; }

double naive_step(Fold f, double acc, double x, double p) {
  switch (f) {
    case Fold::sum:
      return acc + x;
    case Fold::prod:
      return acc * x;
    case Fold::max:
      return x > acc || std::isnan(x) ? x : acc;
    case Fold::min:
      return x < acc || std::isnan(x) ? x : acc;
    case Fold::square_deviation:
      return acc + (x - p) * (x - p);
    case Fold::exp_sum:
      return acc + std::exp(x - p);
    default:
      return acc + (x == p ? 1 : 0);
  }
}

double naive_start(Fold f) {
  const double inf = std::numeric_limits<double>::infinity();
  return f == Fold::prod ? 1 : f == Fold::max ? -inf : f == Fold::min ? inf : 0;
}

Dims kept_shape(const Dims& shape, const Dims& reduced) {
  Dims out;
  for (size_t i = 0; i < shape.size(); ++i)
    if (!reduced[i]) out.push_back(shape[i]);
  return out;
}

Value naive(Fold f, const Value& v, const Dims& reduced, const Value& parameter) {
  const Dims shape = v.shape(), kept = kept_shape(shape, reduced);
  Value out = Value::full(v.dtype(), kept, naive_start(f));
  std::vector<double> total(static_cast<size_t>(out.size()), naive_start(f));
  for (int64_t i = 0; i < v.size(); ++i) {
    const int64_t at = flat_of(kept_shape(index_of(i, shape), reduced), kept);
    double& acc = total[static_cast<size_t>(at)];
    acc = naive_step(f, acc, v.at(i), parametric(f) ? parameter.at(at) : 0);
  }
  for (int64_t i = 0; i < out.size(); ++i) out.set_at(i, total[static_cast<size_t>(i)]);
  return out;
}

// Equal up to rounding, elementwise.
bool close(const Value& a, const Value& b, double tol) {
  if (a.dtype() != b.dtype() || !(a.shape() == b.shape())) return false;
  for (int64_t i = 0; i < a.size(); ++i)
    if (!check::close(a.at(i), b.at(i), tol)) return false;
  return true;
}

Value parameter_for(Fold f, const Value& v, const Dims& reduced) {
  return f == Fold::count_equal ? fold_axes(Fold::max, v, reduced)
                                : random_array(kept_shape(v.shape(), reduced), v.dtype());
}

void check_all_axes(const Dims& shape, DType d) {
  for (int layout = 0; layout < layouts; ++layout) {
    const Value v = laid_out(shape, layout, d);
    for (int mask = 0; mask < 1 << shape.ndim(); ++mask) {
      Dims reduced(shape.size());
      for (size_t i = 0; i < shape.size(); ++i) reduced[i] = mask >> i & 1;
      for (Fold f : all_folds) {
        const Value p = parameter_for(f, v, reduced);
        const Value got = fold_axes(f, v, reduced, parametric(f) ? &p : nullptr);
        CHECK(close(got, naive(f, v, reduced, p), d == DType::float32 ? 2e-5 : 1e-12));
      }
    }
  }
}

}  // namespace

TEST(matches_plain_loops_for_every_layout_and_choice_of_axes) {
  for (DType d : {DType::float64, DType::float32}) {
    check_all_axes({7}, d);
    check_all_axes({1}, d);
    check_all_axes({1030}, d);
    check_all_axes({3, 5}, d);
    check_all_axes({70, 3}, d);
    check_all_axes({3, 600}, d);
    check_all_axes({1, 4, 1}, d);
    check_all_axes({4, 3, 5}, d);
    check_all_axes({2, 1100, 3}, d);
    check_all_axes({2, 3, 2, 4}, d);
    check_all_axes({3, 4, 20}, d);
    check_all_axes({2, 3, 2, 17}, d);
  }
}

TEST(scalars_fold_to_their_own_term) {
  const Value v = Value::scalar(3), p = Value::scalar(1);
  CHECK(fold_axes(Fold::sum, v, {}).at(0) == 3);
  CHECK(fold_axes(Fold::max, v, {}).at(0) == 3);
  CHECK(fold_axes(Fold::square_deviation, v, {}, &p).at(0) == 4);
  CHECK(fold_axes(Fold::count_equal, v, {}, &v).at(0) == 1);
}

TEST(empty_reductions_give_the_identity) {
  const Value v = Value::empty(DType::float64, Dims{0, 3});
  const Value sum = fold_axes(Fold::sum, v, {1, 0});
  CHECK(sum.shape() == Dims{3});
  CHECK(sum.at(0) == 0 && !std::signbit(sum.at(0)));
  CHECK(fold_axes(Fold::prod, v, {1, 1}).at(0) == 1);
  CHECK(fold_axes(Fold::max, v, {1, 0}).at(2) == -std::numeric_limits<double>::infinity());
  CHECK(fold_axes(Fold::sum, v, {0, 1}).shape() == Dims{0});
}

TEST(nan_reaches_max_and_min_wherever_it_stands) {
  for (int64_t n : {1, 2, 5, 31, 100, 2000})
    for (int64_t at : {int64_t{0}, n / 2, n - 1}) {
      Value v = random_array({n});
      v.set_at(at, std::nan(""));
      CHECK(std::isnan(fold_axes(Fold::max, v, {1}).at(0)));
      CHECK(std::isnan(fold_axes(Fold::min, v, {1}).at(0)));
      const Value columns = v.view(Dims{n, 1}, Dims{1, 1}, 0).reshaped(Dims{n, 1});
      CHECK(std::isnan(fold_axes(Fold::max, columns, {1, 0}).at(0)));
    }
}

TEST(infinities_and_negative_zeros_survive) {
  const double inf = std::numeric_limits<double>::infinity();
  const Value v = Value::full(DType::float64, Dims{40}, -inf);
  CHECK(fold_axes(Fold::max, v, {1}).at(0) == -inf);
  CHECK(fold_axes(Fold::sum, v, {1}).at(0) == -inf);
  CHECK(std::signbit(fold_axes(Fold::sum, Value::full(DType::float64, Dims{40}, -0.0), {1}).at(0)));
  const Value p = Value::scalar(0);
  CHECK(fold_axes(Fold::exp_sum, v, {1}, &p).at(0) == 0);
}

TEST(integers_wrap_and_keep_all_their_bits) {
  const int64_t big = (int64_t{1} << 62) + 1;
  const int64_t items[] = {big, big, 5};
  const Value v = Value::from_int64(items, Dims{3});
  CHECK(fold_axes(Fold::max, v, {1}).as_int64() == big);
  CHECK(fold_axes(Fold::min, v, {1}).as_int64() == 5);
  CHECK(fold_axes(Fold::sum, v, {1}).as_int64() ==
        static_cast<int64_t>(2 * static_cast<uint64_t>(big) + 5));
  CHECK_THROWS(TypeError, fold_axes(Fold::sum, Value::full(DType::int8, Dims{3}, 1), {1}));
}

TEST(long_float32_sums_are_as_good_as_pairwise_ones) {
  const int64_t n = 1 << 22;
  const Value ones = Value::full(DType::float32, Dims{n}, 0.1);
  const double exact = static_cast<double>(n) * static_cast<double>(0.1f);
  CHECK_CLOSE(fold_axes(Fold::sum, ones, {1}).at(0) / exact, 1.0, 1e-6);
  const Value tall = ones.reshaped(Dims{n / 4, 4});
  CHECK_CLOSE(fold_axes(Fold::sum, tall, {1, 0}).at(2) / exact * 4, 1.0, 1e-6);
}

TEST(bits_do_not_depend_on_the_number_of_threads) {
  const Dims shapes[] = {{50000}, {3, 20000}, {20000, 3}, {40, 30, 50}, {2, 5000, 7}, {3000, 2}};
  for (DType d : {DType::float64, DType::float32})
    for (const Dims& shape : shapes)
      for (int layout = 0; layout < layouts; ++layout) {
        const Value v = laid_out(shape, layout, d);
        for (int mask = 1; mask < 1 << shape.ndim(); ++mask) {
          Dims reduced(shape.size());
          for (size_t i = 0; i < shape.size(); ++i) reduced[i] = mask >> i & 1;
          if (kept_shape(shape, reduced) == shape) continue;
          const Value p = parameter_for(Fold::square_deviation, v, reduced);
          CHECK(same_for_any_threads([&] { return fold_axes(Fold::sum, v, reduced); }));
          CHECK(same_for_any_threads(
              [&] { return fold_axes(Fold::square_deviation, v, reduced, &p); }));
        }
      }
}
