// Loops over numbers, of which what does not recur is made for all turns at once.
#include "program/passes/roll/distribute/distributed.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/passes/roll/find/roll_find.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/scan/scan_sums.h"

using namespace distributed;

namespace {

Attrs at(int64_t i) { return {Ints{0, i, 0, 0}}; }

}  // namespace

TEST(independent_terms_are_made_at_once) {
  constexpr int64_t n = 1000;
  Draft d;
  const ValueId x = d.input({n}), a = d.input(Dims{});
  ValueId total = d.constant(0.0);
  for (int64_t t = 0; t < n; ++t) {
    const ValueId product = d.op("multiply", {a, d.op("slice", {x}, at(t))});
    total = d.op("add", {total, d.op("exp", {product})});
  }
  const Program q = check_distributed(d.returning({total}));
  CHECK(steps_of(q, "exp", true) == 1 && steps_of(q, "exp", false) == 0);
  CHECK(steps_of(q, "multiply", true) == 1 && steps_of(q, "multiply", false) == 0);
  CHECK(steps_of(q, "add", false) == 0 && steps_of(q, "scan", false) == 1);
}

TEST(what_recurs_stays_and_what_reads_it_comes_behind) {
  constexpr int64_t n = 200;
  Draft d;
  const ValueId x = d.input({n}), a = d.input(Dims{});
  ValueId h = d.input(Dims{}), total = d.constant(0.0);
  std::vector<ValueId> made;
  for (int64_t t = 0; t < n; ++t) {
    const ValueId news = d.op("sin", {d.op("cos", {d.op("slice", {x}, at(t))})});
    h = d.op("add", {d.op("multiply", {a, h}), news});
    made.push_back(h);
    const ValueId bent = d.op("tanh", {d.op("exp", {d.op("sin", {h})})});
    total = d.op("add", {total, d.op("divide", {d.op("log", {bent}), h})});
  }
  const Program q = check_distributed(d.returning({h, total, made[7]}));
  for (const char* name : {"cos", "tanh", "exp", "log", "divide"})
    CHECK(steps_of(q, name, true) == 1 && steps_of(q, name, false) == 0);
  CHECK(steps_of(q, "multiply", false) == n);
}

TEST(a_loop_reads_what_another_made_at_once_backwards) {
  constexpr int64_t n = 800;
  Draft d;
  const ValueId x = d.input({n});
  std::vector<ValueId> made;
  ValueId total = d.constant(0.0);
  for (int64_t t = 0; t < n; ++t) {
    made.push_back(d.op("exp", {d.op("slice", {x}, at(t))}));
    total = d.op("add", {total, d.op("sqrt", {made.back()})});
  }
  ValueId back = d.constant(0.5);
  for (size_t t = n; t-- > 0;) {
    const ValueId slope = d.op("cos", {d.op("negative", {made[t]})});
    back = d.op("add", {d.op("multiply", {back, d.constant(0.9)}), slope});
  }
  const Program q = check_distributed(d.returning({total, back}));
  CHECK(steps_of(q, "cos", true) == 1 && steps_of(q, "cos", false) == 0);
  CHECK(steps_of(q, "stack", true) == 0);
}

TEST(what_is_taken_away_again_and_again_is_a_sum_too) {
  constexpr int64_t n = 300;
  Draft d;
  const ValueId x = d.input({n}), a = d.input(Dims{});
  ValueId up = d.constant(0.0), down = d.constant(0.5);
  for (int64_t t = 0; t < n; ++t) {
    const ValueId term = d.op("exp", {d.op("multiply", {a, d.op("slice", {x}, at(t))})});
    up = d.op("add", {up, term});
    down = d.op("subtract", {down, term});
  }
  const Program q = check_distributed(d.returning({up, down}));
  CHECK(steps_of(q, "add", false) == 0 && steps_of(q, "subtract", false) == 0);
}

TEST(what_a_sum_is_taken_from_is_no_sum) {
  constexpr int64_t n = 300;
  Draft d;
  const ValueId x = d.input({n});
  ValueId y = d.constant(0.5);
  for (int64_t t = 0; t < n; ++t)
    y = d.op("subtract", {d.op("exp", {d.op("slice", {x}, at(t))}), y});
  CHECK(steps_of(check_distributed(d.returning({y})), "subtract", false) == n);
}

// Algebra leaves a turn out where a factor is 1.
TEST(a_series_may_have_a_hole) {
  constexpr int64_t n = 400;
  Draft d;
  const ValueId x = d.input({n}), a = d.input(Dims{});
  std::vector<ValueId> made;
  for (int64_t t = 0; t < n; ++t) {
    const ValueId e = d.op("slice", {x}, at(t));
    made.push_back(t == n / 2 ? d.op("sin", {e}) : d.op("exp", {d.op("multiply", {a, e})}));
  }
  ValueId total = d.constant(0.0);
  for (int64_t t = n; t-- > 0;) total = d.op("add", {total, d.op("tanh", {made[t]})});
  const Program q = check_distributed(d.returning({total}));
  CHECK(steps_of(q, "tanh", true) == 1 && steps_of(q, "tanh", false) == 0);
}

TEST(rows_that_turns_share_are_looked_up_before_all_turns) {
  constexpr int64_t n = 200, rows = 7, width = 5;
  Draft d;
  const ValueId table = d.input({rows, width}), x = d.input({n, width});
  const auto row = [&](ValueId of, int64_t i) {
    return d.op("slice", {of}, Attrs{Ints{0, i, 0, 0, 1, 0, 1, width}});
  };
  std::vector<ValueId> known(rows, tapegrad::ValueId{0});
  std::vector<bool> is_known(rows, false);
  ValueId total = d.constant(0.0);
  for (int64_t t = 0; t < n; ++t) {
    const auto label = static_cast<size_t>(t * t * t % rows * (t % 5) % rows);
    if (!is_known[label]) known[label] = row(table, static_cast<int64_t>(label));
    is_known[label] = true;
    const ValueId both = d.op("multiply", {known[label], row(x, t)});
    total = d.op("add", {total, d.op("sum", {d.op("sin", {both})}, Attrs{Ints{0}, false})});
  }
  const Program q = check_distributed(d.returning({total}));
  CHECK(steps_of(q, "sin", true) == 1);
}

TEST(cheap_or_short_loops_stay) {
  for (const int64_t n : {12, 100}) {
    Draft d;
    const ValueId x = d.input({n}), a = d.input(Dims{});
    ValueId h = d.input(Dims{});
    for (int64_t t = 0; t < n; ++t) {
      const ValueId item = d.op("slice", {x}, at(t));
      h = d.op("add", {d.op("multiply", {a, h}), n == 12 ? d.op("exp", {item}) : item});
      h = d.op("subtract", {d.op("square", {h}), h});
    }
    const Program p = d.returning({h});
    CHECK(distribute_loops(p).steps.size() == p.steps.size());
  }
}

// Several carries, values of turns before, values that are read outside, series of numbers.
TEST(random_loops_over_numbers) {
  static const char* const unary[] = {"exp", "sin", "log", "tanh", "square", "negative"};
  static const char* const binary[] = {"add", "multiply", "divide", "maximum"};
  size_t changed = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](size_t k) { return random() % k; };
    const int64_t n = 32 + static_cast<int64_t>(pick(60));
    Draft d;
    const ValueId x = d.input({n}), y = d.input({n, 2}), a = d.input(Dims{}), b = d.input(Dims{});
    // The plan of a turn: what each step applies to which of the values known then.
    struct Step {
      size_t fn, first, second;
    };
    const size_t n_carry = 1 + pick(3), n_steps = 3 + pick(10), n_known = n_carry + 5;
    std::vector<Step> plan;
    for (size_t k = 0; k < n_steps; ++k)
      plan.push_back({pick(10), pick(n_known + k), pick(n_known + k)});
    std::vector<size_t> next;
    for (size_t c = 0; c < n_carry; ++c) next.push_back(pick(n_known + n_steps));
    std::vector<ValueId> carries;
    for (size_t c = 0; c < n_carry; ++c) carries.push_back(d.input(Dims{}));
    std::vector<ValueId> old = carries, made, loose;
    for (int64_t t = 0; t < n; ++t) loose.push_back(d.op("sin", {pick(2) ? a : b}));
    for (int64_t t = 0; t < n; ++t) {
      std::vector<ValueId> known = carries;
      known.push_back(d.op("slice", {x}, at(t)));
      known.push_back(d.op("slice", {y}, {Ints{0, n - 1 - t, 0, 0, 0, 1, 0, 0}}));
      known.push_back(a);
      known.push_back(loose[static_cast<size_t>(t)]);
      known.push_back(old[pick(1)]);
      for (const Step& s : plan) {
        if (s.fn < 6) {
          known.push_back(d.op(unary[s.fn], {known[s.first]}));
        } else {
          known.push_back(d.op(binary[s.fn - 6], {known[s.first], known[s.second]}));
        }
      }
      old = carries;
      for (size_t c = 0; c < n_carry; ++c) carries[c] = known[next[c]];
      made.push_back(known.back());
    }
    for (ValueId c : carries) d.writer().output(c);
    const Program p = d.returning({made[pick(made.size())], made.back()});
    changed += check_distributed(p, seed).steps.size() != p.steps.size();
    tapegrad::check_program(tapegrad::optimise(p, {}));
  }
  CHECK(changed > 60);
}

// A sample at a time: sums over the samples stay in their order.
TEST(rows_are_made_at_once_and_added_up_in_order) {
  constexpr int64_t n = 300, width = 5;
  Draft d;
  const ValueId x = d.input({n, width}), w = d.input({width});
  ValueId total = d.constant(0.0), slope = d.input({width});
  std::vector<ValueId> made;
  for (int64_t t = 0; t < n; ++t) {
    const ValueId row = d.op("slice", {x}, {Ints{0, t, 0, 0, 1, 0, 1, width}});
    const ValueId z = d.op("sum", {d.op("multiply", {row, w})}, {Attr{}, false});
    const ValueId e = d.op("exp", {z});
    total = d.op("add", {total, d.op("log", {d.op("add", {e, d.constant(1.0)})})});
    slope = d.op("add", {d.op("multiply", {e, row}), slope});
    made.push_back(total);
  }
  const Program p = d.returning({total, slope, made[17]});
  const Program q = check_distributed(p);
  CHECK(q.steps.size() < 20);
  CHECK(steps_of(q, "exp", true) == 1 && steps_of(q, "exp", false) == 0);
  CHECK(std::ranges::count_if(
            q.steps, [](const Program::Step& s) { return s.op == tapegrad::scan_op().id; }) == 2);
}

// A column times a row, twice a turn: both are added to one sum, of which the scan makes them.
TEST(several_products_a_turn_are_added_where_they_are_made) {
  constexpr int64_t n = 80, rows = 12, columns = 20;
  Draft d;
  const ValueId x = d.input({n, rows}), y = d.input({n, columns});
  ValueId weights = d.input({rows, columns}), state = d.input({columns});
  for (int64_t t = 0; t < n; ++t) {
    const auto row_of = [&](ValueId from, int64_t length) {
      return d.op("slice", {from}, {Ints{0, t, 0, 0, 1, 0, 1, length}});
    };
    state = d.op("tanh", {d.op("add", {state, row_of(y, columns)})});
    const ValueId column = d.op("reshape", {row_of(x, rows)}, {Ints{rows, 1}});
    weights = d.op("add", {weights, d.op("multiply", {column, state})});
    weights = d.op("add", {d.op("multiply", {d.op("sin", {state}), column}), weights});
  }
  const Program q = check_distributed(d.returning({weights, state}));
  CHECK(q.steps.size() < 250);  // what recurs is left step by step
  const auto scan = std::ranges::find_if(
      q.steps, [](const Program::Step& s) { return s.op == tapegrad::scan_op().id; });
  CHECK(scan != q.steps.end());
  if (scan == q.steps.end()) return;
  const tapegrad::ScanForm form(q.attrs_of(*scan));
  CHECK(form.n_carry == 1 && form.body->program().steps.size() == 4);
  CHECK(tapegrad::SumScan::of(form.body->program(), 1) != nullptr);
}

// Rows and numbers with and without what recurs, of several shapes; series from several places.
TEST(random_loops_over_rows) {
  size_t changed = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](size_t k) { return random() % k; };
    const int64_t n = 32 + static_cast<int64_t>(pick(40)),
                  width = 8 + static_cast<int64_t>(pick(40));
    Draft d;
    const ValueId x = d.input({n, width}), u = d.input({width}), a = d.input(Dims{});
    std::vector<std::pair<size_t, std::pair<size_t, size_t>>> plan;
    const size_t n_steps = 3 + pick(8);
    for (size_t k = 0; k < n_steps; ++k) plan.push_back({pick(8), {pick(4 + k), pick(4 + k)}});
    ValueId carry = d.input({width}), sum = d.input({width}), total = d.constant(0.0);
    std::vector<ValueId> made;
    for (int64_t t = 0; t < n; ++t) {
      std::vector<ValueId> known{carry, u, a,
                                 d.op("slice", {x}, {Ints{0, t, 0, 0, 1, 0, 1, width}})};
      for (const auto& [fn, of] : plan) {
        const ValueId first = known[of.first], second = known[of.second];
        const bool is_number = d.writer().program().type_of(first).shape.empty();
        if (fn < 3) {
          known.push_back(d.op(fn == 0 ? "sin" : fn == 1 ? "tanh" : "square", {first}));
        } else if (fn == 3 && !is_number) {
          known.push_back(d.op("sum", {first}, {Attr{}, false}));
        } else if (fn == 4 && !is_number) {
          known.push_back(d.op("max", {first}, {Attr{}, false}));
        } else {
          known.push_back(d.op(fn % 2 ? "multiply" : "add", {first, second}));
        }
      }
      const ValueId last = known.back();
      if (seed % 3 == 0) carry = d.op("multiply", {d.op("add", {carry, last}), d.constant(0.25)});
      sum = d.op("add", {sum, d.op("multiply", {last, u})});
      total = d.op("add", {total, d.op("sum", {sum}, {Attr{}, false})});
      made.push_back(last);
    }
    const Program p = d.returning({sum, total, made[pick(made.size())], made.back()});
    changed += check_distributed(p, seed).steps.size() != p.steps.size();
    tapegrad::check_program(tapegrad::optimise(p, {}));
  }
  CHECK(changed > 30);
}

// Twice the turns take about twice the work: counted in steps that are written.
TEST(the_work_is_linear_in_the_turns) {
  const auto written = [](int64_t n) {
    Draft d;
    const ValueId x = d.input({n}), a = d.input(Dims{});
    ValueId h = d.input(Dims{}), total = d.constant(0.0);
    for (int64_t t = 0; t < n; ++t) {
      h = d.op("add", {d.op("multiply", {a, h}), d.op("exp", {d.op("slice", {x}, at(t))})});
      total = d.op("add", {total, d.op("log", {h})});
    }
    const Program q = distribute_loops(d.returning({total}));
    return q.operands.size() + q.values.size();
  };
  const size_t once = written(500), four = written(2000);
  CHECK(four < 5 * once);
}
