#include "tapegrad/sweep/reverse_rule.h"

#include <vector>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"

using namespace tapegrad;

namespace {

using Types = std::vector<TensorType>;

// An op of a test's own; the library's own come first.
const Op& test_op(Op op) {
  register_all_ops();
  return register_op(std::move(op));
}

Types infer_first(const Attrs&, std::span<const TensorType> in) { return {in[0]}; }
void eval_copy(const Attrs&, std::span<Value> in, std::span<Value> out) { out[0] = in[0].copy(); }

Value counted(int64_t n) {
  Value v = Value::empty(DType::float64, Dims{n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i, 1.0 + static_cast<double>(i));
  return v;
}

Value gradient(const Ref& out, const Variable& x, bool recorded = false) {
  const Variable total = Variable::from(out);
  return grad({&total, 1}, {&x, 1}, {}, recorded)[0].value();
}

// What a rule saw at its last run.
struct Seen {
  bool needs[3] = {};
  TensorType in, out;
  bool has_ct[2] = {};
  bool shares = false;
};
Seen seen;

}  // namespace

TEST(what_was_not_declared_cannot_be_read) {
  static const Op& input = test_op({.name = "test_reads_input",
                                    .infer = infer_first,
                                    .eval = eval_copy,
                                    .vjp = [](VjpContext& ctx) { ctx.add(0, ctx.in(0)); }});
  static const Op& output = test_op({.name = "test_reads_output",
                                     .infer = infer_first,
                                     .eval = eval_copy,
                                     .vjp = [](VjpContext& ctx) { ctx.add(0, ctx.out()); }});
  const Variable x(counted(5));
  for (const bool recorded : {false, true}) {
    // The arrays that the rules ask for were made on the way, and nobody else keeps them.
    const Ref reads_input = sum(apply(input, {}, {multiply(x.ref(), Ref(2.0))}));
    const Ref reads_output = sum(apply(output, {}, {x.ref()}));
    CHECK_THROWS_SAYING(
        RuntimeError,
        "internal error: the rule of test_reads_input reads input 0, which it did not declare",
        gradient(reads_input, x, recorded));
    CHECK_THROWS_SAYING(RuntimeError, "the rule of test_reads_output reads output 0, which it did",
                        gradient(reads_output, x, recorded));
  }
}

TEST(a_rule_knows_types_and_what_is_needed) {
  static const Op& op = test_op({.name = "test_looks_around",
                                 .n_in = 3,
                                 .infer = infer_first,
                                 .eval = eval_copy,
                                 .vjp = [](VjpContext& ctx) {
                                   for (int i = 0; i < 3; ++i) seen.needs[i] = ctx.needs(i);
                                   seen.in = ctx.in_type(0);
                                   seen.out = ctx.out_type();
                                   // An input that needs none ignores what it is given.
                                   ctx.add(1, ctx.ct());
                                   ctx.add(0, ctx.ct());
                                   ctx.add(2, ctx.ct());
                                 }});
  const Variable x(counted(4)), plain(counted(4));
  for (const bool recorded : {false, true}) {
    const Ref twice = multiply(x.ref(), Ref(2.0));
    const Value g = gradient(sum(apply(op, {}, {twice, Ref(counted(4)), x.ref()})), x, recorded);
    for (int64_t i = 0; i < 4; ++i) CHECK(g.at(i) == 3);
    CHECK(seen.needs[0] && !seen.needs[1] && seen.needs[2]);
    CHECK(seen.in == (TensorType{DType::float64, Dims{4}}) && seen.out == seen.in);
    // Nor does a Variable that nobody asked for.
    const Variable total = Variable::from(sum(apply(op, {}, {x.ref(), plain.ref(), x.ref()})));
    grad({&total, 1}, {&x, 1}, {}, recorded);
    CHECK(!seen.needs[1]);
  }
}

// (x) -> x, 2 x, of which the rule reads the second output and either cotangent may be missing.
TEST(ops_with_two_outputs_have_two_cotangents) {
  static const Op& op = test_op(
      {.name = "test_two_outputs",
       .n_out = 2,
       .infer = [](const Attrs&, std::span<const TensorType> in) { return Types{in[0], in[0]}; },
       .eval =
           [](const Attrs&, std::span<Value> in, std::span<Value> out) {
             out[0] = in[0].copy();
             out[1] = multiply(Ref(in[0]), Ref(2.0)).value();
           },
       .vjp =
           [](VjpContext& ctx) {
             for (int j = 0; j < 2; ++j) seen.has_ct[j] = ctx.has_ct(j);
             seen.out = ctx.out_type(1);
             if (ctx.has_ct(0)) ctx.add(0, ctx.ct(0));
             if (ctx.has_ct(1)) ctx.add(0, multiply(ctx.take_ct(1), ctx.out(1)));
           },
       .reads = {reads_out(1)}});
  const Variable x(counted(3));
  for (const bool recorded : {false, true}) {
    const std::vector<Ref> both = apply(op, {}, std::vector<Ref>{x.ref()});
    CHECK(gradient(sum(both[0]), x, recorded).at(2) == 1);
    CHECK(seen.has_ct[0] && !seen.has_ct[1]);
    CHECK(gradient(sum(both[1]), x, recorded).at(2) == 6);
    CHECK(!seen.has_ct[0] && seen.has_ct[1]);
    CHECK(gradient(add(sum(both[0]), sum(both[1])), x, recorded).at(0) == 3);
    CHECK(seen.has_ct[0] && seen.has_ct[1]);
    CHECK(seen.out == (TensorType{DType::float64, Dims{3}}));
  }
}

// Moved out it is the rule's own, so that an op may overwrite it; a target's stays shared.
TEST(a_cotangent_that_nobody_wants_is_handed_over) {
  static const Op& op = test_op(
      {.name = "test_takes", .infer = infer_first, .eval = eval_copy, .vjp = [](VjpContext& ctx) {
         Ref taken = ctx.take_ct();
         seen.shares = !taken.value().owns_buffer();
         ctx.add(0, std::move(taken));
       }});
  const Variable x(counted(100));
  const Variable y = Variable::from(apply(op, {}, {x.ref()}));
  const Variable total = Variable::from(sum(multiply(y.ref(), y.ref())));
  const Variable inner[] = {x}, both[] = {x, y};
  grad({&total, 1}, inner, {}, false);
  CHECK(!seen.shares);
  const std::vector<Variable> g = grad({&total, 1}, both, {}, false);
  CHECK(seen.shares);
  CHECK(g[0].value().at(9) == 20 && g[1].value().at(9) == 20);
}

TEST(recorded_sweeps_give_out_what_can_be_differentiated) {
  static const Op& op =
      test_op({.name = "test_cube",
               .infer = infer_first,
               .eval =
                   [](const Attrs&, std::span<Value> in, std::span<Value> out) {
                     const double x = in[0].as_double();
                     out[0] = Value(x * x * x);
                   },
               .vjp =
                   [](VjpContext& ctx) {
                     seen.shares = ctx.in(0).tracked();
                     ctx.add(0, multiply(ctx.ct(), multiply(Ref(3.0), square(ctx.in(0)))));
                   },
               .reads = {reads_in(0)}});
  const Variable x(2.0);
  const Ref y = apply(op, {}, {x.ref()});
  CHECK(gradient(y, x, false).as_double() == 12);
  CHECK(!seen.shares);
  const Variable out = Variable::from(y);
  const Variable first = grad({&out, 1}, {&x, 1}, {}, true)[0];
  CHECK(seen.shares);
  CHECK(gradient(first.ref(), x).as_double() == 12);
}
