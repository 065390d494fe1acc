#include <chrono>
#include <functional>

#include "fuzz/random_program.h"
#include "program/allocated.h"
#include "program/recorded.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
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

// Loops of n turns, and how much memory it takes to record and to optimise their gradients: a copy
// of something that grows with n, in each turn, would show.
TEST(the_work_for_a_loop_grows_as_its_turns_do) {
  using tapegrad::IndexSpec, tapegrad::Ref;
  using Loss = std::function<Ref(const Ref& x, int64_t n)>;
  const auto gradient = [](const Loss& loss, int64_t n, const Dims& shape) {
    std::mt19937_64 random(1);
    return record(
        [&](tapegrad::Tracer&, const Refs& in) -> Refs {
          tapegrad::Scope scope;
          const Ref x = scope.argument(in[0]).ref(), y = loss(x, n);
          const Ref wrt[] = {x};
          return {scope.result(scope.grad({&y, 1}, wrt, {})[0])};
        },
        {random_value(f64(shape), random)});
  };
  const auto wave = [](const Ref& x) { return exp(negative(square(x))); };
  const auto element = [](const Ref& x, int64_t i) {
    return slice(x, IndexSpec::entry(x.shape(), 0, i));
  };
  const auto numbers = [&](const Ref& x, int64_t n) {
    Ref h = x;
    for (int64_t k = 0; k < n; ++k)
      h = wave(add(multiply(h, x), Ref(Value(0.1 * static_cast<double>(k)))));
    return h;
  };
  const auto elements_read = [&](const Ref& x, int64_t n) {
    Ref h = element(x, 0);
    for (int64_t k = 1; k < n; ++k) h = wave(add(h, element(x, k)));
    return h;
  };
  const auto elements_written = [&](const Ref& x, int64_t n) {
    Ref y = multiply(x, Ref(Value(0.0)));
    for (int64_t k = 1; k < n; ++k) {
      const Ref now = add(multiply(element(y, k - 1), Ref(Value(0.5))), element(x, k));
      y = slice_set(std::move(y), IndexSpec::entry(x.shape(), 0, k), now);
    }
    return sum(square(y));
  };
  const auto listed = [&](const Ref& x, int64_t n) {
    Refs found{element(x, 0)};
    for (int64_t k = 1; k < n; ++k) found.push_back(wave(multiply(found.back(), element(x, k))));
    return sum(tapegrad::stack(found, 0));
  };
  const auto small_arrays = [&](const Ref& x, int64_t n) {
    Ref h = x;
    for (int64_t k = 0; k < n; ++k) h = wave(add(multiply(h, x), sum(h)));
    return sum(h);
  };
  const auto check = [&](const char* what, const Loss& loss, bool long_argument,
                         const Dims& shape) {
    double taken[2][2];
    for (const int64_t n : {4000, 1000, 4000}) {  // at first for the pool, which keeps what it gave
      const int64_t start = allocated_bytes();
      const tapegrad::Recording r = gradient(loss, n, long_argument ? Dims{n} : shape);
      const int64_t recorded = allocated_bytes();
      const Program q = optimise(r.program, PassOptions());
      double* const now = taken[n == 4000];
      now[0] = static_cast<double>(recorded - start);
      now[1] = static_cast<double>(allocated_bytes() - recorded);
      check_program(q);
    }
    for (int k : {0, 1}) {
      CHECK(taken[1][k] <= 5 * taken[0][k]);
      if (taken[1][k] > 5 * taken[0][k]) std::printf("%s: %s\n", what, k ? "passes" : "recording");
    }
  };
  check("numbers", numbers, false, {});
  check("elements that are read", elements_read, true, {});
  check("elements that are written", elements_written, true, {});
  check("elements in a list", listed, true, {});
  check("small arrays", small_arrays, false, {5});
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
