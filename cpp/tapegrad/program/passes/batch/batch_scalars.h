// The scalars that one lane of a batch is taken apart into, and the kernel that computes them.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "tapegrad/lanes/lane_kernel.h"
#include "tapegrad/program/passes/batch/batch_axes.h"
#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/expand/expand.h"

namespace tapegrad {

struct LaneNode {
  enum class Kind : uint8_t {
    input,     // args: array, element
    constant,  // args: into the constants
    result,    // args: nodes
    sum        // over the lanes; args: what is summed, and what is added once or none
  };
  static constexpr uint32_t none = ~uint32_t{0};

  Kind kind;
  ScalarFn fn{};
  DType dtype;
  bool varies;  // from lane to lane
  std::array<uint32_t, 3> args{none, none, none};
};

class LaneScalars : public ScalarWriter {
 public:
  // `one_lane` is the program of one lane of `p`; both outlive this.
  LaneScalars(const Program& p, const Program& one_lane, const BatchAxes& axes, bool may_require)
      : ScalarWriter(one_lane), p_(p), axes_(axes), may_require_(may_require) {}

  bool may_require() const override { return may_require_; }
  void require(ValueId condition) override;
  // What must hold for each lane; no_operand where nothing must.
  ValueId required() const { return required_; }

  // From now on the elements of v stand for their sums over the lanes.
  void sum_over_lanes(ValueId v);
  // False where sums were computed with in a way that can't wait for them.
  bool fits() const { return fits_; }

  const std::vector<LaneNode>& nodes() const { return nodes_; }
  const std::vector<double>& constants() const { return constants_; }
  const std::vector<ValueId>& arrays() const { return arrays_; }
  int64_t most_terms() const override { return int64_t{1} << 20; }

 private:
  std::vector<ValueId> load(ValueId old) override;
  ValueId constant(Value scalar) override;
  const Value* constant_at(ValueId v) const override;
  DType dtype_at(ValueId v) const override { return nodes_[v].dtype; }
  ValueId write(ScalarFn fn, DType dtype, std::span<const ValueId> in) override;
  ValueId write_sum(ScalarFn fn, DType dtype, std::span<const ValueId> in);
  ValueId add_node(LaneNode node) {
    nodes_.push_back(node);
    return static_cast<ValueId>(nodes_.size() - 1);
  }

  const Program& p_;
  const BatchAxes& axes_;
  UniformConstants uniform_;
  std::vector<LaneNode> nodes_;
  std::vector<double> constants_;
  std::vector<Value> numbers_;  // the constants, as values
  FlatTable known_numbers_;
  std::vector<ValueId> arrays_;
  bool fits_ = true;
  int depth_ = 0;  // of load()
  const bool may_require_;
  ValueId required_ = no_operand;
};

// A kernel over a batch whose output arrays are `results`, values that `w` has the elements of. Its
// instructions come in an order that keeps few rows alive: each is computed when first asked for,
// sums of products as soon as their factors are there, and what is cheap is computed again rather
// than kept.
struct BatchKernel {
  LaneKernel kernel;
  std::vector<ValueId> inputs;           // its input arrays
  std::optional<TensorType> required{};  // one more output, which must be true everywhere
};
// `rows`: by value, whether an array is kept as rows of lanes.
BatchKernel batch_kernel(LaneScalars& w, const Program& p, const BatchAxes& axes, DType dtype,
                         const std::vector<bool>& rows, std::span<const ValueId> results);
// Writes it over `space`; its outputs, of these types, are the results. A guard sees to what it
// requires.
void write_kernel(Edit& edit, BatchKernel made, const Dims& space, std::span<const ValueId> results,
                  std::vector<uint32_t> types);

}  // namespace tapegrad
