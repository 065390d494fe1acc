#include <functional>

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::transpose_before_gathers;

namespace {

const Attrs turned{Ints{1, 0}}, columns{Ints{3, 0, 0, 0, 1, 0, 1, 2}, Attr{int64_t{0}}};

Value indices(std::initializer_list<int64_t> i) {
  return Value::from_int64({i.begin(), i.size()}, Dims{static_cast<int64_t>(i.size())});
}

void check_unchanged(const std::function<ValueId(Draft&)>& body) {
  Draft d;
  const ValueId last = body(d);
  const Program p = d.returning({last});
  CHECK(same_program(p, transpose_before_gathers(p)));
}

// x[:, i] of shape (4, 6, 2), the first axis as a lane.
ValueId gathered(Draft& d) {
  const ValueId x = d.input({4, 3, 2});
  return d.op("gather", {x, d.constant(indices({2, 0, -1, 2, 1, 1}))}, columns);
}

}  // namespace

TEST(the_source_is_transposed) {
  Draft d;
  const ValueId flat = d.op("reshape", {gathered(d)}, {Ints{4, 12}});
  const Program p = d.returning({d.op("transpose", {flat}, turned)});
  const Program q = drop_dead(transpose_before_gathers(p));
  check_same(p, q);
  check_text(p,
             "program(in0: float64(4, 3, 2))\n"
             "  %2: float64(4, 6, 2) = gather(in0, constant0) {code=(3, 0, 0, 0, 1, 0, 1, 2), "
             "position=0}\n"
             "  %3: float64(4, 12) = reshape(%2) {shape=(4, 12)}\n"
             "  %4: float64(12, 4) = transpose(%3) {axes=(1, 0)}\n"
             "  return %4");
  check_text(
      q,
      "program(in0: float64(4, 3, 2))\n"
      "  %1: float64(3, 2, 4) = transpose(in0) {axes=(1, 2, 0)}\n"
      "  %2: float64(3, 2, 4) = slice_copy(%1) {code=(1, 0, 1, 3, 1, 0, 1, 2, 1, 0, 1, 4)}\n"
      "  %4: float64(6, 2, 4) = gather(%2, constant0) {code=(3, 0, 0, 0, 1, 0, 1, 2, 1, 0, 1, 4), "
      "position=0}\n"
      "  %5: float64(12, 4) = reshape(%4) {shape=(12, 4)}\n"
      "  return %5");
}

TEST(without_a_reshape_and_along_the_last_axis) {
  Draft d;
  const Attrs last{Ints{1, 0, 1, 2, 3, 0, 0, 0}, Attr{int64_t{1}}};
  const ValueId x = d.input({4, 2, 3});
  const ValueId i = d.constant(Value::from_int64(Ints{0, 1, 2, -1, 0, 0, 1, 1}, Dims{4, 2}));
  const ValueId y = d.op("gather", {x, i}, last);
  const Program p = d.returning({d.op("transpose", {y}, {Ints{1, 2, 3, 0}})});
  const Program q = drop_dead(transpose_before_gathers(p));
  CHECK(!same_program(p, q));
  check_same(p, q);
}

// Another order of the axes; a short gather; one along the axis that moves; what others read.
TEST(what_stays) {
  check_unchanged([](Draft& d) { return d.op("transpose", {gathered(d)}, {Ints{2, 1, 0}}); });
  check_unchanged([](Draft& d) {
    const ValueId y = d.op("gather", {d.input({4, 3, 2}), d.constant(indices({0, 1, 2}))}, columns);
    return d.op("transpose", {y}, {Ints{1, 2, 0}});
  });
  check_unchanged([](Draft& d) {
    const Attrs first{Ints{3, 0, 0, 0, 1, 0, 1, 3}, Attr{int64_t{0}}};
    const ValueId i = d.constant(indices({0, 1, 0, 1, 0, 1}));
    return d.op("transpose", {d.op("gather", {d.input({2, 3}), i}, first)}, turned);
  });
  check_unchanged([](Draft& d) {
    const ValueId y = d.op("transpose", {gathered(d)}, {Ints{1, 2, 0}});
    return d.op("matmul", {y, d.input({4, 4})});
  });
  check_unchanged([](Draft& d) {
    const ValueId g = gathered(d);
    d.writer().output(g);
    return d.op("transpose", {g}, {Ints{1, 2, 0}});
  });
}
