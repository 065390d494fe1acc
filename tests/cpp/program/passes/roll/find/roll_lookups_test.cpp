#include "tapegrad/program/passes/roll/find/roll_lookups.h"

#include <algorithm>

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/passes/roll/find/roll_find.h"
#include "tapegrad/program/scan/scan.h"

using namespace programs;
using tapegrad::roll_loops;

// Loops whose positions come from data, as the symbols of a hidden Markov model.

namespace {

constexpr int64_t n = 6;

Attrs entry(int64_t i, int64_t j) { return {Ints{0, i, 0, 0, 0, j, 0, 0}}; }
Attrs row(int64_t i) { return {Ints{0, i, 0, 0, 1, 0, 1, n}}; }
Attrs column(int64_t j) { return {Ints{1, 0, 1, n, 0, j, 0, 0}}; }

std::vector<Value> inputs_of(const Program& p) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> number(-1, 1);
  std::vector<Value> in;
  for (ValueId v : p.inputs)
    in.push_back(
        filled(DType::float64, p.type_of(v).shape, [&](int64_t) { return number(random); }));
  return in;
}

size_t scans(const Program& p) {
  return static_cast<size_t>(std::ranges::count_if(p.steps, [](const Program::Step& s) {
    return s.kernel < 0 && s.op == tapegrad::scan_op().id;
  }));
}

void check_same_bits(const Program& p, const Program& rolled) {
  tapegrad::check_program(rolled);
  const std::vector<Value> in = inputs_of(p), want = run(p, in), got = run(rolled, in);
  for (size_t k = 0; k < want.size(); ++k) CHECK(same_numbers(want[k], got[k]));
}

}  // namespace

TEST(shared_lookups_stand_before_the_loop_that_reads_them) {
  Draft d;
  const ValueId table = d.input({n, n}), start = d.input({n});
  std::vector<ValueId> columns(n, ~ValueId{0});
  ValueId h = start;
  std::mt19937_64 random(1);
  for (int t = 0; t < 80; ++t) {
    const size_t j = random() % n;  // looked up at its first use alone
    if (columns[j] == ~ValueId{0})
      columns[j] = d.op("slice", {table}, column(static_cast<int64_t>(j)));
    h = d.op("tanh", {d.op("add", {d.op("sin", {h}), columns[j]})});
  }
  const Program p = d.returning({h}), early = tapegrad::lookups_before_loops(p).value();
  check_same_bits(p, early);
  for (size_t k = 0; k < early.steps.size(); ++k)
    CHECK((tapegrad::op_by_id(early.steps[k].op).name == std::string_view("slice")) == (k < n));
  const Program rolled = roll_loops(p);
  CHECK(scans(rolled) == 1);
  check_same_bits(p, rolled);
}

TEST(additions_at_positions_from_data_are_made_behind_the_loop) {
  Draft d;
  const ValueId start = d.input({n});
  ValueId h = start, of_table = d.input({n, n}), counts = d.input({n, n});
  std::mt19937_64 random(2);
  for (int t = 0; t < 80; ++t) {
    const auto j = static_cast<int64_t>(random() % n), k = static_cast<int64_t>(random() % n);
    h = d.op("tanh", {d.op("add", {d.op("sin", {h}), start})});
    of_table = d.op("slice_add", {of_table, h}, column(j));
    counts = d.op("slice_add", {counts, d.op("sum", {h}, {std::monostate{}, false})}, entry(j, k));
  }
  const Program p = d.returning({h, of_table, counts}), rolled = roll_loops(p);
  CHECK(scans(rolled) == 1);
  CHECK(rolled.steps.size() < 8);
  check_same_bits(p, rolled);
}

// Both ends of an edge, say: one step makes all additions, turn by turn, so that each element gets
// them in the order in which they came.
TEST(additions_of_a_turn_to_parts_that_may_be_the_same_are_made_together) {
  Draft d;
  const ValueId start = d.input({n});
  ValueId h = start, of_table = d.input({n, n});
  std::mt19937_64 random(4);
  for (int t = 0; t < 80; ++t) {
    const auto i = static_cast<int64_t>(random() % n), j = static_cast<int64_t>(random() % n);
    h = d.op("tanh", {d.op("add", {d.op("sin", {h}), start})});
    of_table = d.op("slice_add", {of_table, h}, row(i));
    of_table = d.op("slice_add", {of_table, d.op("negative", {h})}, row(j));
  }
  const Program p = d.returning({h, of_table}), rolled = roll_loops(p);
  CHECK(scans(rolled) == 1);
  CHECK(std::ranges::count_if(rolled.steps, [](const Program::Step& s) {
          return s.op == op_named("gather_add").id;
        }) == 1);
  for (const Program::Step& s : rolled.steps)
    if (s.op == tapegrad::scan_op().id)
      for (const auto& t : tapegrad::ScanForm(rolled.attrs_of(s)).body->program().types)
        CHECK(t.shape.ndim() < 2);  // the table is no carry
  check_same_bits(p, rolled);
}

TEST(additions_that_others_read_in_between_stay_in_the_loop) {
  Draft d;
  const ValueId start = d.input({n}), w = d.input({n, n});
  ValueId h = start, total = d.input({n, n});
  std::mt19937_64 random(3);
  for (int t = 0; t < 80; ++t) {
    const auto j = static_cast<int64_t>(random() % n), k = static_cast<int64_t>(random() % n);
    h = d.op("tanh", {d.op("add", {d.op("sin", {h}), start})});
    total = d.op("add", {total, d.op("multiply", {w, h})});
    total = d.op("slice_add", {total, d.constant(-1.0)}, entry(j, k));
  }
  const Program p = d.returning({h, total}), rolled = roll_loops(p);
  CHECK(scans(rolled) == 1);
  CHECK(rolled.steps.size() < 8);
  check_same_bits(p, rolled);
}

TEST(random_loops_with_positions_from_data_compute_what_they_did) {
  size_t n_rolled = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](size_t k) { return random() % k; };
    const auto position = [&] { return static_cast<int64_t>(pick(n)); };
    const int turns = 60 + static_cast<int>(pick(20));
    enum {
      read_column,
      read_entry,
      read_row,
      add_column,
      add_entry,
      add_row,
      set_row,
      whole,
      n_kinds
    };
    std::vector<size_t> kinds(1 + pick(5));
    for (size_t& kind : kinds) kind = pick(n_kinds);
    const bool shares = pick(2), backwards = pick(2);
    Draft d;
    const ValueId table = d.input({80, n}), square = d.input({n, n});
    ValueId h = d.input({n}), tall = d.input({80, n}), wide = d.input({n, n});
    std::map<std::vector<int64_t>, ValueId> known;
    const auto look_up = [&](ValueId from, const Attrs& key) {
      std::vector<int64_t> code = key.integers(tapegrad::index_attrs::code);
      code.push_back(from);
      if (const auto found = known.find(code); shares && found != known.end()) return found->second;
      return known[code] = d.op("slice", {from}, key);
    };
    for (int turn = 0; turn < turns; ++turn) {
      const int64_t t = backwards ? turns - 1 - turn : turn;
      h = d.op("tanh", {d.op("add", {d.op("sin", {h}), h})});
      for (size_t kind : kinds) {
        switch (kind) {
          case read_column:
            h = d.op("multiply", {h, look_up(square, column(position()))});
            break;
          case read_entry:
            h = d.op("multiply", {h, look_up(square, entry(position(), position()))});
            break;
          case read_row:
            h = d.op("add", {h, look_up(table, row(t))});
            break;
          case add_column:
            wide = d.op("slice_add", {wide, h}, column(position()));
            break;
          case add_entry:
            tall = d.op("slice_add", {tall, d.op("sum", {h}, {std::monostate{}, false})},
                        entry(t, position()));
            break;
          case add_row:
            tall = d.op("slice_add", {tall, h}, row(t));
            break;
          case set_row:
            wide = d.op("slice_set", {wide, h}, row(position()));
            break;
          default:
            wide = d.op("add", {wide, d.op("multiply", {square, h})});
        }
      }
    }
    const Program p = d.returning({h, tall, wide}), rolled = roll_loops(p);
    n_rolled += scans(rolled) > 0;
    check_same_bits(p, rolled);
  }
  CHECK(n_rolled > 200);
}
