#include <vector>

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

// Every sweep on `threads` threads, and nothing too small for them; then as it was.
class Threads {
 public:
  explicit Threads(int threads, double threshold_ns = 0) {
    set_num_threads(threads);
    set_work_threshold_ns(threshold_ns);
  }
  ~Threads() {
    set_num_threads(0);
    set_work_threshold_ns(20000);
  }
};

Value noise(Dims shape, DType d = DType::float64) {
  static uint64_t state = 1;
  Value v = Value::empty(d, shape);
  for (int64_t i = 0; i < v.size(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    v.set_at(i, static_cast<double>(state >> 11) * 0x1p-53 + 0.1);
  }
  return v;
}

// Shared operands, broadcasts, products, element reads, ops with several outputs and numbers, all
// in one level graph.
Variable branches(const Variable& x, const Variable& m, const Variable& s, int count) {
  std::vector<Ref> sums;
  const Ref column = sum(m.ref(), Axes{1});
  for (int k = 0; k < count; ++k) {
    Ref y = multiply(exp(negative(square(x.ref()))), add(x.ref(), Ref(0.1 * k)));
    y = add(y, matmul(m.ref(), multiply(x.ref(), s.ref())));
    y = divide(y, add(column, Ref(1.0 + k)));
    if (k % 3 == 0) y = slice(y, IndexSpec().range(0, 2, (y.size() + 1) / 2));
    if (k % 3 == 1) {
      const std::vector<Ref> parts = split(y, 0, {5});
      y = multiply(parts[1], sum(parts[0]));
    }
    if (k % 5 == 2) y = multiply(y, slice(x.ref(), IndexSpec().at(k % 7)));
    sums.push_back(sum(y));
  }
  const std::vector<Ref> sign_and_log =
      apply(*find_op("slogdet"), {}, std::vector<Ref>{add(m.ref(), Ref(0.5))});
  sums.push_back(sign_and_log[1]);
  return Variable::from(sum(stack(sums, 0)));
}

}  // namespace

TEST(any_number_of_threads_gives_the_same_bits) {
  for (DType d : {DType::float64, DType::float32}) {
    const Variable x(noise({70}, d)), m(noise({70, 70}, d)), s(noise(Dims{}, d));
    const Variable wrt[] = {x, m, s};
    std::vector<Value> serial;
    for (int threads : {1, 2, 3, 8}) {
      const Threads set(threads);
      const Variable out = branches(x, m, s, 13);
      const int64_t regions = parallel_regions_run();
      const std::vector<Variable> g = grad({&out, 1}, wrt);
      CHECK((parallel_regions_run() > regions) == (threads > 1));
      for (size_t k = 0; k < g.size(); ++k) {
        if (threads == 1) serial.push_back(g[k].value());
        CHECK(same_bits(g[k].value(), serial[k]));
        CHECK(g[k].value().dtype() == d);
      }
    }
  }
}

TEST(levels_and_the_serial_sweep_have_the_same_bits) {
  // Under the default threshold the graph is swept serially, at zero by levels.
  const Variable x(noise({70})), m(noise({70, 70})), s(0.7);
  const Variable out = branches(x, m, s, 6), wrt[] = {x, m, s};
  std::vector<Variable> by_level, serial;
  {
    const Threads set(2);
    by_level = grad({&out, 1}, wrt);
  }
  {
    const Threads set(2, 1e12);
    serial = grad({&out, 1}, wrt);
  }
  for (size_t k = 0; k < 3; ++k) CHECK(same_bits(by_level[k].value(), serial[k].value()));
}

TEST(heavy_levels_run_together_by_themselves) {
  const Variable x(noise({1000}));
  std::vector<Ref> sums;
  for (int k = 0; k < 64; ++k) {
    Ref y = x.ref();
    for (int i = 0; i < 4; ++i) y = exp(negative(y));
    sums.push_back(sum(y));
  }
  const Variable out = Variable::from(sum(stack(sums, 0)));
  set_num_threads(2);  // the default threshold
  const int64_t regions = parallel_regions_run();
  const Value together = grad({&out, 1}, {&x, 1})[0].value();
  CHECK(parallel_regions_run() > regions);
  set_num_threads(1);
  const int64_t none = parallel_regions_run();
  CHECK(same_bits(grad({&out, 1}, {&x, 1})[0].value(), together));
  CHECK(parallel_regions_run() == none);
  set_num_threads(0);
}

TEST(targets_inside_levels_and_paths_that_carry_nothing) {
  const Variable x(noise({100}));
  const Variable y = square(x), quiet = Variable::from(multiply(
                                    cast(less(y.ref(), Ref(0.5)), DType::float64), y.ref()));
  // floor has a partial of zero: its operand, one part of a split, gets no cotangent at all.
  const std::vector<Ref> parts = split(y.ref(), 0, {50});
  static const Op& floor = *find_op("floor");
  const Variable out = Variable::from(add(add(sum(quiet.ref()), sum(exp(y.ref()))),
                                          sum(add(apply(floor, {}, {parts[0]}), Ref(1.0)))));
  const Variable wrt[] = {y, x, quiet};
  std::vector<Value> serial;
  for (int threads : {1, 3}) {
    const Threads set(threads);
    const std::vector<Variable> g = grad({&out, 1}, wrt);
    for (size_t k = 0; k < 3; ++k) {
      if (threads == 1) serial.push_back(g[k].value());
      CHECK(same_bits(g[k].value(), serial[k]));
    }
  }
  CHECK(serial[2].at(0) == 1);
}

TEST(recorded_sweeps_stay_on_their_thread) {
  const Threads set(3);
  const Variable x(noise({200})), out = sum(exp(x) * x), wrt[] = {x};
  const Variable g = sum(grad({&out, 1}, wrt, {}, true)[0]);
  const Value second = grad({&g, 1}, wrt)[0].value();
  for (int64_t i = 0; i < 200; ++i) {
    const double a = x.value().at(i);
    CHECK_CLOSE(second.at(i), std::exp(a) * (a + 2), 1e-13);
  }
}
