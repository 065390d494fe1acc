// Steps of a turn for all turns at once.
#include "tapegrad/program/passes/roll/distribute/roll_at_once.h"

#include "program/programs.h"

using namespace programs;

namespace {

// Of a program of one step: what it gives for each turn, and at once for all of them.
void check_at_once(const Program& p, std::initializer_list<bool> has_turns) {
  constexpr int64_t turns = 5;
  const Program::Step& s = p.steps[0];
  CHECK(tapegrad::can_be_at_once(p, s));
  Draft wide;
  std::vector<ValueId> in;
  std::vector<Value> all;
  for (size_t a = 0; a < p.inputs.size(); ++a) {
    const Dims& own = p.type_of(p.inputs[a]).shape;
    Dims shape;
    if (has_turns.begin()[a]) shape.push_back(turns);
    for (int64_t d : own) shape.push_back(d);
    in.push_back(wide.input(shape));
    all.push_back(filled(DType::float64, shape,
                         [&](int64_t i) { return 0.5 + static_cast<double>(i % 7) / 8; }));
  }
  const Program start = wide.returning({});
  tapegrad::Edit edit(start);
  std::vector<ValueId> now;
  for (ValueId v : in) now.push_back(edit.at(v));
  const ValueId made = tapegrad::write_at_once(edit, p, s, now, turns);
  Program q = edit.finish();
  q.outputs.push_back(made);
  tapegrad::check_program(q);
  const Value got = run(q, all)[0];
  for (int64_t t = 0; t < turns; ++t) {
    std::vector<Value> one;
    for (size_t a = 0; a < all.size(); ++a)
      one.push_back(has_turns.begin()[a]
                        ? take(all[a], Value::from_int64(std::vector<int64_t>{t}, Dims{}), 0)
                        : all[a]);
    const Value want = run(p, one)[0];
    for (int64_t i = 0; i < want.size(); ++i)
      CHECK_CLOSE(got.at(t * want.size() + i), want.at(i), 1e-14);
  }
}

}  // namespace

TEST(products_of_turns_rows_and_one_matrix) {
  Draft rows, columns;
  const ValueId x = rows.input({3}), w = rows.input({3, 4});
  check_at_once(rows.returning({rows.op("matmul", {x, w})}), {true, false});
  const ValueId m = columns.input({4, 3}), y = columns.input({3});
  check_at_once(columns.returning({columns.op("matmul", {m, y})}), {false, true});
}

TEST(products_of_short_rows_are_sums_of_products) {
  Draft both, one;
  const ValueId x = both.input({6}), y = both.input({6});
  check_at_once(both.returning({both.op("matmul", {x, y})}), {true, true});
  const ValueId v = one.input({6}), w = one.input({6});
  check_at_once(one.returning({one.op("matmul", {v, w})}), {false, true});
}

TEST(operands_of_fewer_axes_are_aligned) {
  Draft d;
  const ValueId x = d.input({3}), y = d.input({2, 3});
  check_at_once(d.returning({d.op("multiply", {x, y})}), {true, true});
}
