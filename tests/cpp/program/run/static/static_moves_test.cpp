#include "tapegrad/program/run/static/static_moves.h"

#include <cmath>
#include <numeric>

#include "program/programs.h"

using namespace programs;
using tapegrad::MoveRun;
using tapegrad::MoveRuns;

namespace {

std::optional<std::vector<MoveRuns>> runs(const char* name, const Attrs& attrs,
                                          std::vector<TensorType> in, size_t n_out = 1) {
  const std::vector<const Value*> constants(in.size(), nullptr);
  return tapegrad::runs_of_step(op_named(name), attrs, in, constants, n_out);
}

}  // namespace

TEST(a_roll_is_two_runs) {
  const auto found = runs("roll", {Ints{2}, Attr{}}, {f64({7})});
  CHECK(found && found->front().size() == 2);
  const MoveRun& first = found->front()[0];
  CHECK(first.source == 5 && first.at == 0 && first.count == 2 && first.stride == 1);
}

TEST(slices_of_packed_rows_are_where_they_lie) {
  const auto part = runs("slice", {Ints{1, 2, 1, 3}}, {f64({9})});
  CHECK(part && is_alias(part->front(), 3) && part->front()[0].source == 2);
  const auto row = runs("slice", {Ints{0, 1, 0, 0, 1, 0, 1, 4}}, {f64({3, 4})});
  CHECK(row && is_alias(row->front(), 4) && row->front()[0].source == 4);
  const auto column = runs("slice", {Ints{1, 0, 1, 3, 0, 2, 0, 0}}, {f64({3, 4})});
  CHECK(column && !is_alias(column->front(), 3) && column->front()[0].stride == 4);
}

TEST(what_is_filled_in_is_told_from_elements) {
  const auto zeros = runs("shift", {int64_t{0}, int64_t{2}, 0.5}, {f64({6})});
  CHECK(zeros && zeros->front().size() == 2);
  const MoveRun& fill = zeros->front()[0];
  CHECK(fill.input == MoveRun::none && fill.count == 2 && fill.fill == 0.5);
  std::vector<double> x{1, 2, 3, 4, 5, 6}, out(6);
  char* const in[] = {static_cast<char*>(static_cast<void*>(x.data()))};
  run_moves(zeros->front(), DType::float64, in, static_cast<char*>(static_cast<void*>(out.data())));
  CHECK(out == (std::vector<double>{0.5, 0.5, 1, 2, 3, 4}));
}

TEST(random_places_are_single_runs) {
  const auto found = runs("gather_axis", {int64_t{0}, Ints{4, 0, 3, 3, 1, 2}}, {f64({5})});
  if (!found) return;  // an op that says no more than that it is linear
  std::vector<double> x{10, 11, 12, 13, 14}, out(6);
  char* const in[] = {static_cast<char*>(static_cast<void*>(x.data()))};
  run_moves(found->front(), DType::float64, in, static_cast<char*>(static_cast<void*>(out.data())));
  CHECK(out == (std::vector<double>{14, 10, 13, 13, 11, 12}));
}

namespace {

// What runs, grouped or not, make of the numbers 0, 1 ... in an array of that many zeros.
std::vector<double> moved(const MoveRuns& runs, int64_t from, int64_t to) {
  std::vector<double> x(static_cast<size_t>(from)), out(static_cast<size_t>(to));
  std::iota(x.begin(), x.end(), 0.0);
  char* const in[] = {static_cast<char*>(static_cast<void*>(x.data()))};
  run_moves(runs, DType::float64, in, static_cast<char*>(static_cast<void*>(out.data())));
  return out;
}

MoveRuns taken(const Dims& shape, int axis, const std::vector<double>& index) {
  const Value at = Value::empty(DType::int64, Dims{std::ssize(index)});
  for (size_t i = 0; i < index.size(); ++i) at.data<int64_t>()[i] = static_cast<int64_t>(index[i]);
  return runs_of_take(shape, axis, at).value_or(MoveRuns());
}

}  // namespace

TEST(runs_of_one_form_are_one) {
  const MoveRuns rows = tapegrad::runs_of_broadcast(Dims{2, 1, 3}, Dims{2, 50, 3});
  const MoveRuns fewer = grouped(rows, true);
  CHECK(rows.size() == 99 && fewer.size() == 3 && fewer[0].times == 49);
  CHECK(moved(rows, 6, 300) == moved(fewer, 6, 300));
  // Columns that change places beside what stays, and a fill in each row.
  const auto shifted = runs("shift", {int64_t{1}, int64_t{1}, 0.5}, {f64({30, 20})});
  CHECK(shifted && shifted->front().size() >= 59 && grouped(shifted->front(), true).size() == 2);
  CHECK(moved(shifted->front(), 600, 600) == moved(grouped(shifted->front(), true), 600, 600));
}

TEST(elements_from_everywhere_are_listed) {
  std::vector<double> index;
  for (int i = 0; i < 100; ++i) index.push_back((i * 37 + i % 7) % 90);
  const MoveRuns found = taken(Dims{90}, 0, index), fewer = grouped(found, true);
  CHECK(moved(found, 90, 100) == index && moved(fewer, 90, 100) == index);
  CHECK(fewer.size() < found.size() / 4);
}

TEST(what_is_taken_along_an_axis) {
  CHECK(moved(taken(Dims{3, 2}, 0, {2, -3, 2}), 6, 6) == (std::vector<double>{4, 5, 0, 1, 4, 5}));
  CHECK(moved(taken(Dims{2, 3}, 1, {0, -1}), 6, 4) == (std::vector<double>{0, 2, 3, 5}));
  CHECK(taken(Dims{3}, 0, {3}).empty() && taken(Dims{3}, 0, {-4}).empty());
}

TEST(additions_keep_their_order) {
  std::vector<double> index;
  for (int i = 0; i < 60; ++i) index.push_back((i * i) % 13);
  for (const MoveRuns& r : {taken(Dims{13}, 0, index), grouped(taken(Dims{13}, 0, index), false)}) {
    std::vector<double> to(13), from(60), want(13);
    for (size_t i = 0; i < 60; ++i) {
      from[i] = std::ldexp(1.0 + static_cast<double>(i), static_cast<int>(i % 50));
      want[static_cast<size_t>(index[i])] += from[i];
    }
    run_additions(r, DType::float64, static_cast<char*>(static_cast<void*>(to.data())),
                  static_cast<const char*>(static_cast<const void*>(from.data())));
    CHECK(to == want);
  }
}

TEST(what_computes_or_converts_is_none) {
  CHECK(!runs("sin", {}, {f64({3})}));
  CHECK(!runs("cast", {static_cast<int64_t>(DType::float32)}, {f64({3})}));
  CHECK(!runs("slice_add", {Ints{1, 0, 1, 2}}, {f64({3}), f64({2})}));
}

TEST(a_row_spreads_over_a_matrix) {
  const MoveRuns rows = tapegrad::runs_of_broadcast(Dims{2}, Dims{3, 2});
  CHECK(rows.size() == 3);
  CHECK(tapegrad::runs_of_broadcast(Dims{3, 1}, Dims{3, 2}).size() <= 6);
}
