#include "tapegrad/sweep/reverse_sweep.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/parallel/parallel.h"

using namespace tapegrad;

namespace {

const double inf = std::numeric_limits<double>::infinity();

Value counted(int64_t n, DType d = DType::float64) {
  Value v = Value::empty(d, Dims{n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i, 1.0 + 0.25 * static_cast<double>(i));
  return v;
}

Variable apply_to(const Variable& v, Ref (*f)(const Ref&)) { return Variable::from(f(v.ref())); }

std::vector<Variable> gradients(const Variable& out, std::vector<Variable> wrt,
                                std::optional<bool> record = {}) {
  return grad({&out, 1}, wrt, {}, record);
}

}  // namespace

TEST(contributions_add_up) {
  const Variable x(3.0), y(2.0);
  const Variable out = x * y + x * x + sin(y) * x;
  for (bool recorded : {false, true}) {
    const std::vector<Variable> g = gradients(out, {x, y}, recorded);
    CHECK_CLOSE(g[0].item(), 2 + 6 + std::sin(2.0), 1e-15);
    CHECK_CLOSE(g[1].item(), 3 + 3 * std::cos(2.0), 1e-15);
  }
}

TEST(targets_on_the_way_keep_their_adjoint) {
  for (const Value& start :
       {Value(2.0), counted(200)}) {  // a number, then arrays through every kind of rule
    const Variable x(start), y = square(x),
                             z = Variable::from(reshape(y.ref(), Dims{start.size(), 1}));
    const Variable out = sum(z * z) + sum(y);
    const std::vector<Variable> g = gradients(out, {x, z, y, y, out, x});
    for (int64_t i = 0; i < start.size(); ++i) {
      const double a = start.at(i);
      CHECK_CLOSE(g[0].value().at(i), 4 * a * a * a + 2 * a, 1e-12);
      CHECK_CLOSE(g[1].value().at(i), 2 * a * a, 1e-12);
      CHECK_CLOSE(g[2].value().at(i), 2 * a * a + 1, 1e-12);
      CHECK(same_bits(g[2].value(), g[3].value()) && same_bits(g[0].value(), g[5].value()));
    }
    CHECK(g[4].item() == 1);
  }
}

TEST(a_rule_hands_on_the_adjoint_of_a_target) {
  // Linear rules return the cotangent itself; what lands later must not write into the target's.
  const Variable x(counted(100)), a = x + Variable(1.0),
                                  b = Variable::from(reshape(a.ref(), Dims{10, 10}));
  const Variable out = sum(b) + sum(x * Variable(2.0)) + sum(a * a);
  const std::vector<Variable> g = gradients(out, {a, x, b});
  for (int64_t i = 0; i < 100; ++i) {
    CHECK_CLOSE(g[0].value().at(i), 1 + 2 * (x.value().at(i) + 1), 1e-13);
    CHECK_CLOSE(g[1].value().at(i), 3 + 2 * (x.value().at(i) + 1), 1e-13);
    CHECK(g[2].value().at(i) == 1);
  }
}

TEST(seeds_stay_the_users) {
  const Variable x(counted(50)), y = x + x;
  const Value seed_value = counted(50);
  const Ref seed(seed_value);
  const Variable outs[] = {y, y, x};
  const Ref seeds[] = {seed, seed, seed};
  const std::vector<Variable> g = grad(outs, {&x, 1}, seeds);
  for (int64_t i = 0; i < 50; ++i) {
    CHECK_CLOSE(g[0].value().at(i), 5 * (1.0 + 0.25 * static_cast<double>(i)), 1e-13);
    CHECK(seed_value.at(i) == 1.0 + 0.25 * static_cast<double>(i));
  }
}

TEST(a_zero_cotangent_stops_at_any_partial) {
  // d sqrt at 0 is inf, d log at 0 is inf: where they are not taken, they must not bring NaN.
  for (bool recorded : {false, true}) {
    const Variable x(0.0);
    const Ref taken = where(Ref(Value::integer_scalar(0, DType::bool_)), sqrt(x.ref()), x.ref());
    CHECK(gradients(Variable::from(taken), {x}, recorded)[0].item() == 1);
    const Variable zero(0.0);
    CHECK(gradients(zero * apply_to(x, sqrt) + x, {x}, recorded)[0].item() == 1);
    const Variable v(Value::from(std::vector<double>{0, 4, 0}, Dims{3}));
    const Value mask = Value::from(std::vector<double>{0, 1, 0}, Dims{3}).cast(DType::bool_);
    const Variable out =
        Variable::from(sum(where(Ref(mask), sqrt(v.ref()), multiply(v.ref(), Ref(2.0)))));
    const Value g = gradients(out, {v}, recorded)[0].value();
    CHECK(g.at(0) == 2 && g.at(1) == 0.25 && g.at(2) == 2);
  }
  const Variable x(0.0);  // a real infinite slope is not hidden
  CHECK(gradients(apply_to(x, sqrt), {x})[0].item() == inf);
}

TEST(second_order_at_a_zero_residual) {
  const Variable x(2.0), r = x * x - Variable(4.0), out = r * r;
  const Variable g = gradients(out, {x}, true)[0];
  CHECK(g.item() == 0);
  CHECK(gradients(g, {x})[0].item() == 2 * 4.0 * 4.0);  // 2 (dr/dx)^2
}

TEST(float32_stays_float32) {
  const Variable w(counted(300, DType::float32)), s(Value::scalar(0.1, DType::float32)), d(2.0);
  const Variable out = sum(square(w) * s) * d;
  CHECK(out.value().dtype() == DType::float64);
  for (bool recorded : {false, true}) {
    const std::vector<Variable> g = gradients(out, {w, s, d}, recorded);
    CHECK(g[0].value().dtype() == DType::float32 && g[1].value().dtype() == DType::float32);
    CHECK(g[2].value().dtype() == DType::float64);
    CHECK_CLOSE(g[0].value().at(4), 2 * 2 * static_cast<double>(0.1f) * 2, 1e-6);
  }
}

TEST(element_reads_add_into_one_adjoint) {
  constexpr int64_t n = 20000;  // an adjoint of its own for each read would take 3.2 GB
  const Variable x(counted(n));
  const Ref read = x.ref();
  Ref total(0.0);
  for (int64_t i = 0; i < n; ++i)
    total = add(total, multiply(slice(read, IndexSpec().at(i)), Ref(static_cast<double>(i))));
  const Value g = gradients(Variable::from(total), {x})[0].value();
  for (int64_t i = 0; i < n; ++i)
    if (g.at(i) != static_cast<double>(i)) CHECK(g.at(i) == static_cast<double>(i));
}

TEST(ops_with_several_outputs) {
  const Variable a(Value::from(std::vector<double>{2, 1, 0, 3}, Dims{2, 2}));
  const auto parts = [&](Ref whole) {
    return apply(*find_op("slogdet"), {}, std::vector<Ref>{std::move(whole)});
  };
  for (bool recorded : {false, true}) {
    std::vector<Ref> both = parts(a.ref());
    Value g = gradients(Variable::from(both[1]), {a}, recorded)[0].value();
    CHECK_CLOSE(g.at(0), 0.5, 1e-15);  // inv(a).T
    CHECK_CLOSE(g.at(2), -1.0 / 6, 1e-15);
    g = gradients(Variable::from(add(both[0], multiply(both[1], both[1]))), {a}, recorded)[0]
            .value();
    CHECK_CLOSE(g.at(0), 2 * std::log(6.0) * 0.5, 1e-14);
    g = gradients(Variable::from(both[0]), {a}, recorded)[0].value();
    for (int64_t i = 0; i < 4; ++i) CHECK(g.at(i) == 0);
  }
  const Variable v(counted(6));
  std::vector<Ref> pieces = split(v.ref(), 0, {2, 3});
  const Value g =
      gradients(Variable::from(add(sum(pieces[2]), sum(square(pieces[0])))), {v})[0].value();
  CHECK(g.at(0) == 2 && g.at(1) == 2.5 && g.at(2) == 0 && g.at(5) == 1);
}

TEST(an_error_in_a_sweep_leaves_it_usable) {
  // inv's rule reads its result; the op below has a rule that throws.
  static const Op& broken = register_op(
      {.name = "test_broken_rule",
       .infer = [](const Attrs&,
                   std::span<const TensorType> in) { return std::vector<TensorType>{in[0]}; },
       .eval = [](const Attrs&, std::span<Value> in,
                  std::span<Value> out) { out[0] = in[0].copy(); },
       .vjp = [](VjpContext&) { throw_error<ValueError>("test: broken rule"); },
       .linear = true});
  static const Op& none =
      register_op({.name = "test_no_rule", .infer = broken.infer, .eval = broken.eval});
  const int before_threads = num_threads();
  for (int threads : {1, 3}) {
    set_num_threads(threads);
    set_work_threshold_ns(threads == 1 ? 20000 : 0);
    const Variable x(counted(100));
    std::vector<Ref> branches;
    for (int k = 0; k < 8; ++k)
      branches.push_back(sum(k == 5 ? apply(broken, {}, {square(x.ref())})
                                    : multiply(square(x.ref()), Ref(1.0 * k))));
    const Variable out = Variable::from(sum(stack(branches, 0)));
    const size_t bytes = pool_stats().bytes_in_use;
    CHECK_THROWS_SAYING(ValueError, "broken rule", gradients(out, {x}));
    CHECK_THROWS_SAYING(ValueError, "broken rule", out.backward());
    CHECK(!x.has_grad());
    CHECK(pool_stats().bytes_in_use == bytes);
    branches[5] = branches[4];
    CHECK(gradients(Variable::from(sum(stack(branches, 0))), {x})[0].value().at(0) ==
          2 * (0 + 1 + 2 + 3 + 4 + 4 + 6 + 7));
    CHECK_THROWS_SAYING(TypeError, "test_no_rule: has no derivative rule",
                        gradients(Variable::from(sum(apply(none, {}, {x.ref()}))), {x}));
  }
  set_work_threshold_ns(20000);
  set_num_threads(before_threads);
}

TEST(long_chains_and_their_memory) {
  const Variable x(1.0);
  const int64_t live = Tape::current().live_nodes();
  constexpr int n = 300'000;
  {
    Variable y = x;
    for (int i = 0; i < n; ++i) y = y * Variable(1.0);
    CHECK(gradients(y, {x})[0].item() == 1);
  }
  CHECK(Tape::current().live_nodes() <= live + 1);
}
