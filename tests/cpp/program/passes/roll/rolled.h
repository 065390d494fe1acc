// What the tests of rolled loops share: arguments for any program, and what rolling has to keep.
#pragma once

#include <random>
#include <vector>

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/scan/scan.h"

namespace rolled_loops {

using namespace programs;
using tapegrad::check_program, tapegrad::roll_loops, tapegrad::scan_op;

inline constexpr int64_t n = 6;  // lanes

inline Attrs at(int64_t i) { return {Ints{0, i, 0, 0, 1, 0, 1, n}}; }

inline Value numbers(const Dims& shape, uint64_t seed) {
  std::mt19937_64 random(seed);
  Value v = Value::empty(DType::float64, shape);
  for (int64_t i = 0; i < v.size(); ++i)
    v.set_at(i, std::uniform_real_distribution<double>(-1, 1)(random));
  return v;
}

inline std::vector<Value> inputs_of(const Program& p) {
  std::vector<Value> in;
  for (ValueId v : p.inputs) {
    const TensorType& t = p.type_of(v);
    in.push_back(t.shape.empty() ? Value(0.3 + 0.1 * static_cast<double>(in.size()))
                                 : numbers(t.shape, in.size() + 1));
  }
  return in;
}

inline size_t scans(const Program& p) {
  size_t found = 0;
  for (const Program::Step& s : p.steps) found += s.kernel < 0 && s.op == scan_op().id;
  return found;
}

// The rolled program computes the same, in at most `most` steps with this many scans.
inline Program check_rolled(const Program& p, size_t n_scans, size_t most) {
  const Program rolled = roll_loops(p);
  check_program(rolled);
  CHECK(scans(rolled) == n_scans);
  CHECK(rolled.steps.size() <= most);
  const std::vector<Value> in = inputs_of(p);
  const std::vector<Value> want = run(p, in), got = run(rolled, in);
  CHECK(want.size() == got.size());
  for (size_t k = 0; k < want.size(); ++k) CHECK(same_numbers(want[k], got[k]));
  return rolled;
}

}  // namespace rolled_loops
