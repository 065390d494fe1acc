#include "tapegrad/program/passes/batch/batch_cost.h"

#include <algorithm>

#include "tapegrad/program/costs.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {
bool BatchCosts::is_product(uint16_t op) { return op_by_id(op).product != ProductKind::none; }
bool BatchCosts::reduces(uint16_t op) {
  const Op& o = op_by_id(op);
  return o.reduces != ReductionKind::none || (o.axes >= 0 && o.elements == ElementKind::computed);
}

// With few lanes the fixed cost of a step or an instruction counts too.
BatchCost BatchCosts::of(const Program::Step& s) const {
  constexpr double fused_ns = 30, product_ns = 1;
  BatchCost cost = per_lane(s);
  const auto n = static_cast<double>(axes_.n());
  const auto made = static_cast<double>(axes_.elements(s.first_out));
  if (is_elementwise(s.op)) {
    cost.arrays += fused_ns / n;
    cost.scalars += costs::row_instruction * made / n;
  } else if (is_product(s.op) || reduces(s.op) || op_by_id(s.op).matrix_stack) {
    cost.arrays += costs::step / n;
    cost.scalars += (costs::row_instruction * made + product_ns * cost.instructions / 2) / n;
  } else if (op_by_id(s.op).copies()) {
    cost.arrays += costs::step / n;
  }
  return cost;
}

BatchCost BatchCosts::per_lane(const Program::Step& s) const {
  const auto read = static_cast<double>(axes_.elements(p_.in(s)[0]));
  const auto made = static_cast<double>(axes_.elements(s.first_out));
  if (is_product(s.op)) return product(s);
  const Op& op = op_by_id(s.op);
  if (op.matrix_stack) return system(s);
  if (reduces(s.op) && !axes_.has_lanes(s.first_out)) return {0.15 * read, 0.1 * read, read};
  if (reduces(s.op)) return {(is_last(p_.in(s)[0]) ? 0.25 : 0.6) * read, 0.08 * read, read};
  if (is_elementwise(s.op)) return {0, 0, made};
  // Elements of one lane that lie together, gathered from rows or picked out as rows.
  if (op.join == JoinKind::stack && !is_last(s.first_out)) return {0.9 * made, 0, 0};
  if (op.view == ViewKind::part && op.key == KeyKind::basic && !is_last(p_.in(s)[0]))
    return {0.8 * made, 0, 0};
  return {op.copies() ? 0.4 * made : 0.0, 0, 0};
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
  if (op_by_id(s.op).product != ProductKind::matrices) return {};
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
  if (op_by_id(s.op).product == ProductKind::matrices) {
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
