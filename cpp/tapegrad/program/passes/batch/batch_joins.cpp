#include <algorithm>
#include <optional>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/fuse/gathers.h"
#include "tapegrad/program/passes/passes.h"

// A function often ends by joining what a kernel over a batch has computed, one array after the
// other, into its result. Such a kernel can write each array where it lies in the result, which is
// then made once and not copied. For long arrays: short ones cost more to plan than to copy.

namespace tapegrad {
namespace {

constexpr int64_t least_elements = 4096;

class BatchJoins {
 public:
  explicit BatchJoins(const Program& p)
      : p_(p), readers_(count_readers(p)), joins_of_(p.steps.size()), gone_(p.steps.size()) {
    for (uint32_t i = 0; i < p_.steps.size(); ++i) look_at(i);
  }

  bool any() const { return any_; }

  Program run() {
    Edit edit(p_);
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      if (!joins_of_[i].empty()) {
        write(edit, i);
      } else if (!gone_[i]) {
        edit.copy(p_.steps[i]);
      }
    }
    return edit.finish();
  }

 private:
  struct Join {
    uint32_t step;
    std::vector<uint32_t> outputs;  // of the kernel, in the order of the pieces
  };

  static const FusedKernel* batch_kernel(const Program& p, const Program::Step& s) {
    if (s.kernel < 0) return nullptr;
    const auto* fused =
        dynamic_cast<const FusedKernel*>(p.kernels[static_cast<size_t>(s.kernel)].get());
    const bool fits =
        fused && fused->lanes.kernel().batch && fused->lanes.kernel().batch->places.empty();
    return fits ? fused : nullptr;
  }

  // Whether the pieces lie one after the other in the result.
  bool joins_whole_arrays(const Program::Step& s) const {
    if (s.kernel >= 0 || s.held || op_by_id(s.op).join != JoinKind::concatenate) return false;
    const TensorType& type = p_.type_of(s.first_out);
    if (element_count(type.shape) < least_elements) return false;
    const Attrs& attrs = p_.attrs_of(s);
    const auto axis = attrs.is_none(join_attrs::axis)
                          ? 0
                          : normalize_axis(attrs.integer(join_attrs::axis), type.shape.ndim(),
                                           op_by_id(s.op).name);
    return std::all_of(type.shape.begin(), type.shape.begin() + axis,
                       [](int64_t n) { return n == 1; });
  }

  // The step that made v, past what only gives it another shape; those in between go to `passed`.
  std::optional<ValueId> made(ValueId v, std::vector<uint32_t>& passed) const {
    while (readers_[v] == 1 && p_.values[v].source == Source::step) {
      const Program::Step& from = p_.steps[p_.values[v].index];
      if (from.kernel >= 0) return v;
      if (from.held || op_by_id(from.op).view != ViewKind::reshaped) return std::nullopt;
      passed.push_back(p_.values[v].index);
      v = p_.in(from)[0];
    }
    return std::nullopt;
  }

  void look_at(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    if (!joins_whole_arrays(s)) return;
    const DType dtype = p_.type_of(s.first_out).dtype;
    Join join{i, {}};
    std::vector<uint32_t> passed{i};
    uint32_t kernel = 0;
    for (ValueId v : p_.in(s)) {
      const std::optional<ValueId> from = made(v, passed);
      if (!from || p_.type_of(*from).dtype != dtype) return;
      const uint32_t step = p_.values[*from].index;
      if (!join.outputs.empty() && step != kernel) return;
      kernel = step;
      const uint32_t output = *from - p_.steps[step].first_out;
      if (std::ranges::count(join.outputs, output)) return;
      join.outputs.push_back(output);
    }
    if (join.outputs.size() < 2 || !batch_kernel(p_, p_.steps[kernel])) return;
    for (uint32_t gone : passed) gone_[gone] = true;
    joins_of_[kernel].push_back(std::move(join));
    any_ = true;
  }

  void write(Edit& edit, uint32_t i) const {
    const Program::Step& s = p_.steps[i];
    const FusedKernel& old = *batch_kernel(p_, s);
    LaneKernel kernel = old.lanes.kernel();
    LaneBatch batch = *kernel.batch;
    batch.places.resize(s.n_out);
    std::vector<uint32_t> types;
    std::vector<ValueId> stands_for;
    std::vector<uint8_t> is_piece(s.n_out, 0);
    const auto add_result = [&](ValueId v) {
      batch.joined.push_back(p_.type_of(v));
      types.push_back(p_.values[v].type);
      stands_for.push_back(v);
      return static_cast<uint32_t>(types.size() - 1);
    };
    for (const Join& join : joins_of_[i]) {
      const uint32_t result = add_result(p_.steps[join.step].first_out);
      int64_t first = 0;
      for (uint32_t output : join.outputs) {
        batch.places[output] = {result, first};
        is_piece[output] = 1;
        first += element_count(p_.type_of(s.first_out + output).shape);
      }
    }
    for (uint32_t j = 0; j < s.n_out; ++j)
      if (!is_piece[j]) batch.places[j] = {add_result(s.first_out + j), 0};
    kernel.batch = std::make_shared<const LaneBatch>(std::move(batch));
    Program::Step like = s;
    like.kernel = edit.kernel(std::make_shared<const FusedKernel>(std::move(kernel), old.space));
    std::vector<ValueId> in;
    for (ValueId v : p_.in(s)) in.push_back(edit.at(v));
    const ValueId first = edit.write(like, in, types);
    for (size_t r = 0; r < stands_for.size(); ++r)
      edit.set(stands_for[r], first + static_cast<ValueId>(r));
  }

  const Program& p_;
  std::vector<uint32_t> readers_;            // by value
  std::vector<std::vector<Join>> joins_of_;  // by step: what a kernel's results are joined to
  std::vector<bool> gone_;
  bool any_ = false;
};

}  // namespace

Program write_into_joins(Program p) {
  const auto joins = [](const Program::Step& s) {
    return s.kernel < 0 && op_by_id(s.op).join == JoinKind::concatenate;
  };
  if (std::none_of(p.steps.begin(), p.steps.end(), joins)) return p;
  BatchJoins pass(p);
  return pass.any() ? drop_dead(pass.run()) : p;
}

}  // namespace tapegrad
