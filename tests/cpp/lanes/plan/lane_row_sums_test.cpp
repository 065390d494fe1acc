// Sums of products over rows and over lanes: what runs together, and that it gives what single
// products and sums do, at every instruction-set level.
#include "tapegrad/lanes/plan/lane_row_sums.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "check.h"
#include "kernels/random_values.h"
#include "tapegrad/kernels/fused/lane_program.h"
#include "tapegrad/lanes/lane_plan.h"
#include "tapegrad/rows/cpu.h"
#include "tapegrad/scalar/functions/function_list.h"

using namespace tapegrad;

namespace {

constexpr int none = LaneBatch::no_axis;

struct Shape {
  uint32_t rows, sums;
  bool triangle, starts;  // sum i has i + 1 products; it begins with a row of its own
};

// Of n points x (rows numbers each) and uniform w (sums, rows):
//   e = x - w[0], y_i = (t_i +) sum_j e_j * w[i, j], s = sum of y_i^2, g_i = cos(s) * y_i;
// stored are y and s; summed over the points all g_i * e_j, g_i, g_i * w[i, 0] and y_i^2.
LaneKernel products_of(int64_t n, const Shape& shape, DType d) {
  LaneKernel k;
  k.dtype = d;
  const auto rows = static_cast<int64_t>(shape.rows), sums = static_cast<int64_t>(shape.sums);
  auto batch = std::make_shared<LaneBatch>();
  batch->in = {{Dims{n, rows}, d, 0}, {Dims{sums, rows}, d, none}};
  batch->out = {{Dims{n, sums}, d, 0}, {Dims{n}, d, 0}, {Dims{sums, rows + 3}, d, none}};
  const auto input = [&](uint32_t array, uint32_t at) {
    batch->inputs.push_back({array, at});
    return k.n_inputs++;
  };
  std::vector<uint32_t> x, w, e, y;
  for (uint32_t j = 0; j < shape.rows; ++j) x.push_back(input(0, j));
  for (uint32_t j = 0; j < shape.sums * shape.rows; ++j) w.push_back(input(1, j));
  const auto call = [&](ScalarFn fn, uint32_t a, uint32_t b = 0) {
    k.code.push_back({fn, {a, b, 0}});
    return k.first_result() + static_cast<uint32_t>(k.code.size()) - 1;
  };
  const ScalarFn add = scalar_fn_of<Add>(), multiply = scalar_fn_of<Multiply>();
  const auto output = [&](uint32_t operand, bool summed, LaneBatch::Part part) {
    k.outputs.push_back({operand, summed, {}, d});
    batch->outputs.push_back(part);
  };
  for (uint32_t j = 0; j < shape.rows; ++j) e.push_back(call(scalar_fn_of<Subtract>(), x[j], w[j]));
  for (uint32_t i = 0; i < shape.sums; ++i) {
    uint32_t sum = shape.starts ? call(scalar_fn_of<Sin>(), e[i % shape.rows]) : ~0u;
    const uint32_t count = shape.triangle ? std::min(i + 1, shape.rows) : shape.rows;
    for (uint32_t j = 0; j < count; ++j) {
      const uint32_t product = call(multiply, e[j], w[i * shape.rows + j]);
      sum = sum == ~0u ? product : call(add, sum, product);
    }
    y.push_back(sum);
    output(sum, false, {0, i});
  }
  uint32_t s = call(scalar_fn_of<Square>(), y[0]);
  for (uint32_t i = 1; i < shape.sums; ++i) s = call(add, s, call(scalar_fn_of<Square>(), y[i]));
  output(s, false, {1, 0});
  const uint32_t factor = call(scalar_fn_of<Cos>(), s);
  for (uint32_t i = 0; i < shape.sums; ++i) {
    const uint32_t g = call(multiply, factor, y[i]), to = i * (shape.rows + 3);
    for (uint32_t j = 0; j < shape.rows; ++j) output(call(multiply, g, e[j]), true, {2, to + j});
    output(g, true, {2, to + shape.rows});
    output(call(multiply, w[i * shape.rows], g), true, {2, to + shape.rows + 1});
    output(call(scalar_fn_of<Square>(), y[i]), true, {2, to + shape.rows + 2});
  }
  k.batch = std::move(batch);
  return k;
}

// Every instruction alone, lane by lane, in float64; and the size of what was added.
struct Expected {
  std::vector<double> stored, sums, sizes;
};

Expected lane_by_lane(const LaneKernel& k, const Value& x, const Value& w) {
  const int64_t n = x.dim(0);
  Expected found;
  found.sums.assign(k.outputs.size(), 0);
  found.sizes.assign(k.outputs.size(), 0);
  for (int64_t lane = 0; lane < n; ++lane) {
    std::vector<double> v;
    for (const LaneBatch::Part& part : k.batch->inputs) {
      const auto at = static_cast<int64_t>(part.at);
      v.push_back(part.array == 0 ? x.at(lane * x.dim(1) + at) : w.at(at));
    }
    for (const auto& step : k.code)
      v.push_back(elementwise_table().get<double>(step.fn).scalar(v[step.args[0]], v[step.args[1]],
                                                                  v[step.args[2]]));
    for (size_t o = 0; o < k.outputs.size(); ++o) {
      const double value = v[k.outputs[o].operand];
      if (!k.outputs[o].summed) found.stored.push_back(value);
      found.sums[o] += value;
      found.sizes[o] += std::abs(value);
    }
  }
  return found;
}

std::vector<Value> run(const LaneProgram& p, const std::vector<Value>& in, int64_t n) {
  std::vector<Value> out(3);
  const Dims space{n};
  p.run(in, space, out);
  return out;
}

void check_against_lanes(int64_t n, const Shape& shape, DType d) {
  const auto rows = static_cast<int64_t>(shape.rows), sums = static_cast<int64_t>(shape.sums);
  const Value x = random_array(Dims{n, rows}, 1, d, -0.5, 0.5);
  const Value w = random_array(Dims{sums, rows}, 2, d, -0.5, 0.5);
  const LaneProgram p(products_of(n, shape, d));
  const Expected e = lane_by_lane(p.kernel(), x, w);
  const std::vector<Value> out = run(p, {x, w}, n);
  const double eps = d == DType::float32 ? 1e-4 : 1e-12;
  const auto is_near = [&](double a, double b, double size) {
    return std::abs(a - b) <= eps * (1 + size);
  };
  for (int64_t lane = 0, at = 0; lane < n; ++lane) {
    for (int64_t i = 0; i < sums; ++i, ++at)
      CHECK(is_near(out[0].at(lane * sums + i), e.stored[static_cast<size_t>(at)], 1));
    CHECK(is_near(out[1].at(lane), e.stored[static_cast<size_t>(at++)], 1));
  }
  for (size_t o = 0; o < p.kernel().outputs.size(); ++o)
    if (p.kernel().outputs[o].summed)
      CHECK(is_near(out[2].at(p.kernel().batch->outputs[o].at), e.sums[o], e.sizes[o]));
  for (int threads : {1, 2, 3}) {
    const UseThreads use(threads);
    const std::vector<Value> again = run(p, {x, w}, n);
    for (size_t o = 0; o < out.size(); ++o) CHECK(same_numbers(again[o], out[o]));
  }
}

void check_all_shapes() {
  for (const Shape& shape :
       {Shape{1, 1, false, false}, Shape{2, 3, false, true}, Shape{5, 9, false, false},
        Shape{10, 10, true, false}, Shape{7, 6, true, true}, Shape{150, 5, false, false}})
    for (int64_t n : {1, 3, 8, 16, 31, 64, 100, 128, 129, 300})
      for (DType d : {DType::float64, DType::float32}) check_against_lanes(n, shape, d);
}

LanePlan<double> plan_of(const LaneKernel& k) {
  InputBits uniform(k.n_inputs);
  for (uint32_t i = 0; i < k.n_inputs; ++i)
    if (k.batch->inputs[i].array == 1) uniform.set(i);
  return std::move(*make_lane_plan<double>(k, uniform));
}

size_t count(const LanePlan<double>& plan, LaneForm form) {
  return static_cast<size_t>(std::ranges::count(plan.block.steps, form, &LaneStep<double>::form));
}

}  // namespace

TEST(all_levels_give_what_single_instructions_give) {
  // Before isa_level() is called here, or the children would inherit the decision.
  for (const char* level : {"v1", "v3", "v4"}) {
    const pid_t child = fork();
    if (child == 0) {
      setenv("TAPEGRAD_ISA", level, 1);
      try {
        isa_level();
      } catch (const std::exception&) {
        _exit(0);  // this machine has no such level
      }
      check_all_shapes();
      std::fflush(stdout);
      _exit(check::failures != 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
}

TEST(sums_that_share_a_row_run_together) {
  LaneRowSums sums;
  uint32_t output = 0;
  std::set<std::pair<uint32_t, uint32_t>> wanted;
  const auto add = [&](uint32_t a, uint32_t b) {
    sums.add({a, b, output++});
    wanted.insert(std::minmax(a, b));
  };
  for (uint32_t i = 0; i < 10; ++i)
    for (uint32_t j = 0; j <= i; ++j) add(100 + j, 200 + i);
  add(300, 300);
  add(300, 7 | uniform_place);
  add(301, no_place);
  std::vector<uint32_t> list, outputs;
  const uint32_t groups = sums.write(list, outputs);
  CHECK(sums.empty() && outputs.size() == output);
  CHECK(std::set<uint32_t>(outputs.begin(), outputs.end()).size() == output);
  CHECK(groups <= 14);
  size_t at = 0, shared = 0;
  for (uint32_t g = 0; g < groups; ++g) {
    const RowSums how = RowSums::from(list[at++]);
    CHECK(how.wanted >= 1 && how.wanted <= RowSums::at_once[how.form]);
    for (uint32_t k = 0; k < how.wanted; ++k) {
      const bool one_row = how.form == RowSums::shared_8 || how.form == RowSums::shared_4;
      const uint32_t a = list[at + (one_row ? 0 : 2 * k)],
                     b = list[at + (one_row ? k + 1 : 2 * k + 1)];
      CHECK(wanted.erase(std::minmax(a, b)) == 1);
      shared += one_row;
    }
    at += RowSums::places[how.form];
  }
  CHECK(at == list.size() && wanted.empty() && shared >= 48);
}

TEST(sums_of_products_of_the_same_rows_are_tiles) {
  const LanePlan<double> full = plan_of(products_of(64, {5, 9, false, false}, DType::float64));
  // Nine sums are two tiles of four and one alone, which goes with the sum of squares.
  CHECK(count(full, LaneForm::products_tile) == 2);
  CHECK(count(full, LaneForm::contracted_products) == 2);
  CHECK(count(full, LaneForm::sums_of_rows) <= 3);
  const LanePlan<double> alone = plan_of(products_of(64, {5, 1, false, false}, DType::float64));
  CHECK(count(alone, LaneForm::products_tile) == 0);
}

TEST(infinities_and_nan_reach_every_sum_of_their_row) {
  constexpr int64_t n = 20;
  const Shape shape{4, 4, true, false};
  Value x = random_array(Dims{n, 4}, 5), w = random_array(Dims{4, 4}, 6);
  x.set_at(4 * 7 + 3, INFINITY);  // only the last sum of lane 7 has this row
  const LaneProgram p(products_of(n, shape, DType::float64));
  const std::vector<Value> out = run(p, {x, w}, n);
  for (int64_t lane = 0; lane < n; ++lane)
    for (int64_t i = 0; i < 4; ++i)
      CHECK(std::isfinite(out[0].at(4 * lane + i)) == (lane != 7 || i != 3));
  CHECK(std::isnan(out[2].at(0)));
}
