#include <cmath>

#include "check.h"
#include "tapegrad/ops/einsum/einsum.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/record.h"
#include "tapegrad/program/run/executor.h"

using namespace tapegrad;

namespace {

Value numbers(std::initializer_list<double> x, Dims shape) {
  return Value::from(std::vector<double>(x), shape);
}

template <class F>
Program record(std::vector<Value> inputs, F&& f) {
  register_all_ops();
  Tracer tracer;
  std::vector<Ref> args;
  for (const Value& v : inputs) args.push_back(tracer.argument(v));
  return freeze(tracer, f(args)).program;
}

void check_same(const Program& before, const Program& after, const std::vector<Value>& inputs) {
  check_program(after);
  std::vector<Ref> refs(inputs.begin(), inputs.end());
  const std::vector<Ref> a = replay(before, refs, {}), b = replay(after, refs, {});
  CHECK(a.size() == b.size());
  for (size_t k = 0; k < a.size(); ++k) {
    CHECK(a[k].type() == b[k].type());
    for (int64_t i = 0; i < a[k].size(); ++i)
      CHECK(std::abs(a[k].value().at(i) - b[k].value().at(i)) <=
            1e-13 * (1 + std::abs(a[k].value().at(i))));
  }
}

bool is_scalar_code(const Program& p) {
  for (const Program::Step& s : p.steps) {
    const Op& op = op_by_id(s.op);
    const std::string_view name = op.name;
    if (op.scalar_fn < 0 && name != "slice" && name != "reshape" && name != "stack") return false;
    if (op.scalar_fn >= 0 && !p.type_of(s.first_out).shape.empty()) return false;
  }
  return true;
}

}  // namespace

TEST(expand_shows_scalars) {
  const Program p = record({numbers({1, 2}, {2})}, [](const std::vector<Ref>& x) {
    return std::vector<Ref>{sum(multiply(x[0], x[0]))};
  });
  CHECK(to_string(p) ==
        "program(in0: float64(2,))\n"
        "  %1: float64(2,) = multiply(in0, in0)\n"
        "  %2: float64() = sum(%1) {axis=none, keepdims=false}\n"
        "  return %2");
  CHECK(to_string(expand_small(p)) ==
        "program(in0: float64(2,))\n"
        "  %1: float64() = slice(in0) {code=(0, 0, 0, 0)}\n"
        "  %2: float64() = slice(in0) {code=(0, 1, 0, 0)}\n"
        "  %3: float64() = multiply(%1, %1)\n"
        "  %4: float64() = multiply(%2, %2)\n"
        "  %5: float64() = add(%3, %4)\n"
        "  return %5");
}

TEST(expand_of_every_rule_computes_the_same) {
  const std::vector<Value> in = {numbers({1, -2, 3, 0.5, 5, 6}, {2, 3}), numbers({2, 7, -1}, {3}),
                                 numbers({1, 2, 3, 4, 5, 6, 7, 8, 10}, {3, 3})};
  const Program p = record(in, [](const std::vector<Ref>& x) {
    const Ref wide = broadcast_to(x[1], Dims{2, 3});
    return std::vector<Ref>{
        matmul(x[0], x[2]),
        matmul(x[2], x[1]),
        matmul(x[1], x[1]),
        einsum("ij,kj->ik", {x[0], x[2]}),
        cross_last(x[0], wide),
        transpose(x[0], Axes{1, 0}),
        mean(x[0], Axes{0}),
        prod(x[0], Axes{-1}),
        sum_to_shape(multiply(x[0], wide), Dims{1, 3}),
        concatenate({x[0], reshape(x[1], Dims{1, 3})}, 0),
        stack({x[1], negative(x[1])}, 1),
        pad_constant(x[1], {1, 2}, 4.5),
        flip(x[0], Axes{0}),
        slice(x[2], IndexSpec().at(1).range(2, -1, 3)),
        sum(x[2], Axes{1}),
        diagonal_scatter(x[1], Dims{3, 3}),
        tril(x[2]),
        where(less(x[0], Ref(1.0)), exp(x[0]), x[0]),
    };
  });
  const Program expanded = expand_small(p);
  CHECK(is_scalar_code(expanded));
  check_same(p, expanded, in);
  CHECK(expanded.steps.size() > p.steps.size());
  CHECK(expand_small(p, 64, 10).steps.size() == p.steps.size());  // too many scalars: left alone
}

// What is expanded may be differentiated, where equal elements share alike: no maximum of two says
// that.
TEST(expand_keeps_extremes) {
  const std::vector<Value> in = {numbers({4, 1, 1, 3}, {2, 2})};
  const Program p = record(in, [](const std::vector<Ref>& x) {
    const Ref shifted = subtract(x[0], max(x[0], Axes{1}, true));
    return std::vector<Ref>{sum(shifted, Axes{0}), min(exp(shifted), Axes{0, 1})};
  });
  const Program expanded = expand_small(p);
  check_same(p, expanded, in);
  size_t extremes = 0, arrays = 0;
  for (const Program::Step& s : expanded.steps) {
    const tapegrad::ReductionKind kind = op_by_id(s.op).reduces;
    extremes +=
        kind == tapegrad::ReductionKind::maximum || kind == tapegrad::ReductionKind::minimum;
    arrays += op_by_id(s.op).name == std::string("subtract") &&
              !expanded.type_of(s.first_out).shape.empty();
  }
  CHECK(extremes == 2);
  CHECK(arrays == 0);
}

TEST(expand_keeps_what_is_large_or_has_no_rule) {
  const std::vector<Value> in = {numbers({4, 1, 1, 3}, {2, 2}),
                                 Value::full(DType::float64, Dims{100}, 2.0)};
  const Program p = record(in, [](const std::vector<Ref>& x) {
    const Ref s = apply(*find_op("inv"), Attrs(), {x[0]});
    return std::vector<Ref>{multiply(s, s), multiply(x[1], sum(x[0]))};
  });
  const Program expanded = expand_small(p);
  check_same(p, expanded, in);
  CHECK(to_string(expanded).find("inv") != std::string::npos);
}

TEST(expand_drops_what_seeds_multiply_by_zero) {
  const Program p = record({numbers({1, 2}, {2})}, [](const std::vector<Ref>& x) {
    return std::vector<Ref>{zmul(Ref(numbers({0, 1}, {2})), exp(x[0]))};
  });
  const Program expanded = drop_dead(expand_small(p));
  size_t exps = 0;
  for (const Program::Step& s : expanded.steps) exps += op_by_id(s.op).name == std::string("exp");
  CHECK(exps == 1);
  check_same(p, expanded, {numbers({1, 2}, {2})});
}

TEST(arrays_without_elements_have_none) {
  const auto none_of = [](const Ref& x) {
    return slice(x, IndexSpec::along(x.shape(), 0, 2, 1, 0));
  };
  const std::vector<Value> inputs{numbers({3, 4}, {2})};
  const Program p = record(inputs, [&](const std::vector<Ref>& x) {
    const Ref none = none_of(x[0]);
    const Ref joined = concatenate({none, multiply(x[0], x[0])}, 0);
    return std::vector<Ref>{multiply(joined, x[0]), multiply(none, none)};
  });
  const Program expanded = expand(p);
  check_program(expanded);
  std::vector<Value> out;
  size_t failed = 0;
  CHECK(Executor(expanded).run(inputs, {}, out, failed));
  CHECK(out[0].at(0) == 27 && out[0].at(1) == 64);
  CHECK(out[1].shape() == (Dims{0}));
}

namespace {

// What a loop over vectors of two makes: its last vector, and all of them joined.
Program pairs_in_a_loop(int64_t turns, const std::vector<Value>& inputs) {
  return record(inputs, [&](const std::vector<Ref>& x) {
    Ref h = x[0];
    std::vector<Ref> made;
    for (int64_t t = 0; t < turns; ++t) {
      const Ref row = slice(x[1], IndexSpec::entry(x[1].shape(), 0, t));
      const Ref turned = slice(h, IndexSpec::along(h.shape(), 0, 1, -1, 2));
      const Ref length = sum(multiply(turned, h));
      h = add(multiply(h, exp(negative(row))), multiply(turned, length));
      made.push_back(h);
    }
    return std::vector<Ref>{h, stack(made, 0)};
  });
}

std::vector<Value> of_pairs(int64_t turns) {
  std::vector<double> rows;
  for (int64_t i = 0; i < 2 * turns; ++i) rows.push_back(std::sin(static_cast<double>(i)) + 2);
  return {numbers({0.1, -0.2}, {2}), Value::from(rows, Dims{turns, 2})};
}

}  // namespace

TEST(loops_over_vectors_of_two_become_loops_over_numbers) {
  const std::vector<Value> inputs = of_pairs(100);
  const Program p = pairs_in_a_loop(100, inputs);
  const Program q = drop_dead(expand_tiny(p));
  check_program(q);
  size_t arrays = 0;
  for (const Program::Step& s : q.steps)
    arrays += op_by_id(s.op).scalar_fn >= 0 && !q.type_of(s.first_out).shape.empty();
  CHECK(arrays == 0);
  const std::vector<Ref> refs(inputs.begin(), inputs.end());
  const std::vector<Ref> a = replay(p, refs, {}), b = replay(q, refs, {});
  for (size_t k = 0; k < a.size(); ++k) {
    CHECK(a[k].type() == b[k].type());
    for (int64_t i = 0; i < a[k].size(); ++i)  // to the bit
      CHECK(a[k].value().at(i) == b[k].value().at(i));
  }
}

TEST(short_programs_and_those_of_longer_arrays_keep_their_arrays) {
  const Program few = pairs_in_a_loop(10, of_pairs(10));
  CHECK(expand_tiny(few).steps.size() == few.steps.size());
  const Program longer = record({numbers({1, 2, 3, 4, 5}, {5})}, [](const std::vector<Ref>& x) {
    Ref h = x[0];
    for (int t = 0; t < 300; ++t) h = exp(negative(multiply(h, h)));
    return std::vector<Ref>{h};
  });
  CHECK(expand_tiny(longer).steps.size() == longer.steps.size());
}

TEST(the_work_of_taking_tiny_arrays_apart_is_linear) {
  const auto steps = [](int64_t turns) {
    return expand_tiny(pairs_in_a_loop(turns, of_pairs(turns))).operands.size();
  };
  CHECK(steps(800) < 5 * steps(200));
}
