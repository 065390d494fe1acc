// Repetitions that hold several loops, loops that read what was made some turns before, and loops
// of loops.
#include <map>

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/passes/roll/find/roll_find.h"
#include "tapegrad/program/scan/scan.h"

using namespace programs;
using tapegrad::roll_loops;

namespace {

std::vector<Value> inputs_of(const Program& p, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Value> in;
  for (ValueId v : p.inputs) {
    Value x = Value::empty(DType::float64, p.type_of(v).shape);
    if (x.is_scalar()) x = Value(std::uniform_real_distribution<double>(0.1, 0.9)(random));
    for (int64_t i = 0; !x.is_scalar() && i < x.size(); ++i)
      x.set_at(i, std::uniform_real_distribution<double>(0.1, 0.9)(random));
    in.push_back(std::move(x));
  }
  return in;
}

void check_same_results(const Program& p, const Program& q, uint64_t seed = 1) {
  tapegrad::check_program(q);
  const std::vector<Value> in = inputs_of(p, seed);
  const std::vector<Value> want = run(p, in), got = run(q, in);
  CHECK(want.size() == got.size());
  for (size_t k = 0; k < want.size(); ++k) CHECK(same_numbers(want[k], got[k]));
}

size_t scans(const Program& p) {
  size_t found = 0;
  for (const Program::Step& s : p.steps) found += s.kernel < 0 && s.op == tapegrad::scan_op().id;
  return found;
}

Attrs at(int64_t i) { return {Ints{0, i, 0, 0}}; }
Attrs at(int64_t i, int64_t j) { return {Ints{0, i, 0, 0, 0, j, 0, 0}}; }

// cost[i, j] and the least of three neighbours, as an edit distance has them.
Program table(int64_t rows, int64_t columns) {
  Draft d;
  const ValueId cost = d.input({rows, columns});
  std::map<std::pair<int64_t, int64_t>, ValueId> cell;
  const auto cost_at = [&](int64_t i, int64_t j) { return d.op("slice", {cost}, at(i, j)); };
  cell[{0, 0}] = cost_at(0, 0);
  for (int64_t i = 1; i < rows; ++i) cell[{i, 0}] = d.op("add", {cell[{i - 1, 0}], cost_at(i, 0)});
  for (int64_t j = 1; j < columns; ++j)
    cell[{0, j}] = d.op("add", {cell[{0, j - 1}], cost_at(0, j)});
  for (int64_t i = 1; i < rows; ++i)
    for (int64_t j = 1; j < columns; ++j) {
      const ValueId beside = d.op("minimum", {cell[{i - 1, j}], cell[{i, j - 1}]});
      const ValueId least = d.op("minimum", {beside, cell[{i - 1, j - 1}]});
      cell[{i, j}] = d.op("add", {cost_at(i, j), least});
    }
  return d.returning({cell[{rows - 1, columns - 1}], cell[{rows / 2, columns - 2}]});
}

}  // namespace

TEST(every_row_of_a_table_is_a_loop) {
  const Program p = table(12, 70);
  const auto loops = tapegrad::find_loops(p, 8);
  uint32_t steps = 0;
  for (const tapegrad::RolledLoop& loop : loops) steps += loop.period * loop.count;
  CHECK(loops.size() >= 12 && loops.size() <= 14);
  CHECK(10 * steps >= 9 * p.steps.size());
}

// No row of so few numbers is a loop: the rows are one.
TEST(short_rows_are_turns_of_a_loop) {
  const auto loops = tapegrad::find_loops(table(400, 9), 8);
  CHECK(loops.size() <= 3);
  uint32_t longest = 0;
  for (const tapegrad::RolledLoop& loop : loops) longest = std::max(longest, loop.count);
  CHECK(longest >= 390);
}

// As where many numbers are added to in turn, more than a carry may be old.
TEST(sums_side_by_side_are_one_loop) {
  constexpr int64_t n = 500, sums = 25;
  Draft d;
  const ValueId xs = d.input({n, sums});
  std::vector<ValueId> sum(sums, d.constant(0.0));
  for (int64_t t = 0; t < n; ++t)
    for (int64_t k = 0; k < sums; ++k)
      sum[static_cast<size_t>(k)] =
          d.op("add", {sum[static_cast<size_t>(k)], d.op("sin", {d.op("slice", {xs}, at(t, k))})});
  for (const ValueId v : sum) d.writer().output(v);
  const auto loops = tapegrad::find_loops(d.returning({}), 8);
  CHECK(loops.size() == 1);
  CHECK(loops[0].count >= n - 2 && loops[0].carries.size() == sums);
}

TEST(loops_of_loops_are_loops) {
  const Program p = table(300, 300);  // so many numbers that loops over them are rolled
  const Program made = tapegrad::optimise(p, {});
  CHECK(made.steps.size() < 40);
  CHECK(scans(made) <= 6);
  check_same_results(p, made);
}

TEST(what_was_made_some_turns_before_is_carried) {
  constexpr int64_t n = 100, lanes = 6;
  for (const uint32_t age : {2u, 3u, 6u}) {
    Draft d;
    const ValueId xs = d.input({n}), a = d.input({lanes});
    std::vector<ValueId> y;
    for (uint32_t k = 0; k < age; ++k) y.push_back(d.input({lanes}));
    for (int64_t t = age; t < n; ++t) {
      const ValueId far = d.op("multiply", {a, y[static_cast<size_t>(t) - age]});
      const ValueId near = d.op("sin", {y[static_cast<size_t>(t) - 1]});
      y.push_back(d.op("add", {d.op("add", {far, near}), d.op("slice", {xs}, at(t))}));
    }
    const Program p = d.returning({y.back(), y[y.size() - 2], y[y.size() - 4], y[20]});
    const Program rolled = roll_loops(p);
    CHECK(scans(rolled) == 1);
    CHECK(rolled.steps.size() <= 16);
    check_same_results(p, rolled);
  }
}

// One after the other, and each from elsewhere; some read two turns back.
TEST(random_loops_in_one_repetition) {
  size_t found = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](size_t k) { return random() % k; };
    Draft d;
    const ValueId xs = d.input({400, 3}), w = d.input({3});
    std::vector<ValueId> known{w, d.input({3}), d.input({3})};
    const size_t reach = 1 + pick(3);
    int64_t row = 0;
    for (size_t loop = 2 + pick(4); loop-- > 0;) {
      const size_t turns = 6 + pick(40), length = known.size();
      const size_t start[] = {pick(length), pick(length), pick(length), pick(length)};
      const bool reads_other = pick(2);
      std::vector<ValueId> made;
      const auto before = [&](size_t age) {
        return made.size() >= age ? made[made.size() - age] : known[start[age - made.size()]];
      };
      for (size_t t = 0; t < turns; ++t) {
        const Attrs key{Ints{0, row++ % 400, 0, 0, 1, 0, 1, 3}};
        const ValueId x = d.op("slice", {xs}, key);
        const ValueId other = reads_other && t < length ? known[t] : before(1);
        const ValueId sum = d.op("add", {d.op("multiply", {before(reach), w}), x});
        const ValueId bent = d.op("tanh", {d.op("add", {sum, other})});
        const ValueId more = d.op("multiply", {d.op("cos", {bent}), d.op("sin", {before(1)})});
        made.push_back(d.op("add", {more, d.op("square", {bent})}));
      }
      for (ValueId v : made) known.push_back(v);
    }
    const Program p =
        d.returning({known.back(), known[known.size() - 2], known[pick(known.size())]});
    const Program rolled = roll_loops(p);
    found += scans(rolled);
    check_same_results(p, rolled, seed);
  }
  CHECK(found > 100);
}

// Points of a ring, whose neighbours are at wrapped positions: each row is a loop of all its
// points.
TEST(rows_of_a_ring_are_loops_of_all_their_points) {
  constexpr size_t n = 40, rows = 6;
  Draft d;
  const ValueId x = d.input({static_cast<int64_t>(n)}), a = d.input(Dims{});
  std::vector<ValueId> u;
  for (size_t i = 0; i < n; ++i) u.push_back(d.op("slice", {x}, at(static_cast<int64_t>(i))));
  for (size_t row = 0; row < rows; ++row) {
    std::vector<ValueId> next;
    for (size_t i = 0; i < n; ++i) {
      const ValueId beside = d.op("add", {u[(i + n - 1) % n], u[(i + 1) % n]});
      const ValueId moved = d.op("multiply", {a, d.op("subtract", {beside, u[i]})});
      next.push_back(d.op("add", {d.op("sin", {u[i]}), moved}));
    }
    u = next;
  }
  for (ValueId v : u) d.writer().output(v);
  const Program p = d.returning({});
  size_t whole = 0;
  for (const tapegrad::RolledLoop& loop :
       tapegrad::find_loops(p, 32, tapegrad::LoopKind::distributed))
    whole += loop.count == n && loop.period > 1;  // not what reads the points
  CHECK(whole == rows);
  check_same_results(p, tapegrad::distribute_loops(p));
}

// Elements of three arrays are added up in turn: that is no loop over a stack of the arrays.
TEST(arrays_that_take_turns_are_no_series) {
  constexpr int64_t n = 300;
  Draft d;
  const ValueId x[] = {d.input({n}), d.input({n}), d.input({n})};
  ValueId sum[] = {d.input(Dims{}), d.input(Dims{}), d.input(Dims{})};
  for (int64_t t = 0; t < n; ++t)
    for (size_t k = 0; k < 3; ++k) sum[k] = d.op("add", {sum[k], d.op("slice", {x[k]}, at(t))});
  const Program p = d.returning({sum[0], sum[1], sum[2]});
  const Program q = roll_loops(p);
  check_same_results(p, q);
  for (size_t v = 0; v < q.values.size(); ++v)
    CHECK(tapegrad::element_count(q.type_of(static_cast<ValueId>(v)).shape) <= n);
}

// The same of numbers that were made before: three sums are one turn, each with its own series.
TEST(sums_to_which_is_added_in_turn_are_a_turn_together) {
  constexpr int64_t n = 300;
  Draft d;
  const ValueId x[] = {d.input({n}), d.input({n}), d.input({n})};
  ValueId sum[] = {d.input(Dims{}), d.input(Dims{}), d.input(Dims{})};
  std::vector<ValueId> numbers;
  for (int64_t t = 0; t < n; ++t)
    for (size_t k = 0; k < 3; ++k) numbers.push_back(d.op("slice", {x[k]}, at(t)));
  for (size_t i = 0; i < numbers.size(); ++i) sum[i % 3] = d.op("add", {sum[i % 3], numbers[i]});
  const Program p = d.returning({sum[0], sum[1], sum[2]});
  size_t together = 0;
  for (const tapegrad::RolledLoop& loop : tapegrad::find_loops(p, 8, tapegrad::LoopKind::scan)) {
    const bool adds = loop.series.size() == 3 && loop.carries.size() == 3;
    together += adds && loop.period == 3 && loop.count == n;
    for (const auto& carry : loop.carries) CHECK(carry.age == 1);
  }
  CHECK(together == 1);
  check_same_results(p, roll_loops(p));
}

// So few turns that those are no more which would read what the last ones made.
TEST(loops_that_look_back_further_than_they_go_on) {
  for (size_t age = 1; age <= 6; ++age)
    for (size_t turns = 8; turns <= 14; ++turns) {
      Draft d;
      std::vector<ValueId> made;
      for (size_t k = 0; k < age; ++k) made.push_back(d.input(Dims{}));
      for (size_t t = 0; t < turns; ++t) {
        const ValueId moved = d.op("sin", {made[made.size() - age]});
        made.push_back(d.op("add", {t < 4 ? made[0] : made.back(), moved}));
      }
      const Program p = d.returning({made.back()});
      for (const uint32_t least : {3u, 8u}) tapegrad::find_loops(p, least);
      check_same_results(p, roll_loops(p));
    }
}
