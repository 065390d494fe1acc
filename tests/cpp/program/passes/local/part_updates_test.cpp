#include "program/programs.h"
#include "program/same_function.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

Ints block(int64_t row, int64_t column, int64_t n) { return {1, row, 1, n, 1, column, 1, n}; }

Program rewritten(const Program& p, const std::vector<Value>& inputs) {
  const tapegrad::PassOptions only{
      .fold = false, .shared = false, .algebra = false, .views = false, .fuse = false};
  const Program q = drop_dead(rewrite_locally(p, only));
  check_program(q);
  const std::vector<Value> expected = run(p, inputs), found = run(q, inputs);
  for (size_t k = 0; k < expected.size(); ++k) CHECK(same_numbers(found[k], expected[k]));
  return q;
}

}  // namespace

TEST(blocks_that_overlap_are_added_in_place) {
  for (const char* fn : {"add", "subtract"})
    for (const bool swapped : {false, true}) {
      Draft d;
      const ValueId u = d.input({2, 2});
      ValueId x = d.input({7, 7});
      for (int64_t k = 0; k < 6; ++k) {
        const Attrs key{block(k, k, 2)};
        const ValueId part = d.op("slice", {x}, key);
        const bool turned = swapped && *fn == 'a';
        x = d.op("slice_set", {x, turned ? d.op(fn, {u, part}) : d.op(fn, {part, u})}, key);
      }
      const Program q = rewritten(d.returning({x}), {numbers({2, 2}), numbers({7, 7})});
      CHECK(count_op(q, "slice_set") == 0);
      CHECK(count_op(q, "slice_add") == 6);
      CHECK(count_op(q, "slice") == 0);
    }
}

TEST(what_is_no_such_update_stays) {
  Draft d;
  const ValueId u = d.input({2, 2}), x = d.input({7, 7}), row = d.input({7});
  const Attrs key{block(1, 2, 2)}, other{block(2, 1, 2)}, most{block(0, 0, 6)},
      whole{Ints{0, 3, 0, 0, 1, 0, 1, 7}};
  const ValueId part = d.op("slice", {x}, key);
  const Program q = rewritten(
      d.returning({
          d.op("slice_set", {x, d.op("multiply", {part, u})}, key),
          d.op("slice_set", {x, d.op("add", {part, u})}, other),
          d.op("slice_set", {x, d.op("subtract", {u, part})}, key),
          d.op("slice_set", {x, d.op("add", {d.op("slice", {x}, most), d.constant(1.0)})}, most),
          d.op("slice_set", {x, d.op("add", {d.op("slice", {x}, whole), row})}, whole),
          d.op("slice_set", {x, d.op("add", {part, part})}, key),
      }),
      {numbers({2, 2}), numbers({7, 7}), numbers({7})});
  CHECK(count_op(q, "slice_set") == 5);
  CHECK(count_op(q, "slice_add") == 1);  // x[part] += x[part] is one
}

TEST(a_part_that_gets_back_what_it_had_is_none) {
  Draft d;
  const ValueId x = d.input({7, 7});
  const Attrs key{block(1, 2, 2)};
  const ValueId part = d.op("slice_copy", {x}, key);
  const ValueId bare = d.op("slice_set", {x, d.constant(0.0)}, key);
  const ValueId exp = d.op("exp", {d.op("slice_add", {bare, part}, key)});
  const ValueId twice = d.op("slice_add", {bare, d.op("slice", {x}, Attrs{block(2, 2, 2)})}, key);
  const Program q = rewritten(d.returning({exp, twice}), {numbers({7, 7})});
  CHECK(count_op(q, "slice_add") == 1);
}
