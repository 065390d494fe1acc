// Random bodies of scans with a place for each value, held against their steps.
#include "fuzz/random_program.h"
#include "fuzz/rounds.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/run/static/static_plan.h"

using namespace programs;
using tapegrad::StaticPlan;
using tapegrad::StaticRun;

namespace {

constexpr int64_t steps = 4;

Value stacked(const TensorType& row, std::mt19937_64& random) {
  TensorType t{row.dtype, Dims{steps}};
  for (int64_t n : row.shape) t.shape.push_back(n);
  return random_value(t, random);
}

Value row_of(const Value& stacked, const TensorType& row, int64_t t) {
  if (row.shape.empty()) return stacked.view({}, {}, t * stacked.strides()[0]);
  const Dims strides = stacked.strides();
  return stacked.view(row.shape, Dims(strides.data() + 1, strides.size() - 1), t * strides[0]);
}

// The program with `n_carry` values of the inputs' types in front of its outputs.
Program with_carries(Program p, size_t n_carry, std::mt19937_64& random) {
  std::vector<ValueId> next;
  for (size_t c = 0; c < n_carry; ++c) {
    std::vector<ValueId> fitting;
    for (ValueId v = 0; v < p.values.size(); ++v)
      if (p.type_of(v) == p.type_of(p.inputs[c])) fitting.push_back(v);
    const size_t recent = std::min<size_t>(fitting.size(), 6);
    next.push_back(random() % 4 == 0 ? fitting[random() % fitting.size()]
                                     : fitting[fitting.size() - 1 - random() % recent]);
  }
  p.outputs.insert(p.outputs.begin(), next.begin(), next.end());
  return p;
}

}  // namespace

TEST(bodies_with_a_place_for_each_value) {
  size_t planned = 0;
  for (fuzz::Rounds r(200); r.next();) {
    std::mt19937_64 random(r.seed());
    const int64_t rows = 1 + static_cast<int64_t>(random() % 20),
                  columns = 1 + static_cast<int64_t>(random() % 70);
    const size_t n_carry = random() % 6, n_series = random() % 3;
    const Program drawn = RandomProgram(r.seed(), rows, columns, false, true)
                              .make(5 + static_cast<int>(random() % 40));
    Program body = with_carries(drawn, n_carry, random);
    if (random() % 4) body = optimise(std::move(body), tapegrad::PassOptions());
    const auto plan = StaticPlan::of(body, n_carry, n_series);
    if (!plan) continue;
    ++planned;
    std::vector<Value> in;
    for (size_t i = 0; i < body.inputs.size(); ++i) {
      const TensorType& t = body.type_of(body.inputs[i]);
      const bool is_series = i >= n_carry && i < n_carry + n_series;
      in.push_back(is_series ? stacked(t, random) : random_value(t, random));
    }
    StaticRun got(*plan);
    got.begin(in);
    std::vector<Value> now = in;
    const bool reverse = random() % 2 == 0;
    for (int64_t k = 0; k < steps; ++k) {
      const int64_t t = reverse ? steps - 1 - k : k;
      for (size_t i = n_carry; i < n_carry + n_series; ++i)
        now[i] = row_of(in[i], body.type_of(body.inputs[i]), t);
      const std::vector<Value> want = run(body, now);
      CHECK(got.step(t));
      for (size_t j = n_carry; j < want.size(); ++j)
        CHECK(same_numbers(got.y_value(j - n_carry), want[j]));
      for (size_t c = 0; c < n_carry; ++c) {
        CHECK(same_numbers(got.carry(c), want[c]));
        now[c] = want[c];
      }
    }
  }
  CHECK(planned > 0);
}
