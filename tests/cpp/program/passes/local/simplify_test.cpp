#include <functional>

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

// The body of a program of x and y, before and after.
void check_rule(const std::function<ValueId(Draft&, ValueId, ValueId)>& body, const char* after,
                const TensorType& type = f64({7})) {
  Draft d;
  const ValueId x = d.input(type), y = d.input(type);
  const Program p = d.returning({body(d, x, y)});
  const Program q = drop_dead(simplify(p));
  check_same(p, q);
  std::string text = to_string(q);
  text = text.substr(text.find('\n') + 1);
  std::string line;
  for (size_t at = 0; at < text.size(); ++at)  // without the types
    if (text.compare(at, 2, ": ") == 0) {
      at = text.find(" =", at) - 1;
    } else {
      line += text[at];
    }
  if (line != after) std::printf("expected:\n%s\ngot:\n%s\n", after, line.c_str());
  CHECK(line == after);
}

}  // namespace

TEST(factors_of_one) {
  for (const TensorType& t : {f64({7}), f64(), f64({2, 0})}) {
    check_rule([](Draft& d, ValueId x, ValueId) { return d.op("multiply", {x, d.constant(1.0)}); },
               "  return in0", t);
    check_rule([](Draft& d, ValueId x, ValueId) { return d.op("divide", {x, d.constant(1.0)}); },
               "  return in0", t);
    check_rule([](Draft& d, ValueId x, ValueId) { return d.op("positive", {x}); }, "  return in0",
               t);
  }
  const Value one = Value::full(DType::float64, Dims{3, 7}, 1.0);
  check_rule([&](Draft& d, ValueId x, ValueId) { return d.op("multiply", {d.constant(one), x}); },
             "  %2 = broadcast_to(in0) {shape=(3, 7)}\n  return %2");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("power", {x, d.constant(1.0)}); },
             "  return in0");
}

TEST(signs) {
  const auto neg = [](Draft& d, ValueId v) { return d.op("negative", {v}); };
  check_rule([&](Draft& d, ValueId x, ValueId) { return neg(d, neg(d, x)); }, "  return in0");
  check_rule([&](Draft& d, ValueId x, ValueId y) { return d.op("add", {x, neg(d, y)}); },
             "  %2 = subtract(in0, in1)\n  return %2");
  check_rule([&](Draft& d, ValueId x, ValueId y) { return d.op("add", {neg(d, x), y}); },
             "  %2 = subtract(in1, in0)\n  return %2");
  check_rule([&](Draft& d, ValueId x, ValueId y) { return d.op("subtract", {x, neg(d, y)}); },
             "  %2 = add(in0, in1)\n  return %2");
  check_rule(
      [&](Draft& d, ValueId x, ValueId y) { return d.op("multiply", {neg(d, x), neg(d, y)}); },
      "  %2 = multiply(in0, in1)\n  return %2");
  check_rule([&](Draft& d, ValueId x, ValueId) { return d.op("square", {neg(d, x)}); },
             "  %2 = square(in0)\n  return %2");
  check_rule([&](Draft& d, ValueId x, ValueId) { return d.op("absolute", {neg(d, x)}); },
             "  %2 = absolute(in0)\n  return %2");
  check_rule([&](Draft& d, ValueId x, ValueId) { return d.op("multiply", {x, d.constant(-1.0)}); },
             "  %2 = negative(in0)\n  return %2");
  check_rule(
      [&](Draft& d, ValueId x, ValueId) { return d.op("multiply", {neg(d, x), d.constant(3.0)}); },
      "  %3 = multiply(in0, -3)\n  return %3");
}

TEST(zeros_keep_their_sign) {
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("add", {x, d.constant(-0.0)}); },
             "  return in0");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("add", {x, d.constant(0.0)}); },
             "  %3 = add(in0, 0)\n  return %3");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("subtract", {x, d.constant(0.0)}); },
             "  return in0");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("subtract", {x, d.constant(-0.0)}); },
             "  %3 = subtract(in0, -0)\n  return %3");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("subtract", {d.constant(-0.0), x}); },
             "  %2 = negative(in0)\n  return %2");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("subtract", {d.constant(0.0), x}); },
             "  %3 = subtract(0, in0)\n  return %3");
  check_rule([](Draft& d, ValueId x,
                ValueId) { return d.op("add", {d.op("square", {x}), d.constant(0.0)}); },
             "  %2 = square(in0)\n  return %2");
}

TEST(strong_zero) {
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("zmul", {d.constant(0.0), x}); },
             "  %3 = broadcast_to(0) {shape=(7,)}\n  return %3");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("zmul", {d.constant(1.0), x}); },
             "  return in0");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("zmul", {d.constant(2.0), x}); },
             "  %3 = multiply(2, in0)\n  return %3");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("zmul", {d.constant(NAN), x}); },
             "  %3 = multiply(nan, in0)\n  return %3");
  // zmul(-0, 2) is +0.
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("zmul", {x, d.constant(2.0)}); },
             "  %3 = zmul(in0, 2)\n  return %3");
  check_rule([](Draft& d, ValueId x,
                ValueId) { return d.op("zmul", {d.op("exp", {x}), d.constant(1.0)}); },
             "  %2 = exp(in0)\n  return %2");
}

TEST(products_and_quotients) {
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("multiply", {x, x}); },
             "  %2 = square(in0)\n  return %2");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("divide", {d.constant(1.0), x}); },
             "  %2 = reciprocal(in0)\n  return %2");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("divide", {x, d.constant(8.0)}); },
             "  %3 = multiply(in0, 0.125)\n  return %3");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("divide", {x, d.constant(3.0)}); },
             "  %3 = divide(in0, 3)\n  return %3");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("power", {x, d.constant(2.0)}); },
             "  %2 = square(in0)\n  return %2");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("power", {x, d.constant(3.0)}); },
             "  %2 = square(in0)\n  %3 = multiply(%2, in0)\n  return %3");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("power", {x, d.constant(-1.0)}); },
             "  %2 = reciprocal(in0)\n  return %2");
}

TEST(choices) {
  const Value yes = Value::integer_scalar(1, DType::bool_);
  check_rule([&](Draft& d, ValueId x, ValueId y) { return d.op("where", {d.constant(yes), x, y}); },
             "  return in0");
  check_rule(
      [](Draft& d, ValueId x, ValueId y) { return d.op("where", {d.op("less", {x, y}), x, x}); },
      "  return in0");
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("maximum", {x, x}); }, "  return in0");
  check_rule(
      [](Draft& d, ValueId x, ValueId y) { return d.op("logical_not", {d.op("equal", {x, y})}); },
      "  %2 = not_equal(in0, in1)\n  return %2");
  check_rule(  // not where NaN makes both false
      [](Draft& d, ValueId x, ValueId y) { return d.op("logical_not", {d.op("less", {x, y})}); },
      "  %2 = less(in0, in1)\n  %3 = logical_not(%2)\n  return %3");
}

TEST(casts) {
  const auto to = [](Draft& d, ValueId v, DType t) {
    return d.op("cast", {v}, {static_cast<int64_t>(t)});
  };
  check_rule([&](Draft& d, ValueId x, ValueId) { return to(d, x, DType::float64); },
             "  return in0");
  check_rule(
      [&](Draft& d, ValueId x, ValueId) { return to(d, to(d, x, DType::float64), DType::float32); },
      "  return in0", f32({3}));
  Draft d;
  const ValueId x = d.input({3});
  const Program p = d.returning({to(d, to(d, x, DType::float32), DType::float64)});
  CHECK(simplify(p).steps.size() == 2);
}

TEST(integers_are_not_mistaken_for_floats) {
  const TensorType ints{DType::int64, Dims{4}};
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("multiply", {x, d.constant(1.0)}); },
             "  %3 = multiply(in0, 1)\n  return %3", ints);
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("negative", {d.op("negative", {x})}); },
             "  %2 = negative(in0)\n  %3 = negative(%2)\n  return %3", ints);
  check_rule([](Draft& d, ValueId x, ValueId) { return d.op("positive", {x}); },
             "  %2 = positive(in0)\n  return %2", ints);
}

TEST(float32_too) {
  check_rule(
      [](Draft& d, ValueId x, ValueId) {
        return d.op("divide", {x, d.constant(Value::scalar(4.0, DType::float32))});
      },
      "  %3 = multiply(in0, 0.25)\n  return %3", f32({5}));
}

TEST(one_region_is_written_once) {
  const auto program = [](double fill, Ints second) {
    Draft d;
    const ValueId x = d.input({2}), y = d.input({2});
    const ValueId base = d.constant(Value::full(DType::float64, Dims{3}, fill));
    const ValueId a = d.op("slice_add", {base, x}, {Ints{1, 0, 1, 2}});
    return d.returning({d.op("slice_add", {a, y}, {std::move(second)})});
  };
  const Program p = program(0.0, Ints{1, 0, 1, 2});
  const Program q = drop_dead(simplify(p));
  CHECK(q.steps.size() == 2);
  std::mt19937_64 random(1);
  for (int k = 0; k < 20; ++k) {
    const std::vector<Value> in = random_inputs(p, random, true);
    CHECK(same_bits(run(p, in)[0], run(q, in)[0]) || distance(run(p, in)[0], run(q, in)[0]) == 0);
  }
  for (const double minus_zero : {-0.0, 1.0})
    CHECK(to_string(simplify(program(minus_zero, Ints{1, 0, 1, 2}))).find("add(in") ==
          std::string::npos);
  const Program other = program(0.0, Ints{1, 1, 1, 2});
  CHECK(to_string(drop_dead(simplify(other))).find(" add(") == std::string::npos);
}

TEST(other_orders_on_request) {
  Draft d;
  const ValueId x = d.input({4}), s = d.input(Dims{});
  const ValueId a = d.op("zmul", {x, d.constant(2.0)});
  const ValueId b = d.op("multiply", {d.op("multiply", {x, d.constant(3.0)}), d.constant(5.0)});
  const ValueId wide = d.op("broadcast_to", {s}, {Ints{3, 4}});
  const ValueId c = d.op("sum", {wide}, {Attr{}, false});
  const ValueId e = d.op("add", {x, d.constant(0.0)});
  const Program p = d.returning({a, b, c, e});
  const tapegrad::PassOptions options{.fuse = false, .reorder = true};
  const Program q = optimise(p, options);
  check_text(q,
             "program(in0: float64(4,), in1: float64())\n"
             "  %3: float64(4,) = multiply(in0, 2)\n"
             "  %5: float64(4,) = multiply(in0, 15)\n"
             "  %7: float64() = multiply(in1, 12)\n"
             "  return %3, %5, %7, in0");
  std::mt19937_64 random(1);
  const std::vector<Value> in = random_inputs(p, random, false);
  const std::vector<Value> expected = run(p, in), got = run(q, in);
  for (size_t k = 0; k < got.size(); ++k) CHECK(distance(got[k], expected[k]) < 1e-14);
}
