#include "tapegrad/program/passes/batch/batch_cost.h"

#include <algorithm>

#include "tapegrad/ops/registry.h"
#include "tapegrad/program/passes/expand/expand.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {
namespace {

struct Ops {
  uint16_t matmul, einsum, max, min, prod, mean, logsumexp, tie_shares, stack, slice;
  std::vector<bool> moves_memory;  // by op: it copies elements
};

const Ops& ops() {
  static const Ops all = [] {
    register_all_ops();
    const auto id = [](const char* name) { return find_op(name)->id; };
    Ops o{id("matmul"),    id("einsum"),     id("max"),   id("min"),   id("prod"), id("mean"),
          id("logsumexp"), id("tie_shares"), id("stack"), id("slice"), {}};
    o.moves_memory.resize(static_cast<size_t>(op_count()), false);
    for (const char* name : {"gather", "concatenate", "stack", "slice_copy", "slice_set",
                             "slice_add", "gather_add", "flip"})
      o.moves_memory[id(name)] = true;
    return o;
  }();
  return all;
}

}  // namespace

bool BatchCosts::is_product(uint16_t op) { return op == ops().matmul || op == ops().einsum; }
bool BatchCosts::stacks(uint16_t op) { return op == ops().stack; }
bool BatchCosts::reduces(uint16_t op) {
  const Ops& o = ops();
  return op == known_ops().sum || op == known_ops().sum_to_shape || op == o.max || op == o.min ||
         op == o.prod || op == o.mean || op == o.logsumexp || op == o.tie_shares;
}

// Where there are few lanes, what a step or an instruction costs whatever their number tells.
BatchCost BatchCosts::of(const Program::Step& s) const {
  constexpr double step_ns = 300, fused_ns = 30, instruction_ns = 5, product_ns = 1;
  BatchCost cost = per_lane(s);
  const auto n = static_cast<double>(axes_.n());
  const auto made = static_cast<double>(axes_.elements(s.first_out));
  if (is_elementwise(s.op)) {
    cost.arrays += fused_ns / n;
    cost.scalars += instruction_ns * made / n;
  } else if (is_product(s.op) || reduces(s.op) || solves_systems(s.op)) {
    cost.arrays += step_ns / n;
    cost.scalars += (instruction_ns * made + product_ns * cost.instructions / 2) / n;
  } else if (ops().moves_memory[s.op]) {
    cost.arrays += step_ns / n;
  }
  return cost;
}

BatchCost BatchCosts::per_lane(const Program::Step& s) const {
  const auto read = static_cast<double>(axes_.elements(p_.in(s)[0]));
  const auto made = static_cast<double>(axes_.elements(s.first_out));
  if (is_product(s.op)) return product(s);
  if (solves_systems(s.op)) return system(s);
  if (reduces(s.op) && !axes_.has_lanes(s.first_out)) return {0.15 * read, 0.1 * read, read};
  if (reduces(s.op)) return {(is_last(p_.in(s)[0]) ? 0.25 : 0.6) * read, 0.08 * read, read};
  if (is_elementwise(s.op)) return {0, 0, made};
  // Elements of one lane that lie together, gathered from rows or picked out as rows.
  if (s.op == ops().stack && !is_last(s.first_out)) return {0.9 * made, 0, 0};
  if (s.op == ops().slice && !is_last(p_.in(s)[0])) return {0.8 * made, 0, 0};
  return {ops().moves_memory[s.op] ? 0.4 * made : 0.0, 0, 0};
}

double BatchCosts::rows(ValueId v) const {
  return (is_last(v) ? 0.1 : 0.5) * static_cast<double>(axes_.elements(v));
}

bool BatchCosts::is_large(const Program::Step& s) const {
  const std::vector<int64_t> lengths = matrix(s);
  return !lengths.empty() && lengths[0] >= 32;
}

int64_t BatchCosts::length(ValueId v, int from_end) const {
  const Dims& shape = p_.type_of(v).shape;
  const int axis = shape.ndim() - from_end;
  return axis < 0 || axis == axes_.axis(v) ? 1 : shape[static_cast<size_t>(axis)];
}

// The lengths of a matmul that one lane has, sorted: two where the lanes are one of the three.
std::vector<int64_t> BatchCosts::matrix(const Program::Step& s) const {
  if (s.op != ops().matmul) return {};
  const ValueId a = p_.in(s)[0], b = p_.in(s)[1];
  std::vector<int64_t> lengths;
  const auto add = [&](ValueId v, int from_end) {
    if (axes_.axis(v) != p_.type_of(v).shape.ndim() - from_end)
      lengths.push_back(length(v, from_end));
  };
  add(a, 2);
  add(a, 1);
  add(b, 1);
  std::sort(lengths.begin(), lengths.end());
  return lengths;
}

// A factorisation with `width` columns beside each matrix.
BatchCost BatchCosts::system(const Program::Step& s) const {
  constexpr double matrix_ns = 80, instruction_ns = 0.3;
  const ValueId a = p_.in(s)[0];
  const auto n = static_cast<double>(length(a, 1));
  const auto count = static_cast<double>(axes_.elements(a)) / (n * n);
  const double width = static_cast<double>(axes_.elements(p_.in(s)[s.n_in - 1])) / (n * count);
  const double terms = count * n * n * (n + width);
  return {matrix_ns * count + 0.4 * terms, 2 * instruction_ns * terms, 2 * terms};
}

BatchCost BatchCosts::product(const Program::Step& s) const {
  double made = static_cast<double>(axes_.elements(s.first_out)), terms = made;
  double per_product = 0.1;
  if (s.op == ops().matmul) {
    terms = made * static_cast<double>(length(p_.in(s)[0], 1));
    if (const auto lengths = matrix(s); !lengths.empty() && lengths[0] > 1)
      per_product = 0.03 + 0.7 / static_cast<double>(lengths[0]);
  } else {
    double most = 1;
    for (ValueId v : p_.in(s)) most = std::max(most, static_cast<double>(axes_.elements(v)));
    terms = std::max(made, most);
  }
  return {per_product * terms, 0.06 * terms, 2 * terms};
}

}  // namespace tapegrad
