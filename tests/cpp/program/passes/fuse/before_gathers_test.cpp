#include <functional>

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::compute_before_gathers;

namespace {

// x[:, i] for x of shape (2, 3), and x[i] for a vector.
const Attrs columns{Ints{1, 0, 1, 2, 3, 0, 0, 0}, Attr{int64_t{1}}},
    entries{Ints{3, 0, 0, 0}, Attr{int64_t{0}}};

Value indices(std::initializer_list<int64_t> i) {
  return Value::from_int64({i.begin(), i.size()}, Dims{static_cast<int64_t>(i.size())});
}

}  // namespace

TEST(a_chain_goes_before_the_gather) {
  Draft d;
  const ValueId x = d.input({2, 3}), c = d.input(f64());
  const ValueId y = d.op("gather", {x, d.constant(indices({2, 0, -1, 2}))}, columns);
  const ValueId z = d.op("multiply", {c, d.op("exp", {d.op("negative", {y})})});
  const Program p = d.returning({d.op("reshape", {z}, {Ints{8}})});
  const Program q = drop_dead(compute_before_gathers(p));
  check_same(p, q);
  check_text(
      p,
      "program(in0: float64(2, 3), in1: float64())\n"
      "  %3: float64(2, 4) = gather(in0, constant0) {code=(1, 0, 1, 2, 3, 0, 0, 0), position=1}\n"
      "  %4: float64(2, 4) = negative(%3)\n"
      "  %5: float64(2, 4) = exp(%4)\n"
      "  %6: float64(2, 4) = multiply(in1, %5)\n"
      "  %7: float64(8,) = reshape(%6) {shape=(8,)}\n"
      "  return %7");
  check_text(
      q,
      "program(in0: float64(2, 3), in1: float64())\n"
      "  %2: float64(2, 3) = negative(in0)\n"
      "  %3: float64(2, 3) = exp(%2)\n"
      "  %4: float64(2, 3) = multiply(in1, %3)\n"
      "  %6: float64(2, 4) = gather(%4, constant0) {code=(1, 0, 1, 2, 3, 0, 0, 0), position=1}\n"
      "  %7: float64(8,) = reshape(%6) {shape=(8,)}\n"
      "  return %7");
}

TEST(what_becomes_the_same_is_computed_once) {
  Draft d;
  const ValueId x = d.input({3});
  const ValueId i = d.constant(indices({0, 1, 2, 1})), j = d.constant(indices({2, 2, 0, 1}));
  const ValueId a = d.op("exp", {d.op("gather", {x, i}, entries)});
  const ValueId b = d.op("exp", {d.op("gather", {x, j}, entries)});
  const Program p = d.returning({d.op("subtract", {a, b})});
  const Program q = drop_dead(compute_before_gathers(p));
  check_same(p, q);
  check_text(q,
             "program(in0: float64(3,))\n"
             "  %1: float64(3,) = exp(in0)\n"
             "  %3: float64(4,) = gather(%1, constant0) {code=(3, 0, 0, 0), position=0}\n"
             "  %5: float64(4,) = gather(%1, constant1) {code=(3, 0, 0, 0), position=0}\n"
             "  %6: float64(4,) = subtract(%3, %5)\n"
             "  return %6");
}

// Fewer indices than positions, another reader, another array, a result that is larger.
TEST(what_costs_more_before_stays_after) {
  const auto check_unchanged = [](const std::function<void(Draft&)>& body) {
    Draft d;
    body(d);
    const Program p = d.returning({});
    CHECK(same_program(p, compute_before_gathers(p)));
  };
  check_unchanged([](Draft& d) {
    const ValueId y = d.op("gather", {d.input({3}), d.constant(indices({0, 1}))}, entries);
    d.writer().output(d.op("exp", {y}));
  });
  check_unchanged([](Draft& d) {
    const ValueId y = d.op("gather", {d.input({2}), d.constant(indices({0, 1}))}, entries);
    d.writer().output(d.op("exp", {y}));
    d.writer().output(d.op("sin", {y}));
  });
  check_unchanged([](Draft& d) {
    const ValueId y = d.op("gather", {d.input({2}), d.constant(indices({0, 1}))}, entries);
    d.writer().output(d.op("exp", {y}));
    d.writer().output(y);
  });
  check_unchanged([](Draft& d) {
    const ValueId y = d.op("gather", {d.input({2}), d.constant(indices({0, 1}))}, entries);
    d.writer().output(d.op("multiply", {y, d.input({2})}));
  });
  check_unchanged([](Draft& d) {
    const ValueId y = d.op("gather", {d.input({2}), d.constant(indices({0, 1}))}, entries);
    d.writer().output(d.op("add", {y, d.input({3, 1})}));
  });
}
