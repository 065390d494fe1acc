#include "tapegrad/autodiff/grad.h"

#include <cmath>
#include <functional>
#include <vector>

#include "check.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"

using namespace tapegrad;

namespace {

Value counted(int64_t n) {
  Value v = Value::empty(DType::float64, Dims{n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i, static_cast<double>(i + 1));
  return v;
}

using Function = std::function<Ref(const Ref&)>;

Ref reverse_derivative(const Function& f, const Ref& at) {
  Scope scope;
  const Variable x = scope.argument(at);
  const Ref outs[] = {f(x.ref())}, wrt[] = {x.ref()};
  return scope.result(scope.grad(outs, wrt, {})[0]);
}

Ref forward_derivative(const Function& f, const Ref& at) {
  Scope scope;
  const Variable x = scope.argument(at);
  const Ref outs[] = {f(x.ref())}, wrt[] = {x.ref()}, tangents[] = {Ref(1.0)};
  return scope.result(scope.jvp(outs, wrt, tangents)[0]);
}

using Derivative = Ref (*)(const Function&, const Ref&);
const Derivative modes[] = {reverse_derivative, forward_derivative};

}  // namespace

TEST(nested_derivatives_do_not_mix) {
  register_all_ops();
  for (Derivative outer : modes)
    for (Derivative inner : modes) {
      // d/dx [x * d/dy (x + y)] = 1
      const auto f = [&](const Ref& x) {
        return multiply(x, inner([&](const Ref& y) { return add(x, y); }, Ref(1.0)));
      };
      const Ref d = outer(f, Ref(5.0));
      CHECK(!d.tracked() && d.value().as_double() == 1);
      // d/dx [x * d/dy (x * y * y) at x] = d/dx 2x^3
      const auto g = [&](const Ref& x) {
        return multiply(x, inner([&](const Ref& y) { return multiply(x, multiply(y, y)); }, x));
      };
      CHECK(outer(g, Ref(2.0)).value().as_double() == 24);
    }
}

TEST(every_order_in_every_pair_of_modes) {
  register_all_ops();
  for (Derivative a : modes)
    for (Derivative b : modes)
      for (Derivative c : modes) {
        const auto third = a(
            [&](const Ref& x) {
              return b(
                  [&](const Ref& y) {
                    return c([](const Ref& z) { return exp(multiply(z, Ref(2.0))); }, y);
                  },
                  x);
            },
            Ref(0.5));
        CHECK_CLOSE(third.value().as_double(), 8 * std::exp(1.0), 1e-14);
      }
}

TEST(a_scope_leaves_nothing_behind) {
  register_all_ops();
  const int64_t live = Tape::current().live_nodes();
  CHECK(reverse_derivative([](const Ref& x) { return exp(sqrt(multiply(x, x))); }, Ref(0.3))
            .value()
            .as_double() > 0);
  CHECK_THROWS_SAYING(ValueError, "mine",
                      reverse_derivative(
                          [](const Ref& x) -> Ref {
                            const Ref lost = exp(x);
                            throw_error<ValueError>("mine");
                          },
                          Ref(0.3)));
  CHECK(Tape::current().live_nodes() == live);
  CHECK(Tape::current().innermost_scope() == 0);
}

TEST(derivatives_of_outer_variables_are_recorded) {
  const Variable w(3.0);
  const auto inner = [&](const Ref& x) {
    return multiply(multiply(w.ref(), w.ref()), multiply(x, x));
  };
  const Ref d = reverse_derivative(inner, Ref(2.0));  // 2 w^2 x
  CHECK(d.tracked() && d.value().as_double() == 36);
  Variable::from(d).backward();
  CHECK(w.grad().as_double() == 2 * 2 * 3 * 2);
  const RecordingGuard off(false);
  CHECK(!reverse_derivative(inner, Ref(2.0)).tracked());
}

TEST(leaves_belong_to_the_scope_in_which_they_were_made) {
  const Variable outer_leaf(2.0);
  std::vector<Variable> made;
  const auto is_plain = [](const Scope& scope, const Variable& v, const Ref& x) {
    return !scope.result(multiply(v.ref(), x)).tracked();
  };
  {
    Scope outer;
    const Ref x = outer.argument(Ref(3.0)).ref();
    made.emplace_back(2.0);
    {
      Scope inner;
      const Ref y = inner.argument(Ref(3.0)).ref();
      made.emplace_back(2.0);
      CHECK(!is_plain(inner, outer_leaf, y) && !is_plain(inner, made[0], y));
      CHECK(is_plain(inner, made[1], y));
    }
    CHECK(is_plain(outer, made[1], x));  // it went over to the scope around
    Scope later;
    CHECK(!is_plain(later, made[1], later.argument(Ref(3.0)).ref()));
    CHECK(is_plain(outer, made[0], x) && !is_plain(outer, outer_leaf, x));
  }
  Scope afterwards;
  for (const Variable& v : made)
    CHECK(!is_plain(afterwards, v, afterwards.argument(Ref(3.0)).ref()));
}

TEST(wrt_in_any_order_and_twice) {
  const Variable x(2.0), y = x * x, z = y * x, unused(1.0);
  const Variable wrt[] = {z, unused, y, x, y};
  const std::vector<Variable> g = grad({&z, 1}, wrt);
  const double expected[] = {1, 0, 2, 12, 2};
  for (size_t k = 0; k < 5; ++k) CHECK(g[k].item() == expected[k]);
  CHECK(grad({&x, 1}, {&x, 1})[0].item() == 1);
  CHECK(grad({&z, 1}, {}).empty());
  CHECK(grad({}, {&x, 1})[0].item() == 0);
}

TEST(zeros_have_the_shape_and_dtype_of_their_variable) {
  const Variable x(1.0), v(counted(3)), s(Value::scalar(1.0, DType::float32));
  const Variable wrt[] = {v, s};
  const std::vector<Variable> g = grad({&x, 1}, wrt);
  CHECK(g[0].value().shape() == Dims{3} && g[0].value().at(2) == 0);
  CHECK(g[1].value().dtype() == DType::float32);
}

TEST(several_outputs_and_seeds) {
  const Variable x(counted(3)), y = x * x, s = sum(x);
  const Variable outs[] = {y, s};
  const Ref seeds[] = {Ref(counted(3)), Ref(10.0)};
  const Value g = grad(outs, {&x, 1}, seeds)[0].value();
  for (int64_t i = 0; i < 3; ++i)
    CHECK(g.at(i) == 2.0 * static_cast<double>((i + 1) * (i + 1)) + 10);
  CHECK_THROWS_SAYING(ValueError, "2 outputs but 1 seeds", grad(outs, {&x, 1}, {seeds, 1}));
  CHECK_THROWS_SAYING(ValueError, "seed 1 has shape (3,)",
                      grad(outs, {&x, 1}, std::vector<Ref>{seeds[0], seeds[0]}));
  CHECK_THROWS_SAYING(ValueError, "(3,)", grad({&y, 1}, {&x, 1}));
  CHECK_THROWS_SAYING(TypeError, "floating",
                      grad({&s, 1}, {&x, 1}, std::vector<Ref>{Ref(Value::integer_scalar(1))}));
  // A recorded seed has a derivative of its own.
  const Variable c(2.0);
  const Variable again = grad({&s, 1}, {&x, 1}, std::vector<Ref>{c.ref()})[0];
  const Variable total = sum(again);
  CHECK(grad({&total, 1}, {&c, 1})[0].item() == 3);
}

TEST(second_order_by_recorded_sweeps) {
  const Variable x(0.7), y = sin(x) * x;
  const Variable d = grad({&y, 1}, {&x, 1}, {}, true)[0];
  const Variable dd = grad({&d, 1}, {&x, 1}, {}, true)[0];
  CHECK_CLOSE(dd.item(), 2 * std::cos(0.7) - 0.7 * std::sin(0.7), 1e-14);
  CHECK(grad({&d, 1}, {&x, 1})[0].cell().is_leaf());  // not recorded unless asked
  dd.backward();
  CHECK_CLOSE(x.grad().as_double(), -3 * std::sin(0.7) - 0.7 * std::cos(0.7), 1e-14);
}

TEST(sweeps_while_recording_is_off) {
  const Variable x(3.0), y = x * x;
  const RecordingGuard off(false);
  CHECK(grad({&y, 1}, {&x, 1})[0].item() == 6);
  y.backward();
  CHECK(x.grad().as_double() == 6);
  CHECK(!Tape::current().recording());
}

TEST(backward_reaches_leaves_of_every_version) {
  Variable x(2.0);
  const Variable y = x * x;
  x.set_value(Value(5.0));
  (y + x * x).backward();
  CHECK(x.grad().as_double() == 4 + 10);
  x.backward();
  CHECK(x.grad().as_double() == 15);
}

TEST(backward_with_a_seed) {
  const Variable x(counted(3)), y = x * x;
  const Value seed = counted(3), wrong = counted(2);
  backward(y.cell(), &seed);
  CHECK(x.grad().at(2) == 18);
  CHECK_THROWS_SAYING(ValueError, "(2,)", backward(y.cell(), &wrong));
  CHECK_THROWS_SAYING(ValueError, "(3,)", y.backward());
}

TEST(a_seed_is_not_kept_as_the_gradient) {
  std::vector<double> data(3, 1.0);
  const Variable x(counted(3));
  const Value seed = Value::wrap(Buffer::borrow(data.data(), 24, nullptr, [](void*) {}),
                                 data.data(), DType::float64, Dims{3}, nullptr);
  backward(x.cell(), &seed);
  data[0] = 9;
  backward(x.cell(), &seed);
  CHECK(x.grad().at(0) == 10 && x.grad().at(1) == 2);
  CHECK(data[0] == 9);
}

TEST(a_freed_recording_raises) {
  const Variable x(2.0), middle = x * x, y = middle * x;
  backward(y.cell(), nullptr, true);
  CHECK(x.grad().as_double() == 12);
  CHECK_THROWS_SAYING(RuntimeError, "freed", y.backward());
  CHECK_THROWS_SAYING(RuntimeError, "multiply", grad({&middle, 1}, {&x, 1}));
  CHECK((middle * x).item() == 8);  // values stay
  CHECK(x.grad().as_double() == 12);
}

TEST(arguments_must_be_floating) {
  register_all_ops();
  Scope scope;
  CHECK_THROWS_SAYING(TypeError, "int64", scope.argument(Ref(Value::integer_scalar(1))));
}
