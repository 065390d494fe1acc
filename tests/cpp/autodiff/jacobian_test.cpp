#include <cmath>
#include <vector>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/parallel/parallel.h"

using namespace tapegrad;

namespace {

Value counted(Dims shape, DType d = DType::float64) {
  Value v = Value::empty(d, shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, 0.5 + 0.125 * static_cast<double>(i));
  return v;
}

}  // namespace

TEST(both_modes_give_every_entry) {
  register_all_ops();
  for (bool reverse : {true, false}) {
    Scope scope;
    const Variable m = scope.argument(Ref(counted({2, 3}))), s = scope.argument(Ref(2.0));
    const Ref y = multiply(transpose(square(m.ref()), Axes{1, 0}), s.ref());  // (3, 2)
    const Ref wrt[] = {m.ref(), s.ref()};
    const std::vector<Ref> j = scope.jacobian(y, wrt, reverse);
    CHECK(j[0].shape() == Dims({3, 2, 2, 3}) && j[1].shape() == Dims({3, 2}));
    for (int64_t a = 0; a < 3; ++a)
      for (int64_t b = 0; b < 2; ++b) {
        const double x = counted({2, 3}).at(b * 3 + a);
        CHECK(j[1].value().at(a * 2 + b) == x * x);
        for (int64_t k = 0; k < 6; ++k)
          CHECK(j[0].value().at((a * 2 + b) * 6 + k) == (k == b * 3 + a ? 4 * x : 0));
      }
  }
}

TEST(scalars_empties_and_constants) {
  register_all_ops();
  for (bool reverse : {true, false}) {
    Scope scope;
    const Variable x = scope.argument(Ref(3.0)),
                   none = scope.argument(Ref(Value::zeros(DType::float64, Dims{0})));
    const Ref wrt[] = {x.ref(), none.ref()};
    std::vector<Ref> j = scope.jacobian(square(x.ref()), wrt, reverse);
    CHECK(j[0].ndim() == 0 && j[0].value().as_double() == 6 && j[1].shape() == Dims{0});
    j = scope.jacobian(exp(none.ref()), wrt, reverse);
    CHECK(j[0].shape() == Dims{0} && j[1].shape() == Dims({0, 0}));
    j = scope.jacobian(Ref(counted({2})), wrt, reverse);
    CHECK(j[0].shape() == Dims{2} && j[0].value().at(1) == 0);
  }
}

TEST(an_output_that_is_its_own_argument) {
  register_all_ops();
  for (bool reverse : {true, false}) {
    Scope scope;
    const Variable x = scope.argument(Ref(counted({3})));
    const Ref wrt[] = {x.ref(), x.ref()};
    const std::vector<Ref> j = scope.jacobian(x.ref(), wrt, reverse);
    for (int64_t i = 0; i < 9; ++i)
      CHECK(j[0].value().at(i) == (i % 4 == 0) && j[1].value().at(i) == (i % 4 == 0));
  }
}

TEST(any_number_of_threads_gives_the_same_bits) {
  register_all_ops();
  for (bool reverse : {true, false}) {
    Value first;
    for (int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      set_work_threshold_ns(0);
      Scope scope;
      const Variable x = scope.argument(Ref(counted({40}))),
                     m = scope.argument(Ref(counted({40, 40})));
      const Ref y = exp(negative(matmul(m.ref(), multiply(x.ref(), Ref(0.01)))));
      const Ref wrt[] = {x.ref()};
      const int64_t regions = parallel_regions_run();
      const Value j = scope.jacobian(y, wrt, reverse)[0].value();
      CHECK((parallel_regions_run() > regions) == (threads > 1));
      if (threads == 1) first = j;
      CHECK(same_bits(j, first));
      CHECK(!Tape::current().in_rule());
    }
  }
  set_num_threads(0);
  set_work_threshold_ns(20000);
}

TEST(a_jacobian_is_recorded_where_something_outside_is_involved) {
  const Variable w(counted({3}));
  for (bool reverse : {true, false}) {
    Scope scope;
    const Variable x = scope.argument(Ref(counted({3})));
    const Ref wrt[] = {x.ref()};
    const Ref j = scope.jacobian(multiply(multiply(x.ref(), x.ref()), w.ref()), wrt, reverse)[0];
    CHECK(j.tracked() && j.shape() == Dims({3, 3}));
    const Variable total = Variable::from(sum(j));  // sum 2 x w
    const Value g = grad({&total, 1}, {&w, 1})[0].value();
    for (int64_t i = 0; i < 3; ++i) CHECK(g.at(i) == 2 * counted({3}).at(i));
  }
}

TEST(float32_stays_float32) {
  register_all_ops();
  for (bool reverse : {true, false}) {
    Scope scope;
    const Variable x = scope.argument(Ref(counted({3}, DType::float32)));
    const Ref wrt[] = {x.ref()};
    const Ref j = scope.jacobian(square(x.ref()), wrt, reverse)[0];
    CHECK(j.dtype() == DType::float32 && j.value().at(4) == 1.25);
  }
}
