// What loops are written with: the new values of old ones, what stands for single turns, stacked
// arrays of what changes with the turn, and writes for all turns at once.
#pragma once

#include "tapegrad/program/passes/roll/roll_plan.h"

namespace tapegrad {

class RollWriter : protected RollPlan {
 protected:
  RollWriter(const Program& p, std::vector<RolledLoop> loops)
      : RollPlan(p, std::move(loops)), edit_(p) {}

  void copy(uint32_t k);
  void write_copy(uint32_t k, std::span<const ValueId> in);
  // The new value of an old one, single turns of loops included.
  ValueId resolve(ValueId v);
  ValueId write(const Op& op, const Attrs& attrs, std::span<const ValueId> in,
                const TensorType& out);
  ValueId element(ValueId stacked, int64_t index);
  // x with its axis `from` as axis `to`.
  ValueId axis_moved(ValueId x, size_t from, size_t to);
  // Old values, all of one type, as one array with a leading axis.
  ValueId stacked(std::span<const ValueId> list);
  // Parts like `first` of one array, at any positions.
  ValueId gathered(ValueId first, const Positions& positions);
  // Positions, one for each turn.
  ValueId series_of(const std::vector<int64_t>& positions);
  ValueId run(std::span<const ValueId> list);
  // All parts of all scatters at once, after the loop.
  void write_scatters(uint32_t i);

  Edit edit_;

 private:
  void write_scatter(uint32_t i, uint32_t k);
  // Additions of these steps to parts at any positions, in the order of the turns.
  void write_additions(uint32_t i, std::span<const uint32_t> steps);
  ValueId reversed(ValueId x);  // along its first axis
};

}  // namespace tapegrad
