#include "tapegrad/kernels/fused/lane_program.h"

#include <cmath>

#include "check.h"
#include "kernels/random_values.h"
#include "tapegrad/base/error.h"
#include "tapegrad/scalar/functions/function_list.h"

using namespace tapegrad;

namespace {

constexpr int none = LaneBatch::no_axis;

// For each of n points x of two numbers, with the weights w (3, 2) and an offset b:
//   y = w @ x (stored as (n, 3)), y[0] > 0 (as (n,)), the sum over the points of y[i] * x[j]
//   (as (3, 2), b added to each), of y[0] (as a number) and of y[1] * w[0, 0]; and w[0, 1] + b.
LaneKernel weighted(int64_t n, DType d) {
  LaneKernel k;
  k.dtype = d;
  auto batch = std::make_shared<LaneBatch>();
  batch->in = {{Dims{n, 2}, d, 0}, {Dims{3, 2}, d, none}, {Dims{}, d, none}};
  batch->out = {{Dims{n, 3}, d, 0},
                {Dims{n}, DType::bool_, 0},
                {Dims{3, 2}, d, none},
                {Dims{}, d, none},
                {Dims{2}, d, none}};
  const auto input = [&](uint32_t array, uint32_t at) {
    batch->inputs.push_back({array, at});
    return k.n_inputs++;
  };
  const uint32_t x[2] = {input(0, 0), input(0, 1)};
  uint32_t w[6];
  for (uint32_t i = 0; i < 6; ++i) w[i] = input(1, i);
  const uint32_t b = input(2, 0);
  k.constants = {0};
  const uint32_t zero = k.first_constant();
  const auto call = [&](ScalarFn fn, uint32_t a, uint32_t c) {
    k.code.push_back({fn, {a, c, 0}});
    return k.first_result() + static_cast<uint32_t>(k.code.size()) - 1;
  };
  const auto output = [&](uint32_t operand, bool summed, LaneBatch::Part part, bool mask = false) {
    k.outputs.push_back({operand, summed, {}, mask ? DType::bool_ : d});
    batch->outputs.push_back(part);
    return &k.outputs.back();
  };
  uint32_t y[3];
  for (uint32_t i = 0; i < 3; ++i) {
    y[i] = call(scalar_fn_of<Add>(), call(scalar_fn_of<Multiply>(), x[0], w[2 * i]),
                call(scalar_fn_of<Multiply>(), x[1], w[2 * i + 1]));
    output(y[i], false, {0, i});
  }
  output(call(scalar_fn_of<Greater>(), y[0], zero), false, {1, 0}, true);
  for (uint32_t i = 0; i < 3; ++i)
    for (uint32_t j = 0; j < 2; ++j)
      output(call(scalar_fn_of<Multiply>(), y[i], x[j]), true, {2, 2 * i + j})->once = b;
  output(y[0], true, {3, 0});
  output(call(scalar_fn_of<Multiply>(), w[0], y[1]), true, {4, 0});
  output(call(scalar_fn_of<Add>(), w[1], b), false, {4, 1});
  k.batch = std::move(batch);
  return k;
}

struct Expected {
  std::vector<double> y, products;
  double total = 0, scaled = 0;
};

Expected by_loops(const Value& x, const Value& w, double b) {
  const int64_t n = x.dim(0);
  Expected e;
  e.products.assign(6, b);
  for (int64_t k = 0; k < n; ++k)
    for (int64_t i = 0; i < 3; ++i) {
      double y = 0;
      for (int64_t j = 0; j < 2; ++j) y += x.at(2 * k + j) * w.at(2 * i + j);
      e.y.push_back(y);
      for (int64_t j = 0; j < 2; ++j)
        e.products[static_cast<size_t>(2 * i + j)] += y * x.at(2 * k + j);
      if (i == 0) e.total += y;
      if (i == 1) e.scaled += y * w.at(0);
    }
  return e;
}

std::vector<Value> run(const LaneProgram& p, const std::vector<Value>& in, int64_t n) {
  std::vector<Value> out(5);
  const Dims space{n};
  p.run(in, space, out);
  return out;
}

void check_against_loops(const Value& x, const Value& w, DType d) {
  const int64_t n = x.dim(0);
  const LaneProgram p(weighted(n, d));
  const Value b = Value::scalar(0.25, d);
  const std::vector<Value> out = run(p, {x, w, b}, n);
  const Expected e = by_loops(x, w, 0.25);
  const double eps = d == DType::float32 ? 2e-6 : 1e-14, scale = 10 + static_cast<double>(n);
  const auto is_near = [&](double a, double c) { return std::abs(a - c) <= eps * scale; };
  CHECK(
      (out[0].shape() == Dims{n, 3} && out[1].shape() == Dims{n} && out[2].shape() == Dims{3, 2}));
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t i = 0; i < 3; ++i)
      CHECK(is_near(out[0].at(3 * k + i), e.y[static_cast<size_t>(3 * k + i)]));
    CHECK(out[1].at(k) == (out[0].at(3 * k) > 0));
  }
  for (int64_t i = 0; i < 6; ++i) CHECK(is_near(out[2].at(i), e.products[static_cast<size_t>(i)]));
  CHECK(out[3].is_scalar() && is_near(out[3].at(0), e.total));
  CHECK(is_near(out[4].at(0), e.scaled));
  CHECK(is_near(out[4].at(1), w.at(1) + 0.25));
  for (int threads : {1, 2, 3}) {
    const UseThreads use(threads);
    const std::vector<Value> again = run(p, {x, w, b}, n);
    for (size_t k = 0; k < out.size(); ++k) CHECK(same_numbers(again[k], out[k]));
  }
}

}  // namespace

TEST(a_batch_agrees_with_loops) {
  for (int64_t n : {1, 2, 7, 8, 16, 63, 64, 65, 129, 1000, 5003})
    for (DType d : {DType::float64, DType::float32})
      check_against_loops(random_array(Dims{n, 2}, 1, d), random_array(Dims{3, 2}, 2, d), d);
}

TEST(a_batch_reads_any_strides) {
  const Value wide = random_array(Dims{2, 900}, 3);
  const Value weights = random_array(Dims{2, 6}, 4);
  check_against_loops(wide.view(Dims{900, 2}, Dims{1, 900}, 0),
                      weights.view(Dims{3, 2}, Dims{-2, 6}, 4), DType::float64);
  check_against_loops(wide.view(Dims{450, 2}, Dims{-2, 900}, 899),
                      weights.view(Dims{3, 2}, Dims{0, 6}, 1), DType::float64);
}

TEST(an_empty_batch_sums_to_zero) {
  const LaneProgram p(weighted(0, DType::float64));
  const std::vector<Value> out = run(p,
                                     {Value::zeros(DType::float64, Dims{0, 2}),
                                      Value::zeros(DType::float64, Dims{3, 2}), Value(1.0)},
                                     0);
  CHECK((out[0].shape() == Dims{0, 3} && out[2].shape() == Dims{3, 2} && out[2].at(0) == 1));
}

TEST(a_batch_says_where_everything_lies) {
  LaneKernel k = weighted(4, DType::float64);
  auto batch = std::make_shared<LaneBatch>(*k.batch);
  batch->outputs.pop_back();
  k.batch = batch;
  CHECK_THROWS_SAYING(ValueError, "says where each input and each output lies",
                      LaneProgram(k).kernel());
}
