#include "program/programs.h"
#include "tapegrad/base/error.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/run/executor.h"

using namespace programs;
using tapegrad::Executor;
using tapegrad::IndexError;

namespace {

const Attrs all{Attr{}, false};
const Attrs entries{Ints{3, 0, 0, 0}, Attr{int64_t{0}}};

// x[:, i] of an array with rows of three.
Attrs columns(int64_t n, int64_t position = 1) {
  return {Ints{1, 0, 1, n, 3, 0, 0, 0, 1, 0, 1, 3}, Attr{position}};
}

Value indices(std::initializer_list<int64_t> i) {
  return Value::from_int64({i.begin(), i.size()}, Dims{static_cast<int64_t>(i.size())});
}
const TensorType five_indices{DType::int64, {5}};

Program fused(const Program& p) {
  const Program q = drop_dead(fuse(p));
  check_same(p, q);
  return q;
}

size_t count_gathers(const Program& p) {
  size_t n = 0;
  for (const Program::Step& s : p.steps)
    n += s.kernel < 0 && std::string(tapegrad::op_by_id(s.op).name) == "gather";
  return n;
}

}  // namespace

TEST(differences_along_edges_are_one_kernel) {
  Draft d;
  const ValueId x = d.input({4});
  const ValueId i = d.constant(indices({0, 1, -1, 2, 2})), j = d.constant(indices({3, 0, 1, 1, 2}));
  const ValueId difference =
      d.op("subtract", {d.op("gather", {x, i}, entries), d.op("gather", {x, j}, entries)});
  const Program p = d.returning({d.op("sum", {d.op("square", {difference})}, all), difference});
  check_text(p,
             "program(in0: float64(4,))\n"
             "  %3: float64(5,) = gather(in0, constant0) {code=(3, 0, 0, 0), position=0}\n"
             "  %4: float64(5,) = gather(in0, constant1) {code=(3, 0, 0, 0), position=0}\n"
             "  %5: float64(5,) = subtract(%3, %4)\n"
             "  %6: float64(5,) = square(%5)\n"
             "  %7: float64() = sum(%6) {axis=none, keepdims=false}\n"
             "  return %7, %5");
  check_text(fused(p),
             "program(in0: float64(4,))\n"
             "  %3: float64(5,), %4: float64() = kernel of 2 over (5,) (in0[constant0], "
             "in0[constant1])\n"
             "  return %4, %3");
}

TEST(one_step_and_an_inner_axis) {
  Draft d;
  const ValueId x = d.input({2, 4, 3}), y = d.input({5, 3});
  const ValueId i = d.constant(indices({0, 1, -1, 2, 2}));
  const Program q = fused(d.returning({d.op("multiply", {d.op("gather", {x, i}, columns(2)), y})}));
  check_text(q,
             "program(in0: float64(2, 4, 3), in1: float64(5, 3))\n"
             "  %3: float64(2, 5, 3) = kernel of 1 over (2, 5, 3) (in0[:, constant0], in1)\n"
             "  return %3");
}

TEST(indices_may_be_inputs_and_are_checked_at_each_run) {
  Draft d;
  const ValueId x = d.input({4}), y = d.input({5}), i = d.input(five_indices);
  const Program p = d.returning({d.op("exp", {d.op("add", {d.op("gather", {x, i}, entries), y})})});
  const Program q = drop_dead(fuse(p));
  CHECK(count_gathers(q) == 0);
  const Executor plain(p), together(q);
  const double numbers[] = {1, 2, 3, 4, 5};
  const Value ys = Value::from(numbers, Dims{5}), xs = Value::from({numbers, 4}, Dims{4});
  for (const Value& at : {indices({0, 1, 2, 3, 3}), indices({-1, -4, 0, 0, 0})}) {
    std::vector<Value> expected, got;
    size_t failed = 0;
    CHECK(plain.run(std::vector{xs, ys, at}, {}, expected, failed));
    CHECK(together.run(std::vector{xs, ys, at}, {}, got, failed));
    CHECK(same_bits(got[0], expected[0]));
  }
  for (const Executor* e : {&plain, &together}) {
    std::vector<Value> out;
    size_t failed = 0;
    CHECK_THROWS_SAYING(IndexError, "index -5 is out of bounds for axis 0 with size 4",
                        e->run(std::vector{xs, ys, indices({0, -5, 4, 0, 0})}, {}, out, failed));
  }
}

// One that is read elsewhere, or by two kernels; another dtype; one that is broadcast; two index
// arrays; a part of the axes.
TEST(gathers_that_stay) {
  const Value at = indices({0, 1, -1, 2, 2});
  {
    Draft d;
    const ValueId g = d.op("gather", {d.input({4}), d.constant(at)}, entries);
    CHECK(count_gathers(fused(d.returning({d.op("exp", {g}), g}))) == 1);
  }
  {
    Draft d;
    const ValueId g = d.op("gather", {d.input({4}), d.constant(at)}, entries);
    const ValueId total = d.op("sum", {d.op("exp", {g})}, all);
    CHECK(count_gathers(fused(d.returning({d.op("divide", {d.op("sin", {g}), total})}))) == 1);
  }
  {
    Draft d;
    const ValueId g = d.op("gather", {d.input({4}), d.constant(at)}, entries);
    CHECK(count_gathers(fused(d.returning({d.op("add", {g, d.input({2, 5})})}))) == 1);
  }
  {
    Draft d;
    const ValueId g = d.op("gather", {d.input(f32({4})), d.constant(at)}, entries);
    CHECK(count_gathers(fused(d.returning({d.op("add", {g, d.input({5})})}))) == 1);
  }
  {
    Draft d;
    const Attrs both{Ints{3, 0, 0, 0, 3, 0, 0, 0}, Attr{int64_t{0}}};
    const ValueId g = d.op("gather", {d.input({4, 4}), d.constant(at), d.constant(at)}, both);
    CHECK(count_gathers(fused(d.returning({d.op("exp", {g})}))) == 1);
  }
  {
    Draft d;
    const Attrs part{Ints{3, 0, 0, 0, 1, 1, 1, 2}, Attr{int64_t{0}}};
    const ValueId g = d.op("gather", {d.input({4, 3}), d.constant(at)}, part);
    CHECK(count_gathers(fused(d.returning({d.op("exp", {g})}))) == 1);
  }
  {
    Draft d;
    const ValueId g = d.op("gather", {d.input({4}), d.constant(at)}, entries);
    d.guard(g, Value::zeros(DType::float64, Dims{5}));
    CHECK(count_gathers(drop_dead(fuse(d.returning({d.op("exp", {g})})))) == 1);
  }
}

// What is cheap is computed in the kernel that reads it; the gather goes there.
TEST(a_gather_follows_what_is_made_again) {
  Draft d;
  const ValueId g = d.op("gather", {d.input({4}), d.constant(indices({0, 1, -1, 2, 2}))}, entries);
  const ValueId y = d.op("negative", {g});
  const ValueId x = d.input({5}), e = d.op("exp", {x}), total = d.op("sum", {e}, all);
  const Program q = fused(d.returning({d.op("multiply", {y, d.op("divide", {e, total})})}));
  CHECK(count_gathers(q) == 0);
}

TEST(what_a_gather_reads_is_made_first) {
  Draft d;
  const ValueId x = d.op("exp", {d.input({2, 4, 3})});
  const ValueId m = d.op("matmul", {x, d.input({3, 3})});
  const ValueId i = d.constant(indices({0, 1, -1, 2, 2}));
  const ValueId a = d.op("gather", {x, i}, columns(2)), b = d.op("gather", {m, i}, columns(2));
  const ValueId s = d.op("add", {a, d.op("tanh", {b})});
  const Program q = fused(d.returning({d.op("sum", {s}, {Ints{2}, false}), m}));
  CHECK(count_gathers(q) == 0);
}
