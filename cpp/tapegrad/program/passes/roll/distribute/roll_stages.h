// Loops that are distributed, written stage by stage: what recurs turn by turn, the rest as steps
// on arrays of all turns, and sums as scans in the order of the turns.
#pragma once

#include <map>
#include <optional>
#include <utility>

#include "tapegrad/program/passes/roll/roll_writer.h"
#include "tapegrad/program/writer.h"

namespace tapegrad {

class StageWriter : protected RollWriter {
 protected:
  using RollWriter::RollWriter;

  void write_stages(uint32_t i);

 private:
  // Stacked arrays that a loop has made already: by kind and number of an operand.
  using Stacks = std::map<std::pair<RolledLoop::Kind, uint32_t>, ValueId>;
  using Terms = std::vector<std::pair<uint32_t, ValueId>>;  // steps, and their values in the body
  // What the scan of sums reads: something else each turn, or the same.
  struct SumOperands {
    struct Operand {
      uint32_t k, a;  // of the loop: the step and which of its operands
      ValueId of_loop, in_body;
      TensorType type;
    };
    std::vector<Operand> of_turns, of_all;

    ValueId at(uint32_t k, uint32_t a) const;
  };

  ValueId output_of(uint32_t i, uint32_t k) const {
    return p_.steps[loops_[i].step(0, k)].first_out;
  }
  // A step that adds to a sum, and which of its operands that is.
  struct Addition {
    uint32_t k, sum;
  };
  // The steps of a turn that add to the sum which this step makes, in their order.
  std::vector<Addition> additions_of(uint32_t i, uint32_t last) const;
  // Sums of one type, in the order of the turns.
  void write_sums(Stacks& known, uint32_t i, std::span<const uint32_t> sums);
  // The step that makes an operand within a sum.
  std::optional<uint32_t> term_of(uint32_t i, uint32_t k, uint32_t a) const;
  void add_operand(SumOperands& operands, Stacks& known, uint32_t i, uint32_t k, uint32_t a);
  ValueId summand(ProgramWriter& body, const SumOperands& operands, Terms& terms, uint32_t i,
                  uint32_t k, uint32_t a) const;
  // An operand of a step that is made at once: a number, or one for each turn.
  ValueId of_all_turns(Stacks& known, uint32_t i, uint32_t k, uint32_t a);
};

}  // namespace tapegrad
