#include "tapegrad/program/passes/roll/distribute/roll_costs.h"

#include <algorithm>

#include "tapegrad/kernels/fused/loop/lane_loop.h"
#include "tapegrad/program/costs.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/find/roll_keys.h"
#include "tapegrad/program/passes/tiles/run_cost.h"

namespace tapegrad {
namespace {

// Of numbers, as measured: what a function costs beside its instruction, over what it costs in a
// row; a number that is joined to an array; one that is read of it.
constexpr double alone = 2, joining_number = 7 * costs::instruction,
                 reading_number = 2.5 * costs::instruction;
constexpr double summed_number = 1.5;
constexpr int64_t few_elements = 16;
constexpr double near_bytes = 32768;  // what stays in the nearest cache

}  // namespace

TurnCosts::TurnCosts(const Program& p, const RolledLoop& loop, bool stays)
    : p_(&p), loop_(&loop), stays_(stays) {
  Dims space;
  for (uint32_t k = 0; k < loop.period; ++k) {
    if (loop.roles[k] != RolledLoop::Role::computed) continue;
    const Op& op = op_by_id(step(k).op);
    is_row_ &= op.scalar_fn >= 0 || op.view == ViewKind::broadcast || op.adds_up() ||
               op.reduces == ReductionKind::mean;
    const bool reads_array =
        std::ranges::any_of(p.in(step(k)), [&](ValueId v) { return !p.type_of(v).shape.empty(); });
    // An element of an array is a number as good as any; a product of rows is not.
    if (reads_array && !reads_by_key(op)) is_of_numbers_ = false;
    const Dims& shape = p.type_of(step(k).first_out).shape;
    is_of_few_ = is_of_few_ && element_count(shape) <= few_elements;
    if (shape.empty()) continue;
    is_of_numbers_ = false;
    if (space.empty()) space = shape;
    is_row_ &= shape == space && element_count(shape) <= most_loop_lanes;
  }
  lanes_ = static_cast<double>(element_count(space));
}

double TurnCosts::elements(uint32_t k) const {
  return static_cast<double>(element_count(p_->type_of(step(k).first_out).shape));
}

// Of all elements.
double TurnCosts::work(uint32_t k) const {
  const Op& op = op_by_id(step(k).op);
  if (op.scalar_fn >= 0) return lane_cost(static_cast<ScalarFn>(step(k).op)) * elements(k);
  double read = elements(k);
  for (ValueId v : p_->in(step(k)))
    read = std::max(read, static_cast<double>(element_count(p_->type_of(v).shape)));
  if (op.product == ProductKind::matrices) {
    const Dims& shape = p_->type_of(p_->in(step(k))[0]).shape;
    const auto inner = static_cast<double>(shape.empty() ? 1 : shape.back());
    return elements(k) * (costs::element + inner * costs::product);
  }
  return costs::element * read;
}

// Instructions on the elements alone.
double TurnCosts::scalars(uint32_t k) const {
  const auto inputs = p_->in(step(k));
  if (op_by_id(step(k).op).product != ProductKind::matrices) {
    double read = elements(k);
    for (ValueId v : inputs)
      read = std::max(read, static_cast<double>(element_count(p_->type_of(v).shape)));
    return read;
  }
  const Dims& shape = p_->type_of(inputs[0]).shape;
  return 2 * elements(k) * static_cast<double>(shape.empty() ? 1 : shape.back());
}

double TurnCosts::straight(uint32_t k, bool apart) const {
  const auto fn = static_cast<ScalarFn>(step(k).op);
  if (is_of_numbers_) {
    const double each = lane_ns(fn);
    return costs::instruction + (each > 1 ? alone * each : 0);
  }
  if (apart) return costs::step + work(k);
  if (!is_row_) {
    const double planned = costs::planned_step + work(k);
    if (!is_of_few_) return planned;
    // Arrays of so few elements are taken apart, and views of them are nothing.
    if (op_by_id(step(k).op).view != ViewKind::none) return 0;
    return std::min(planned, costs::instruction * scalars(k));
  }
  return costs::row_instruction + (is_elementwise(step(k).op) ? lane_cost(fn) * lanes_ : work(k));
}

// Operands that are repeated along short axes are copied into rows first.
double TurnCosts::at_once(uint32_t k) const {
  const Dims& shape = p_->type_of(step(k).first_out).shape;
  const bool repeats = std::ranges::any_of(p_->in(step(k)), [&](ValueId v) {
    const Dims& own = p_->type_of(v).shape;
    return is_elementwise(step(k).op) && !own.empty() && own != shape;
  });
  return work(k) + (stays_ && repeats ? 4 * costs::element * elements(k) : 0);
}

double TurnCosts::fixed(uint32_t k) const { return is_elementwise(step(k).op) ? 0 : costs::step; }

double TurnCosts::sum(uint32_t k) const {
  if (p_->type_of(step(k).first_out).shape.empty()) return summed_number;
  const double bytes = elements(k) * sizeof(double);
  const double moved = bytes * loop_->count > near_bytes ? 2 * costs::far_byte * bytes : 0;
  return summed_number + 2 * costs::row_element * elements(k) + moved;
}

// Its factors are read; it stays in registers.
double TurnCosts::sum_of_products(uint32_t k) const {
  return summed_number + costs::row_element * elements(k);
}

double TurnCosts::crossing(uint32_t k, bool made_at_once) const {
  if (p_->type_of(step(k).first_out).shape.empty())
    return made_at_once ? reading_number : is_of_numbers_ ? joining_number : costs::element;
  return costs::element * elements(k);
}

double TurnCosts::joining(const RolledLoop::Series& s) const {
  const Dims& shape = p_->type_of(p_->in(step(s.step))[s.operand]).shape;
  const bool by_steps = !shape.empty() && loop_->count < many_turns_of_arrays;
  return (by_steps ? costs::step : joining_number) +
         costs::element * static_cast<double>(element_count(shape));
}

}  // namespace tapegrad
