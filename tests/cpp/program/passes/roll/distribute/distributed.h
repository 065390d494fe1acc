// What the tests of distributed loops share.
#pragma once

#include <random>
#include <vector>

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

namespace distributed {

using namespace programs;
using tapegrad::distribute_loops;

inline std::vector<Value> inputs_of(const Program& p, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> number(0.1, 0.9);
  std::vector<Value> in;
  for (ValueId v : p.inputs) {
    const Dims& shape = p.type_of(v).shape;
    in.push_back(shape.empty()
                     ? Value(number(random))
                     : filled(DType::float64, shape, [&](int64_t) { return number(random); }));
  }
  return in;
}

inline Program check_distributed(const Program& p, uint64_t seed = 1) {
  const Program q = distribute_loops(p);
  tapegrad::check_program(q);
  const std::vector<Value> in = inputs_of(p, seed);
  const std::vector<Value> want = run(p, in), got = run(q, in);
  CHECK(want.size() == got.size());
  for (size_t k = 0; k < want.size(); ++k) CHECK(same_numbers(want[k], got[k]));
  return q;
}

inline size_t steps_of(const Program& p, const char* name, bool of_arrays) {
  size_t n = 0;
  for (const Program::Step& s : p.steps)
    n += s.op == op_named(name).id && p.type_of(s.first_out).shape.empty() != of_arrays;
  return n;
}

}  // namespace distributed
