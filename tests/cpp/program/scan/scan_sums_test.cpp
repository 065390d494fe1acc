#include "tapegrad/program/scan/scan_sums.h"

#include "program/scan/scan_cases.h"

using namespace programs;
using namespace scans;
using namespace tapegrad;

namespace {

Value numbers_of(DType dtype, const Dims& shape, int seed) {
  return filled(dtype, shape, [seed](int64_t i) {
    return 0.01 * static_cast<double>((i * 37 + seed * 101) % 197) - 0.9;
  });
}

// `in`: a carry, then the first of each series, then the rest; series get `length` rows.
void check_sums(auto&& body, std::vector<Value> in, size_t n_xs, int64_t length, bool reverse) {
  const ScanForm f = form_of(body, in, length, 1, n_xs, reverse);
  for (size_t k = 1; k <= n_xs; ++k) {
    const TensorType rows = stacked_type(type_of(in[k]), length);
    in[k] = numbers_of(rows.dtype, rows.shape, static_cast<int>(k) + 7);
  }
  const auto scan = SumScan::of(f.body->program(), f.n_carry);
  CHECK(scan != nullptr);
  if (!scan) return;
  std::vector<Value> out(1);
  scan->run(f, in, out);
  const std::vector<Value> want = by_steps(f, in);
  CHECK(type_of(out[0]) == type_of(want[0]));
  CHECK(same_numbers(out[0], want[0]));
  // The op takes this way, and leaves its inputs as they are.
  const std::vector<Value> kept = in;
  std::vector<Value> made(1);
  CHECK(run_scan_of_sums(f, in, made));
  CHECK(same_numbers(made[0], want[0]));
  CHECK(same_numbers(in[0], kept[0]));
}

bool is_taken(auto&& body, const std::vector<Value>& in, size_t n_carry, size_t n_xs) {
  const ScanForm f = form_of(body, in, 5, n_carry, n_xs, false);
  return SumScan::of(f.body->program(), n_carry) != nullptr;
}

Refs rows(std::span<const Ref> a) { return {add(a[0], a[1])}; }
Refs products(std::span<const Ref> a) { return {add(multiply(a[1], a[2]), a[0])}; }

}  // namespace

TEST(rows_are_added_in_the_order_of_the_steps) {
  for (const DType dtype : {DType::float64, DType::float32})
    for (const int64_t n : {1, 2, 3, 4, 5, 6, 7, 8, 21})
      for (const int64_t length : {1, 3, 64, 150})
        check_sums(rows, {numbers_of(dtype, {n}, 1), numbers_of(dtype, {n}, 2)}, 1, length,
                   length % 2 == 1);
  check_sums(rows, {numbers_of(DType::float64, {3, 5}, 1), numbers_of(DType::float64, {3, 5}, 2)},
             1, 70, true);
  check_sums(rows, {Value(0.5), Value(0.25)}, 1, 70, false);
}

TEST(sums_of_numbers_are_taken_side_by_side) {
  for (const size_t n : {1, 2, 3, 7, 15}) {
    std::vector<Value> first(2 * n, Value(0.5));
    first[0] = numbers_of(DType::float64, {1}, 3);
    if (n == 1) first[n] = numbers_of(DType::float64, {1}, 4);
    if (n > 1) first[0] = Value(0.25);
    const auto body = [n](std::span<const Ref> a) {
      Refs sums;
      for (size_t c = 0; c < n; ++c) {
        sums.push_back(add(a[c], a[n + c]));
        if (c % 3 == 2) sums[c] = add(sums[c], a[n]);
      }
      return sums;
    };
    const ScanForm f = form_of(body, first, 37, n, n, n == 3);
    std::vector<Value> in = first;
    for (size_t k = n; k < 2 * n; ++k)
      in[k] = numbers_of(DType::float64, n == 1 ? Dims{37, 1} : Dims{37}, static_cast<int>(k));
    std::vector<Value> out(n);
    CHECK(run_scan_of_sums(f, in, out));
    const std::vector<Value> want = by_steps(f, in);
    for (size_t c = 0; c < n; ++c) {
      CHECK(type_of(out[c]) == type_of(want[c]));
      CHECK(same_numbers(out[c], want[c]));
    }
  }
}

TEST(products_of_columns_and_rows_stay_in_registers) {
  const int64_t sizes[][2] = {{1, 1}, {3, 1},  {1, 8},  {6, 6},   {5, 8},  {9, 16},
                              {7, 2}, {16, 2}, {2, 16}, {10, 32}, {4, 21}, {33, 3}};
  for (const DType dtype : {DType::float64, DType::float32})
    for (const auto& [m, n] : sizes)
      for (const int64_t length : {2, 64, 131})
        for (const bool swapped : {false, true}) {
          const Value first = numbers_of(dtype, {m, n}, 1), column = numbers_of(dtype, {m, 1}, 2),
                      row = numbers_of(dtype, {1, n}, 3);
          check_sums(products, {first, swapped ? row : column, swapped ? column : row}, 2, length,
                     length == 64);
        }
}

TEST(factors_may_be_numbers_of_more_axes_or_the_same_in_all_steps) {
  const auto f64 = [](const Dims& shape, int seed) {
    return numbers_of(DType::float64, shape, seed);
  };
  check_sums(products, {f64({9}, 1), Value(0.5), f64({9}, 2)}, 2, 20, false);
  check_sums(products, {f64({9}, 1), f64({9}, 2), Value(0.5)}, 1, 20, false);
  check_sums(products, {f64({2, 3, 4}, 1), f64({2, 3, 1}, 2), f64({4}, 3)}, 2, 20, true);
  check_sums(products, {f64({2, 3, 4}, 1), f64({3, 4}, 2), f64({2, 1, 1}, 3)}, 2, 20, false);
  check_sums(
      [](std::span<const Ref> a) -> Refs {
        return {add(a[0], multiply(reshape(a[1], Dims{4, 1}), reshape(a[2], Dims{1, 3})))};
      },
      {f64({4, 3}, 1), f64({4}, 2), f64({3}, 3)}, 2, 20, false);
}

TEST(several_terms_are_added_in_their_order) {
  const auto f64 = [](const Dims& shape, int seed) {
    return numbers_of(DType::float64, shape, seed);
  };
  for (const bool reverse : {false, true}) {
    check_sums(
        [](std::span<const Ref> a) -> Refs { return {add(a[2], add(add(a[0], a[1]), a[3]))}; },
        {f64({11}, 1), f64({11}, 2), f64({11}, 3), f64({11}, 4)}, 3, 70, reverse);
    for (const int64_t n : {3, 8, 16})
      check_sums(
          [](std::span<const Ref> a) -> Refs {
            return {add(multiply(a[3], a[4]), add(a[0], multiply(a[1], a[2])))};
          },
          {f64({5, n}, 1), f64({5, 1}, 2), f64({1, n}, 3), f64({1, n}, 4), f64({5, 1}, 5)}, 3, 70,
          reverse);
  }
  // Of one form: a row and a product are not.
  CHECK(!is_taken(
      [](std::span<const Ref> a) -> Refs { return {add(add(a[0], a[1]), multiply(a[2], a[3]))}; },
      {f64({5, 3}, 1), f64({5, 3}, 2), f64({5, 1}, 3), f64({1, 3}, 4)}, 1, 3));
}

TEST(a_body_that_does_more_is_left_alone) {
  const auto f64 = [](const Dims& shape) { return numbers_of(DType::float64, shape, 1); };
  const std::vector<Value> square{f64({3, 3}), f64({3, 3}), f64({3, 3})};
  CHECK(!is_taken(products, square, 1, 2));  // element by element
  CHECK(!is_taken(products, {f64({2, 3, 4}), f64({2, 1, 4}), f64({1, 3, 1})}, 1, 2));
  CHECK(!is_taken([](std::span<const Ref> a) -> Refs { return {add(a[0], a[0])}; }, square, 1, 2));
  CHECK(!is_taken([](std::span<const Ref> a) -> Refs { return {subtract(a[0], a[1])}; }, square, 1,
                  2));
  CHECK(!is_taken([](std::span<const Ref> a) -> Refs { return {add(a[0], a[1]), a[1]}; }, square, 1,
                  2));
  // Each adds the other.
  CHECK(!is_taken([](std::span<const Ref> a) -> Refs { return {add(a[1], a[2]), a[0]}; }, square, 2,
                  1));
  CHECK(!is_taken(rows, {f64({3, 0}), f64({3, 0})}, 1, 1));
}
