#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

constexpr int64_t n = 3000;

size_t joins_left(const Program& p) {
  size_t found = 0;
  for (const Program::Step& s : p.steps)
    found += s.kernel < 0 && tapegrad::op_by_id(s.op).join == tapegrad::JoinKind::concatenate;
  return found;
}

// Of kernels over n points, whose results are joined: what the program without the pass gives.
Program joined(const Program& p) {
  const Program before = drop_dead(tapegrad::batch(p)), after = tapegrad::write_into_joins(before);
  tapegrad::check_program(after);
  CHECK(before.kernels.size() == 1);
  std::mt19937_64 random(3);
  const std::vector<Value> in = random_inputs(p, random, false);
  const std::vector<Value> expected = run(before, in, {}, true);
  const std::vector<Value> got = run(after, in, {}, true);
  for (size_t k = 0; k < got.size(); ++k) {
    CHECK(type_of(got[k]) == type_of(expected[k]));
    CHECK(distance(got[k], expected[k]) == 0);
  }
  return after;
}

struct Points {
  explicit Points(DType d = DType::float64) {
    const ValueId x = draft.input({d, {n, 4}}), w = draft.input({d, {4, 4}});
    y = draft.op("exp", {draft.op("matmul", {x, w})});
    norm = draft.op("sum", {draft.op("square", {y})}, {Ints{1}, false});
    slope = draft.op("matmul", {draft.op("transpose", {x}, {Ints{1, 0}}), y});
  }
  ValueId flat(ValueId v) { return draft.op("reshape", {v}, {Ints{-1}}); }
  Draft draft;
  ValueId y, norm, slope;  // (n, 4), (n,), (4, 4)
};

}  // namespace

TEST(results_are_written_where_they_are_joined) {
  for (DType d : {DType::float64, DType::float32}) {
    Points a(d);
    const ValueId all =
        a.draft.op("concatenate", {a.flat(a.y), a.norm, a.flat(a.slope)}, {int64_t{0}});
    CHECK(joins_left(joined(a.draft.returning({all}))) == 0);
  }
}

TEST(what_is_joined_may_have_other_axes_and_stand_beside_results_of_its_own) {
  Points a;
  const ValueId rows = a.draft.op("reshape", {a.norm}, {Ints{n / 4, 4}});
  const ValueId all = a.draft.op("concatenate", {rows, a.y}, {int64_t{0}});
  CHECK(joins_left(joined(a.draft.returning({a.slope, all}))) == 0);

  Points b;
  const ValueId one = b.draft.op("reshape", {b.y}, {Ints{1, 4 * n}});
  const ValueId other = b.draft.op("reshape", {b.norm}, {Ints{1, n}});
  const ValueId wide = b.draft.op("concatenate", {other, one}, {int64_t{-1}});
  CHECK(joins_left(joined(b.draft.returning({wide, b.slope}))) == 0);

  Points c;
  CHECK(joins_left(joined(c.draft.returning(
            {c.draft.op("concatenate", {c.y, c.norm, c.slope}, {Attr{}})}))) == 0);
}

TEST(what_others_read_is_joined_as_it_was) {
  Points a;  // norm is a result of its own
  const ValueId all = a.draft.op("concatenate", {a.flat(a.y), a.norm}, {int64_t{0}});
  CHECK(joins_left(joined(a.draft.returning({all, a.norm, a.slope}))) == 1);

  Points b;  // twice in the result
  const ValueId twice = b.draft.op("concatenate", {b.norm, b.norm}, {int64_t{0}});
  CHECK(joins_left(joined(b.draft.returning({twice, b.slope}))) == 1);

  Points c;  // side by side
  const ValueId column = c.draft.op("reshape", {c.norm}, {Ints{n, 1}});
  const ValueId beside = c.draft.op("concatenate", {c.y, column}, {int64_t{1}});
  (void)joined(c.draft.returning({beside, c.slope}));

  Points d;  // with something else
  const ValueId other = d.draft.input({n});
  const ValueId with = d.draft.op("concatenate", {d.norm, other}, {int64_t{0}});
  CHECK(joins_left(joined(d.draft.returning({with, d.slope}))) == 1);
}
