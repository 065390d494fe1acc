#include <chrono>
#include <functional>

#include "program/programs.h"
#include "tapegrad/program/passes/pass_switches.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::PassOptions;

namespace {

// Random programs over a few shapes that broadcast against one another: elementwise ops, masks,
// sums, views, products of matrices, casts, constants that identities feed on.
class RandomProgram {
 public:
  explicit RandomProgram(uint64_t seed) : random_(seed) {}

  Program make(int steps) {
    for (const Dims& s : {Dims{4, 3}, Dims{3}, Dims{}, Dims{4, 1}, Dims{4, 4}})
      for (int k = 0; k < 2; ++k) values_.push_back(d_.input(f64(s)));
    values_.push_back(d_.input(f32({4, 3})));
    values_.push_back(d_.input({DType::bool_, Dims{3}}));
    for (double c : {0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0}) {
      values_.push_back(d_.constant(c));
      if (pick(2)) values_.push_back(d_.constant(Value::full(DType::float64, Dims{4, 3}, c)));
    }
    for (int k = 0; k < steps; ++k) {
      try {
        step();
      } catch (const tapegrad::Error&) {  // shapes that do not fit
      }
    }
    for (int k = 0; k < 4; ++k) d_.writer().output(any(true));
    return d_.returning({values_.back()});
  }

 private:
  size_t pick(size_t n) { return random_() % n; }
  ValueId any(bool recent = false) {
    const size_t n = values_.size(), reach = recent ? std::min<size_t>(n, 12) : n;
    return values_[n - 1 - pick(reach)];
  }
  const TensorType& type(ValueId v) { return d_.writer().program().type_of(v); }

  void step() {
    static const char* const unary[] = {"negative",    "exp",      "sin",      "square",
                                        "tanh",        "absolute", "positive", "reciprocal",
                                        "logical_not", "sqrt"};
    static const char* const binary[] = {"add",      "subtract", "multiply",    "divide",
                                         "zmul",     "less",     "maximum",     "equal",
                                         "multiply", "add",      "logical_and", "power"};
    const ValueId x = any(pick(2)), y = any(pick(2));
    ValueId out = 0;
    switch (pick(12)) {
      case 0:
      case 1:
      case 2:
        out = d_.op(unary[pick(std::size(unary))], {x});
        break;
      case 3:
      case 4:
      case 5:
      case 6:
        out = d_.op(binary[pick(std::size(binary))], {x, y});
        break;
      case 7:
        out = d_.op("where", {any(), x, y});
        break;
      case 8:
        out = sum(x);
        break;
      case 9:
        out = view(x);
        break;
      case 10:
        out = d_.op("matmul", {x, y});
        break;
      default:
        out = d_.op("cast", {x}, {static_cast<int64_t>(pick(2) ? DType::float32 : DType::float64)});
    }
    values_.push_back(out);
  }

  ValueId sum(ValueId x) {
    const Dims shape = type(x).shape;
    if (!is_floating(type(x).dtype)) return x;
    if (pick(3) == 0) return d_.op("sum", {x}, {Attr{}, false});
    if (shape.empty()) return x;
    const Ints axis{static_cast<int64_t>(pick(shape.size()))};
    if (pick(2)) return d_.op(pick(2) ? "sum" : "mean", {x}, {axis, pick(2) == 0});
    Ints to(shape.begin(), shape.end());
    to[pick(to.size())] = 1;
    return d_.op("sum_to_shape", {x}, {to});
  }

  ValueId view(ValueId x) {
    const Dims shape = type(x).shape;
    switch (pick(5)) {
      case 0:
        return d_.op("broadcast_to", {x}, {pick(2) ? Ints{4, 3} : Ints{2, 4, 3}});
      case 1:
        return d_.op("transpose", {x}, {Attr{}});
      case 2:
        return d_.op("expand_dims", {x}, {Ints{static_cast<int64_t>(pick(shape.size() + 1))}});
      case 3:
        return d_.op("squeeze", {x}, {Attr{}});
      default:
        return d_.op("reshape", {x}, {pick(2) ? Ints{-1} : Ints{1, -1}});
    }
  }

  std::mt19937_64 random_;
  Draft d_;
  std::vector<ValueId> values_;
};

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
  for (std::string_view name : pass_names()) switch_pass(off, name, false);
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
