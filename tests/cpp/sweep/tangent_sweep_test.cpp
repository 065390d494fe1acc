#include "tapegrad/sweep/tangent_sweep.h"

#include <cmath>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/parallel/parallel.h"

using namespace tapegrad;

namespace {

Value counted(int64_t n, DType d = DType::float64) {
  Value v = Value::empty(d, Dims{n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i, 0.5 + 0.25 * static_cast<double>(i));
  return v;
}

double inner(const Value& a, const Value& b) {
  double total = 0;
  for (int64_t i = 0; i < a.size(); ++i) total += a.at(i) * b.at(i);
  return total;
}

}  // namespace

TEST(both_sweeps_are_transposes) {
  register_all_ops();
  Scope scope;
  const Variable x = scope.argument(Ref(counted(6))), s = scope.argument(Ref(1.5));
  const Ref y = multiply(x.ref(), s.ref());
  const std::vector<Ref> parts = split(exp(y), 0, {2});
  Ref out = concatenate({parts[1], multiply(parts[0], Ref(2.0)), y}, 0);
  out = slice_add(std::move(out), IndexSpec().range(0, 2, 3), sum(y));
  const Ref wrt[] = {x.ref(), s.ref()}, outs[] = {out};
  const Ref tangents[] = {Ref(counted(6)), Ref(-0.3)};
  const Value ct = counted(out.size());
  const Ref seeds[] = {Ref(ct)};
  const Value pushed = scope.jvp(outs, wrt, tangents)[0].value();
  const std::vector<Ref> pulled = scope.grad(outs, wrt, seeds);
  CHECK_CLOSE(inner(ct, pushed),
              inner(pulled[0].value(), tangents[0].value()) + pulled[1].value().as_double() * -0.3,
              1e-13);
}

TEST(a_target_upstream_of_another_adds_to_its_seed) {
  register_all_ops();
  for (const Value& start : {Value(2.0), counted(5)}) {
    Scope scope;
    const Variable x = scope.argument(Ref(start));
    const Ref y = square(x.ref()), z = multiply(y, x.ref());
    const Ref wrt[] = {x.ref(), y}, outs[] = {z, y, x.ref()};
    const Ref tangents[] = {Ref(start), Ref(start)};
    const std::vector<Ref> d = scope.jvp(outs, wrt, tangents);
    for (int64_t i = 0; i < start.size(); ++i) {
      const double a = start.at(i), dy = a + 2 * a * a;
      CHECK_CLOSE(d[0].value().at(i), dy * a + a * a * a, 1e-13);
      CHECK_CLOSE(d[1].value().at(i), dy, 1e-14);
      CHECK(d[2].value().at(i) == a);
    }
    // The reverse sweep sees the same Jacobian.
    const Ref seeds[] = {Ref(start), Ref(start), Ref(start)};
    const std::vector<Ref> g = scope.grad(outs, wrt, seeds);
    double forward = 0, reverse = 0;
    for (const Ref& r : d) forward += inner(r.value(), start);
    for (const Ref& r : g) reverse += inner(r.value(), start);
    CHECK_CLOSE(forward, reverse, 1e-13);
  }
}

TEST(an_argument_listed_twice_gets_both_tangents) {
  register_all_ops();
  Scope scope;
  const Variable x = scope.argument(Ref(3.0));
  const Ref wrt[] = {x.ref(), x.ref()}, tangents[] = {Ref(1.0), Ref(10.0)},
            outs[] = {square(x.ref()), Ref(7.0)};
  const std::vector<Ref> d = scope.jvp(outs, wrt, tangents);
  CHECK(d[0].value().as_double() == 66 && d[1].value().as_double() == 0);
}

TEST(outputs_of_several_and_some_without_a_tangent) {
  register_all_ops();
  Scope scope;
  const Variable m = scope.argument(Ref(Value::from(std::vector<double>{2, 1, 0, 3}, Dims{2, 2})));
  const std::vector<Ref> both = apply(*find_op("slogdet"), {}, std::vector<Ref>{m.ref()});
  const Ref wrt[] = {m.ref()},
            tangents[] = {Ref(Value::from(std::vector<double>{1, 0, 0, 0}, Dims{2, 2}))};
  const std::vector<Ref> d = scope.jvp(both, wrt, tangents);
  CHECK(d[0].value().as_double() == 0);
  CHECK_CLOSE(d[1].value().as_double(), 0.5, 1e-15);
}

TEST(a_zero_tangent_stops_at_any_partial) {
  register_all_ops();
  Scope scope;
  const Variable x = scope.argument(Ref(0.0)), y = scope.argument(Ref(2.0));
  const Ref out = add(sqrt(x.ref()), y.ref());
  const Ref wrt[] = {x.ref(), y.ref()}, tangents[] = {Ref(0.0), Ref(1.0)}, outs[] = {out};
  CHECK(scope.jvp(outs, wrt, tangents)[0].value().as_double() == 1);
}

TEST(tangents_keep_the_dtype) {
  register_all_ops();
  Scope scope;
  const Variable x = scope.argument(Ref(counted(70, DType::float32))), s = scope.argument(Ref(2.0));
  const Ref narrow = exp(x.ref()), wide = multiply(sum(narrow), s.ref());
  const Ref wrt[] = {x.ref(), s.ref()}, tangents[] = {Ref(counted(70)), Ref(1.0)},
            outs[] = {narrow, wide};
  const std::vector<Ref> d = scope.jvp(outs, wrt, tangents);
  CHECK(d[0].dtype() == DType::float32 && d[1].dtype() == DType::float64);
}

TEST(writes_into_a_tangent_leave_the_seed_alone) {
  register_all_ops();
  Scope scope;
  const Variable x = scope.argument(Ref(counted(8)));
  const Ref y = slice_set(x.ref(), IndexSpec().at(0), Ref(5.0));
  const Value tangent = counted(8);
  const Ref wrt[] = {x.ref()}, tangents[] = {Ref(tangent)}, outs[] = {y, x.ref()};
  const std::vector<Ref> d = scope.jvp(outs, wrt, tangents);
  CHECK(d[0].value().at(0) == 0 && d[0].value().at(1) == 0.75);
  CHECK(tangent.at(0) == 0.5 && d[1].value().at(0) == 0.5);
}

TEST(large_arrays_have_the_same_bits_on_any_number_of_threads) {
  register_all_ops();
  Value first;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    set_work_threshold_ns(0);
    Scope scope;
    const Variable x = scope.argument(Ref(counted(5000)));
    const Ref out = sum(multiply(exp(negative(x.ref())), x.ref()));
    const Ref wrt[] = {x.ref()}, tangents[] = {Ref(counted(5000))}, outs[] = {out};
    const Value d = scope.jvp(outs, wrt, tangents)[0].value();
    if (threads == 1) first = d;
    CHECK(same_bits(d, first));
  }
  set_num_threads(0);
  set_work_threshold_ns(20000);
}

TEST(wrong_tangents_raise) {
  register_all_ops();
  Scope scope;
  const Variable x = scope.argument(Ref(counted(3)));
  const Ref wrt[] = {x.ref()}, wrong[] = {Ref(counted(4))},
            masks[] = {Ref(counted(3).cast(DType::bool_))};
  const Ref outs[] = {sum(x.ref())};
  CHECK_THROWS_SAYING(ValueError, "(4,)", scope.jvp(outs, wrt, wrong));
  CHECK_THROWS_SAYING(TypeError, "floating", scope.jvp(outs, wrt, masks));
  CHECK_THROWS_SAYING(ValueError, "1 arguments but 0 tangents", scope.jvp(outs, wrt, {}));
}
