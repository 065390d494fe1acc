#include <cmath>
#include <vector>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/parallel/parallel.h"

using namespace tapegrad;

namespace {

constexpr int64_t n = 4000;  // below the length from which stretches are fused

// A number of threads while it lives; the threshold is the default one, at which a sweep by
// components is planned by what the nodes cost.
class Threads {
 public:
  explicit Threads(int threads) { set_num_threads(threads); }
  ~Threads() { set_num_threads(0); }
};

Value counted(double first) {
  Value v = Value::empty(DType::float64, Dims{n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i, first + 1e-3 * static_cast<double>(i));
  return v;
}

// A branch whose derivative with respect to x is `factor` everywhere, to the bit.
Ref branch(const Ref& x, double factor) {
  const Ref ones = ones_like(x);
  Ref y = multiply(x, Ref(factor));
  for (int k = 0; k < 6; ++k) y = multiply(y, ones);
  return sum(y);
}

Value gradient(const Variable& out, const Variable& x) {
  return grad({&out, 1}, {&x, 1})[0].value();
}

}  // namespace

// Added from the last branch to the first one, as the serial sweep does, these give 3; the other
// way round they give 0.
TEST(what_the_parts_share_is_added_in_the_order_of_the_tape) {
  const Variable x(counted(1));
  std::vector<Ref> losses;
  for (const double factor : {2.0, 1.0, -1e17, 1e17, 0.0, 0.0, 0.0, 0.0})
    losses.push_back(branch(x.ref(), factor));
  const Variable out = Variable::from(sum(stack(losses, 0)));
  for (const int threads : {1, 2, 3, 8}) {
    const Threads set(threads);
    const int64_t regions = parallel_regions_run();
    const Value g = gradient(out, x);
    for (int64_t i = 0; i < n; ++i)
      if (g.at(i) != 3) CHECK(g.at(i) == 3);
    // One barrier for all parts. Eight parts do not share out evenly among three threads.
    if (threads != 3) CHECK(parallel_regions_run() - regions == (threads > 1));
  }
}

TEST(the_head_adds_to_what_the_parts_share) {
  const Variable x(counted(1)), s(0.25);
  std::vector<Ref> losses;
  for (int k = 0; k < 16; ++k) losses.push_back(multiply(branch(x.ref(), 1.0 + k), s.ref()));
  losses.push_back(square(s.ref()));
  const Variable out = Variable::from(sum(stack(losses, 0))), wrt[] = {x, s};
  std::vector<Value> serial;
  for (const int threads : {1, 2, 8}) {
    const Threads set(threads);
    const int64_t regions = parallel_regions_run();
    const std::vector<Variable> g = grad({&out, 1}, wrt);
    CHECK((parallel_regions_run() > regions) == (threads > 1));
    for (size_t k = 0; k < 2; ++k) {
      if (threads == 1) serial.push_back(g[k].value());
      CHECK(same_bits(g[k].value(), serial[k]));
    }
  }
  CHECK(serial[0].at(7) == 0.25 * 136);
}

// An interior node that every branch reads makes one part of them.
TEST(branches_of_one_trunk_are_no_parts) {
  const Variable x(counted(1));
  const Ref trunk = exp(negative(x.ref()));
  std::vector<Ref> losses;
  for (int k = 0; k < 8; ++k) losses.push_back(branch(trunk, 1.0 + k));
  const Variable out = Variable::from(sum(stack(losses, 0)));
  std::vector<Value> found;
  for (const int threads : {1, 2, 8}) {
    const Threads set(threads);
    found.push_back(gradient(out, x));
    CHECK(same_bits(found.back(), found[0]));
  }
  CHECK_CLOSE(found[0].at(0), -36 * std::exp(-1.0), 1e-13);
}

TEST(several_outputs_and_targets_inside_parts) {
  register_all_ops();
  const Variable x(counted(1));
  std::vector<Ref> losses, middles;
  for (int k = 0; k < 8; ++k) {
    const Ref y = multiply(square(x.ref()), Ref(1.0 + k));
    middles.push_back(y);
    const std::vector<Ref> halves = split(exp(negative(y)), 0, {n / 2});
    losses.push_back(add(sum(halves[1]), sum(square(halves[0]))));
  }
  const Variable out = Variable::from(sum(stack(losses, 0)));
  const Variable wrt[] = {x, Variable::from(middles[2]), Variable::from(middles[5])};
  std::vector<Value> serial;
  for (const int threads : {1, 2, 8}) {
    const Threads set(threads);
    const std::vector<Variable> g = grad({&out, 1}, wrt);
    for (size_t k = 0; k < 3; ++k) {
      if (threads == 1) serial.push_back(g[k].value());
      CHECK(same_bits(g[k].value(), serial[k]));
    }
  }
  CHECK_CLOSE(serial[1].at(0), -2 * std::exp(-6.0), 1e-14);
  CHECK_CLOSE(serial[2].at(n - 1), -std::exp(-6 * std::pow(1 + 1e-3 * (n - 1), 2)), 1e-14);
}

TEST(an_error_in_a_part_leaves_no_adjoint_behind) {
  static const Op& broken = register_op(
      {.name = "test_broken_part",
       .infer = [](const Attrs&,
                   std::span<const TensorType> in) { return std::vector<TensorType>{in[0]}; },
       .eval = [](const Attrs&, std::span<Value> in,
                  std::span<Value> out) { out[0] = in[0].copy(); },
       .vjp = [](VjpContext&) { throw_error<ValueError>("test: broken part"); },
       .linear = true});
  const Variable x(counted(1));
  std::vector<Ref> losses;
  for (int k = 0; k < 8; ++k) losses.push_back(branch(x.ref(), 1.0));
  const Ref whole = sum(stack(losses, 0));
  losses[5] = sum(apply(broken, {}, {multiply(x.ref(), Ref(2.0))}));
  const Variable out = Variable::from(sum(stack(losses, 0)));
  const Threads set(2);
  const size_t bytes = pool_stats().bytes_in_use;
  CHECK_THROWS_SAYING(ValueError, "broken part", gradient(out, x));
  CHECK(pool_stats().bytes_in_use == bytes);
  CHECK(gradient(Variable::from(whole), x).at(3) == 8);
}
