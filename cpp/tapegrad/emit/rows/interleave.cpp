#include "tapegrad/emit/rows/interleave.h"

#include <algorithm>
#include <array>

namespace tapegrad::emit {
namespace {

// In cycles: how long a result is on its way, and for how long it keeps a unit busy. Those of
// recent processors differ little in what counts here, their ratio.
struct Cost {
  uint32_t latency, busy;
};
Cost cost_of(Function f) {
  switch (f) {
    case Function::divide:
    case Function::reciprocal:
    case Function::root:
      return {16, 10};
    case Function::strong_product:
    case Function::zero_product:
    case Function::maximum:
    case Function::minimum:
    case Function::select:
      return {8, 3};
    default:
      return {4, 1};
  }
}

constexpr uint32_t instructions_ahead = 256;

// How many values that lines give or share are wanted at once, at most.
uint32_t most_live(const RowProgram& program) {
  const std::vector<Line>& lines = program.lines;
  std::vector<uint8_t> is_live(program.values.size());
  uint32_t live = 0, most = 0;
  for (size_t i = lines.size(); i-- > 0;) {
    if (is_live[lines[i].out]) --live;
    const std::array<uint32_t, 3> operands = operands_of(lines[i]);
    for (size_t k = 0; k < lines[i].arity; ++k) {
      if (is_live[operands[k]] || program.values[operands[k]].kind == RowValue::Kind::number)
        continue;
      is_live[operands[k]] = 1;
      ++live;
    }
    most = std::max(most, live);
  }
  return most;
}

}  // namespace

uint32_t vectors_at_once(const RowProgram& program, uint8_t holders) {
  std::vector<uint32_t> ready(program.values.size());
  uint32_t busy = 0, longest = 0;
  for (const Line& line : program.lines) {
    const Cost cost = cost_of(line.function);
    const std::array<uint32_t, 3> operands = operands_of(line);
    uint32_t begin = 0;
    for (size_t k = 0; k < line.arity; ++k) begin = std::max(begin, ready[operands[k]]);
    ready[line.out] = begin + cost.latency;
    longest = std::max(longest, ready[line.out]);
    busy += cost.busy;
  }
  const auto lines = static_cast<uint32_t>(program.lines.size());
  const uint32_t ahead = std::max(1U, instructions_ahead / std::max(lines, 1U));
  const uint32_t live = most_live(program);
  uint32_t vectors = 1;
  while (vectors < 4 && longest > ahead * vectors * busy && 2 * vectors * live <= holders)
    vectors *= 2;
  return vectors;
}

RowProgram side_by_side(const RowProgram& program, uint32_t vectors) {
  RowProgram all;
  all.numbers = program.numbers;
  all.lines.reserve(program.lines.size() * vectors);
  std::vector<uint32_t> first(program.values.size());  // where a value stands
  for (size_t v = 0; v < first.size(); ++v) {
    first[v] = static_cast<uint32_t>(all.values.size());
    const bool is_number = program.values[v].kind == RowValue::Kind::number;
    for (uint32_t k = 0; k < (is_number ? 1 : vectors); ++k) {
      all.values.push_back(program.values[v]);
      all.values.back().vector = k;
    }
  }
  for (const Line& line : program.lines)
    for (uint32_t k = 0; k < vectors; ++k) {
      const auto at = [&](uint32_t v) {
        return first[v] + (program.values[v].kind == RowValue::Kind::number ? 0 : k);
      };
      Line copy = line;
      copy.out = at(line.out);
      if (line.arity > 0) copy.a = at(line.a);
      if (line.arity > 1) copy.b = at(line.b);
      if (line.arity > 2) copy.c = at(line.c);
      all.lines.push_back(copy);
    }
  return all;
}

}  // namespace tapegrad::emit
