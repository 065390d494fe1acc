#include <functional>

#include "program/passes/roll/rolled.h"
#include "tapegrad/program/passes/roll/find/roll_find.h"

using namespace rolled_loops;

namespace {

Attrs element(int64_t i) { return {Ints{0, i, 0, 0}}; }

// x, then x = f(x, turn) again and again.
Program loop(int turns, const std::function<ValueId(Draft&, ValueId, int)>& f, Dims shape = {n}) {
  Draft d;
  ValueId x = d.input(shape);
  for (int t = 0; t < turns; ++t) x = f(d, x, t);
  return d.returning({x});
}

}  // namespace

TEST(a_chain_that_repeats_becomes_a_scan) {
  const auto turn = [](Draft& d, ValueId x, int) {
    const ValueId y = d.op("multiply", {d.op("tanh", {x}), d.constant(0.5)});
    return d.op("add", {d.op("sin", {y}), x});
  };
  check_rolled(loop(100, turn), 1, 8);
  CHECK(roll_loops(loop(5, turn)).steps.size() == 20);  // too short
}

TEST(sums_and_numbers_are_part_of_the_loop) {
  check_rolled(loop(60,
                    [](Draft& d, ValueId x, int) {
                      const ValueId total = d.op("sum", {x}, {std::monostate{}, false});
                      const ValueId norm = d.op("add", {d.op("square", {total}), d.constant(1.0)});
                      return d.op("divide", {d.op("cos", {x}), norm});
                    }),
               1, 12);
}

TEST(elements_of_an_input_are_read_as_series) {
  Draft d;
  const ValueId xs = d.input({50, n}), w = d.input({n}), us = d.input({50});
  ValueId h = d.input({n});
  ValueId total = d.constant(0.0);
  for (int64_t t = 0; t < 50; ++t) {
    const ValueId x = d.op("slice", {xs}, at(t)), u = d.op("slice", {us}, element(49 - t));
    const ValueId wx = d.op("multiply", {w, x});
    h = d.op("tanh", {d.op("add", {wx, d.op("multiply", {h, u})})});
    total = d.op("add", {total, d.op("sum", {h}, {std::monostate{}, false})});
  }
  const Program rolled = check_rolled(d.returning({h, total}), 1, 24);
  CHECK(rolled.steps.size() < 24);
}

TEST(a_second_loop_reads_the_first_backwards) {
  Draft d;
  const ValueId w = d.input({n});
  ValueId h = d.input({n});
  std::vector<ValueId> made;
  for (int t = 0; t < 80; ++t) {
    h = d.op("tanh", {d.op("add", {d.op("multiply", {w, h}), d.op("sin", {h})})});
    made.push_back(h);
  }
  ValueId back = d.constant(Value::full(DType::float64, Dims{n}, 1.0));
  ValueId of_w = d.op("multiply", {back, made.back()});
  for (size_t t = made.size() - 1; t-- > 0;) {
    const ValueId y = d.op("multiply", {made[t + 1], made[t + 1]});
    const ValueId slope = d.op("subtract", {d.constant(1.0), y});
    const ValueId z = d.op("multiply", {back, slope});
    of_w = d.op("add", {of_w, d.op("multiply", {z, made[t]})});
    back = d.op("add", {d.op("multiply", {z, w}), d.op("multiply", {z, d.op("cos", {made[t]})})});
  }
  check_rolled(d.returning({h, back, of_w, made[3]}), 2, 60);
}

TEST(additions_to_the_elements_of_an_array_become_one) {
  Draft d;
  const ValueId xs = d.input({40, n});
  ValueId grad = d.constant(Value::zeros(DType::float64, Dims{40, n}));
  ValueId c = d.input({n});
  for (int64_t t = 39; t >= 0; --t) {
    const ValueId x = d.op("slice", {xs}, at(t));
    c = d.op("sin", {d.op("multiply", {c, x})});
    c = d.op("add", {c, d.op("exp", {c})});
    c = d.op("tanh", {d.op("subtract", {c, x})});
    grad = d.op("slice_add", {grad, d.op("multiply", {c, x})}, at(t));
  }
  check_rolled(d.returning({grad, c}), 1, 30);
}

TEST(parts_that_a_turn_writes_are_written_at_once) {
  constexpr int64_t turns = 40;
  const auto column = [](int64_t t) { return Attrs{Ints{1, 0, 1, n, 0, t, 0, 0}}; };
  const auto inner = [](int64_t t) { return Attrs{Ints{0, 2 * t, 0, 0, 1, 1, 1, n, 0, 1, 0, 0}}; };
  Draft d;
  const ValueId xs = d.input({n, turns});
  ValueId rows = d.constant(Value::zeros(DType::float64, Dims{turns, n}));
  ValueId columns = d.input({n, turns}), parts = d.input({2 * turns, n + 1, 2});
  ValueId c = d.input({n});
  for (int64_t t = turns - 1; t >= 0; --t) {
    const ValueId x = d.op("slice", {xs}, column(t));
    c = d.op("sin", {d.op("multiply", {c, x})});
    rows = d.op("slice_set", {rows, c}, at(t));
    c = d.op("tanh", {d.op("add", {c, d.op("exp", {c})})});
    columns = d.op("slice_set", {columns, d.op("cos", {c})}, column(turns - 1 - t));
    parts = d.op("slice_add", {parts, x}, inner(t));
  }
  check_rolled(d.returning({rows, columns, parts, c}), 1, 12);
}

// Two writes to one array in a turn, of which the second may come back to where the first was, or
// the first to where the second was.
TEST(what_is_written_twice_keeps_its_order) {
  constexpr int64_t turns = 30;
  for (const int64_t ahead : {-2, -1, 0, 1, 2}) {
    Draft d;
    ValueId table = d.input({turns + 4, n}), c = d.input({n});
    for (int64_t t = 0; t < turns; ++t) {
      table = d.op("slice_set", {table, d.op("sin", {c})}, at(t + 2));
      table = d.op("slice_set", {table, d.op("cos", {c})}, at(t + 2 + ahead));
      c = d.op("tanh", {d.op("add", {d.op("exp", {c}), d.op("square", {c})})});
      c = d.op("multiply", {c, d.op("tanh", {c})});
    }
    const Program p = d.returning({table, c});
    // Where the first would come back, the turns of the loop begin with the second.
    check_rolled(p, 1, ahead > 0 ? 20 : 8);
  }
}

// Random keys of a table of three axes: one position moves from turn to turn.
TEST(random_writes_into_tables_are_as_they_were) {
  int rolled_ones = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](int64_t k) {
      return static_cast<int64_t>(random() % static_cast<uint64_t>(k));
    };
    constexpr int64_t turns = 30, length = 70;
    Draft d;
    ValueId table = d.input({length, length, n});
    const ValueId xs = d.input({length, length, n});
    ValueId c = d.input({n});
    struct Key {
      Ints code;
      size_t item;
      int64_t by;
    };
    const auto any_key = [&] {
      Key key{{}, static_cast<size_t>(pick(2)), pick(2) ? 1 : -1};
      if (pick(4) == 0) key.by *= 2;
      for (size_t k = 0; k < 2; ++k) {
        const int64_t start = k == key.item ? (key.by > 0 ? 0 : 60) + pick(6) : pick(3);
        key.code.insert(key.code.end(), {0, start, 0, 0});
      }
      key.code.insert(key.code.end(), {1, 0, 1, n});
      return key;
    };
    std::vector<Key> writes, reads;
    for (int64_t k = pick(3); k >= 0; --k) writes.push_back(any_key());
    if (pick(2))
      for (Key& w : writes) w.item = writes[0].item, w.by = writes[0].by, w.code = writes[0].code;
    for (Key& w : writes)
      if (pick(2)) w.code[4 * w.item + 1] += pick(4);
    for (int64_t k = pick(3); k >= 0; --k) reads.push_back(any_key());
    std::vector<bool> adds;
    for (size_t k = 0; k < writes.size(); ++k) adds.push_back(pick(2));
    const auto at_turn = [](const Key& key, int64_t t) {
      Ints code = key.code;
      code[4 * key.item + 1] += key.by * t;
      return Attrs{code};
    };
    for (int64_t t = 0; t < turns; ++t) {
      for (const Key& r : reads)
        c = d.op("tanh",
                 {d.op("multiply", {d.op("slice", {xs}, at_turn(r, t)), d.op("exp", {c})})});
      for (int k = 0; k < 6; ++k) c = d.op("sin", {d.op("multiply", {c, c})});
      for (size_t k = 0; k < writes.size(); ++k)
        table = d.op(adds[k] ? "slice_add" : "slice_set", {table, d.op("cos", {c})},
                     at_turn(writes[k], t));
    }
    const Program p = d.returning({table, c});
    const Program rolled = roll_loops(p);
    tapegrad::check_program(rolled);
    rolled_ones += scans(rolled) > 0;
    const std::vector<Value> in = inputs_of(p);
    const std::vector<Value> want = run(p, in), got = run(rolled, in);
    for (size_t k = 0; k < want.size(); ++k) CHECK(same_numbers(want[k], got[k]));
  }
  CHECK(rolled_ones > 100);
}

TEST(what_differs_from_turn_to_turn_is_stacked) {
  Draft d;
  ValueId x = d.input({n});
  std::vector<ValueId> parts;
  for (int t = 0; t < 40; ++t) {
    const ValueId y = d.op("multiply", {x, d.constant(0.01 * t)});
    const ValueId z = d.op("add", {d.op("cos", {y}), d.op("tanh", {d.op("square", {x})})});
    x = d.op("subtract", {z, d.op("multiply", {y, d.op("sin", {z})})});
    parts.push_back(x);
  }
  std::vector<TensorType> types{f64({40, n})};
  const ValueId all = d.writer().step(op_named("stack"), {int64_t{0}}, parts, types);
  check_rolled(d.returning({all}), 1, 20);
}

TEST(a_carry_may_be_older_than_the_loop_or_go_through_it) {
  Draft d;
  ValueId a = d.input({n}), b = d.input({n}), c = d.input({n});
  for (int t = 0; t < 60; ++t) {  // a, b = b, f(a, b): two turns back
    const ValueId next =
        d.op("sin", {d.op("add", {d.op("multiply", {a, b}), d.op("multiply", {c, c})})});
    a = b;
    b = d.op("tanh", {next});
  }
  const Program p = d.returning({a, b});
  const std::vector<Value> in = inputs_of(p);
  const std::vector<Value> want = run(p, in), got = run(roll_loops(p), in);
  for (size_t k = 0; k < want.size(); ++k) CHECK(same_numbers(want[k], got[k]));
}

TEST(what_is_the_same_at_every_turn_is_computed_once) {
  const Program rolled = check_rolled(
      [&] {
        Draft d;
        const ValueId w = d.input({n});
        ValueId x = d.input({n});
        for (int t = 0; t < 60; ++t) {
          const ValueId minus = d.op("negative", {w}), e = d.op("exp", {minus});
          x = d.op("add", {d.op("multiply", {x, e}), d.op("sin", {x})});
        }
        return d.returning({x});
      }(),
      1, 10);
  size_t exps = 0;
  for (const Program::Step& s : rolled.steps) exps += s.op == op_named("exp").id;
  CHECK(exps >= 1);
}

TEST(loops_over_large_arrays_stay_as_they_are) {
  const auto turn = [](Draft& d, ValueId x, int) {
    return d.op("sin", {d.op("multiply", {d.op("cos", {x}), x})});
  };
  CHECK(scans(roll_loops(loop(100, turn, {100000}))) == 0);
}

// Random bodies over rows and numbers, with series, carries of all ages, uses of single turns.
TEST(random_loops_compute_what_they_did) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](size_t k) { return random() % k; };
    const int turns = 12 + static_cast<int>(pick(20)), steps = 12 + static_cast<int>(pick(20));
    struct Plan {
      size_t op;
      size_t a, b;
      size_t kind_a, kind_b;
    };
    std::vector<Plan> plan;
    for (int k = 0; k < steps; ++k)
      plan.push_back({pick(8), pick(1000), pick(1000), pick(7), pick(7)});
    Draft d;
    const ValueId xs = d.input({turns + 2, n}), w = d.input({n}), u = d.input(Dims{});
    std::vector<ValueId> before(static_cast<size_t>(steps), d.input({n})), kept;
    const bool backwards = pick(2);
    std::vector<std::vector<ValueId>> first_loop;
    for (int part = 0; part < 2; ++part) {
      for (int t = 0; t < turns; ++t) {
        std::vector<ValueId> now;
        const auto operand = [&](size_t which, size_t kind) -> ValueId {
          if (kind == 0) return w;
          if (kind == 1) return u;
          if (kind == 2) return d.op("slice", {xs}, at(backwards ? turns - t : t + 1));
          if (kind == 3 && part == 1) {
            const auto& turn = first_loop[static_cast<size_t>(pick(1) ? t : turns - 1 - t)];
            return turn[which % turn.size()];
          }
          if (kind == 4 || now.empty()) return before[which % before.size()];
          return now[which % now.size()];
        };
        for (const Plan& p : plan) {
          static const char* const unary[] = {"sin", "tanh", "negative"};
          static const char* const binary[] = {"add", "multiply", "subtract", "zmul"};
          const ValueId a = operand(p.a, p.kind_a);
          ValueId out;
          if (p.op < 3) {
            out = d.op(unary[p.op], {a});
          } else if (p.op < 7) {
            out = d.op(binary[p.op - 3], {a, operand(p.b, p.kind_b)});
          } else {
            out = d.op("sum", {a}, {std::monostate{}, false});
          }
          now.push_back(out);
        }
        // Rows only go over, so that every turn has the same types.
        for (ValueId& v : now)
          if (d.writer().program().type_of(v).shape.empty()) v = d.op("multiply", {v, w});
        for (ValueId& v : now) v = d.op("tanh", {v});
        if (pick(6) == 0) kept.push_back(now[pick(now.size())]);
        before = now;
        if (part == 0) first_loop.push_back(now);
      }
    }
    for (ValueId v : kept) d.writer().output(v);
    const Program p = d.returning({before[0], before.back()});
    const Program rolled = roll_loops(p);
    tapegrad::check_program(rolled);
    CHECK(scans(rolled) >= 1);
    const std::vector<Value> in = inputs_of(p);
    const std::vector<Value> want = run(p, in), got = run(rolled, in);
    for (size_t k = 0; k < want.size(); ++k) CHECK(same_numbers(want[k], got[k]));
  }
}

TEST(finding_loops_takes_time_in_proportion_to_the_program) {
  // Repeats everywhere, with no turn that reads the one before in the same way.
  std::mt19937_64 random(3);
  Draft d;
  std::vector<ValueId> values{d.input({n}), d.input({n})};
  for (int k = 0; k < 20000; ++k)
    values.push_back(
        d.op("add", {values[random() % values.size()], values[random() % values.size()]}));
  const Program p = d.returning({values.back()});
  for (const tapegrad::RolledLoop& loop : tapegrad::find_loops(p, 8)) CHECK(loop.count >= 8);
}

TEST(loops_of_numbers_alone_are_rolled_where_they_are_very_long) {
  const auto turn = [](Draft& d, ValueId x, int) {
    return d.op("sin", {d.op("multiply", {d.op("cos", {x}), x})});
  };
  for (const int turns : {1000, 20'000}) CHECK(scans(roll_loops(loop(turns, turn, {}))) == 0);
  check_rolled(loop(30'000, turn, {}), 1, 8);
}

// A pass may make the same constant anew for each turn: packed, or one element seen as an array.
TEST(equal_constants_are_no_series) {
  const auto as_constant = [](bool repeated) {
    const Value row = Value::full(DType::float64, Dims{repeated ? 1 : n}, 0.25);
    return repeated ? row.view(Dims{n}, Dims{0}, 0) : row;
  };
  for (const bool repeated : {false, true}) {
    Program p = loop(100, [](Draft& d, ValueId x, int t) {
      const ValueId c = d.constant(Value::full(DType::float64, Dims{n}, t));
      return d.op("tanh", {d.op("add", {d.op("multiply", {x, x}), c})});
    });
    for (Value& c : p.constants)
      if (!c.is_scalar()) c = as_constant(repeated);
    const Program rolled = check_rolled(p, 1, 2);
    for (const Program::Step& s : rolled.steps)
      if (s.op == scan_op().id) CHECK(tapegrad::ScanForm(rolled.attrs_of(s)).n_xs == 0);
  }
}
