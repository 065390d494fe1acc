#include "tapegrad/program/run/static/static_moves.h"

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
