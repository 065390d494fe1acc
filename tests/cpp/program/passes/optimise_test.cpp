#include <chrono>
#include <functional>

#include "fuzz/random_program.h"
#include "tapegrad/program/passes/pass_switches.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::PassOptions;

namespace {

void check_pass(const Program& p, const std::function<Program(const Program&)>& pass) {
  check_same(p, pass(p));
}

}  // namespace

TEST(random_programs_stay_what_they_are) {
  size_t before = 0, after = 0;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    const Program p = RandomProgram(seed).make(10 + static_cast<int>(seed) % 90);
    check_program(p);
    check_pass(p, tapegrad::fold_constants);
    check_pass(p, tapegrad::share_common);
    check_pass(p, tapegrad::drop_dead);
    check_pass(p, tapegrad::simplify);
    check_pass(p, tapegrad::fuse);
    check_pass(p, [](const Program& q) { return optimise(q, PassOptions()); });
    before += drop_dead(p).steps.size();
    after += optimise(p, PassOptions()).steps.size();
    if (check::failures) {
      std::printf("seed %d\n", static_cast<int>(seed));
      break;
    }
  }
  CHECK(2 * after < before);
}

TEST(lane_programs_agree_with_their_ops) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const Program p = RandomProgram(seed).make(60), q = optimise(p, PassOptions());
    std::mt19937_64 random(seed);
    const std::vector<Value> in = random_inputs(p, random, false);
    const std::vector<Value> by_ops = run(q, in), by_lanes = run(q, in, {}, true);
    for (size_t k = 0; k < by_ops.size(); ++k) {
      CHECK(type_of(by_lanes[k]) == type_of(by_ops[k]));
      CHECK(same_numbers(by_lanes[k], by_ops[k]));
    }
  }
}

TEST(switched_off_means_untouched) {
  const Program p = RandomProgram(5).make(40);
  PassOptions off;
  for (std::string_view name : tapegrad::pass_names()) switch_pass(off, name, false);
  CHECK(to_string(optimise(p, off)) == to_string(p));
  PassOptions no_kernels;
  no_kernels.fuse = false;
  CHECK(count_kernels(optimise(p, no_kernels)) == 0);
}

TEST(passes_feed_one_another) {
  // d/dx of x * 3 + x * (1 + 2): folding makes the factors equal, sharing the products.
  Draft d;
  const ValueId x = d.input({5});
  const ValueId three = d.op("add", {d.constant(1.0), d.constant(2.0)});
  const ValueId a = d.op("multiply", {x, d.constant(3.0)}), b = d.op("multiply", {x, three});
  PassOptions options;
  options.fuse = false;
  const Program q = optimise(d.returning({d.op("add", {a, b})}), options);
  CHECK(q.steps.size() == 2);
}

// Time is printed, not asserted.
TEST(a_million_steps) {
  const auto measure = [](const char* what, const Program& p) {
    const auto timed = [&](const char* name, auto&& f) {
      const auto start = std::chrono::steady_clock::now();
      const Program q = f();
      const std::chrono::duration<double> t = std::chrono::steady_clock::now() - start;
      std::printf("%s, %s: %.0f ns per step, %zu steps from %zu\n", what, name,
                  t.count() * 1e9 / static_cast<double>(p.steps.size()), q.steps.size(),
                  p.steps.size());
      check_program(q);
      CHECK(q.steps.size() <= p.steps.size());
    };
    PassOptions no_kernels;
    no_kernels.fuse = false;
    timed("dead", [&] { return drop_dead(p); });
    timed("fold", [&] { return fold_constants(p); });
    timed("shared", [&] { return share_common(p); });
    timed("simplify", [&] { return simplify(p); });
    timed("fuse", [&] { return fuse(p); });
    timed("all but fuse", [&] { return optimise(p, no_kernels); });
    timed("all", [&] { return optimise(p, PassOptions()); });
  };
  const auto scalars = [](int steps) {
    Draft d;
    ValueId x = d.input(Dims{}), y = d.input(Dims{});
    for (int k = 0; k < steps / 4; ++k) {
      const ValueId a = d.op("multiply", {x, y}), b = d.op("sin", {a});
      x = d.op("add", {b, x});
      y = d.op("subtract", {x, a});
    }
    return d.returning({x, y});
  };
  const auto loop = [](int steps) {
    Draft d;
    const ValueId w = d.input({2, 2});
    ValueId x = d.input({2});
    for (int k = 0; k < steps / 5; ++k) {
      const ValueId a = d.op("matmul", {w, x}), t = d.op("tanh", {a});
      const ValueId b = d.op("add", {d.op("multiply", {t, t}), a});
      x = d.op("subtract", {b, x});
    }
    return d.returning({x});
  };
  measure("scalars", scalars(1000000));
  measure("time loop", loop(1000000));
}
