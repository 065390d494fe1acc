#include <algorithm>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/fuse/gathers.h"

// A Jacobian by tangents ends with a transpose: the axis of the inputs comes first, and goes to the
// end. Where the function ended with a gather, of more indices than the source has positions, the
// source is transposed instead, which is less to move, and the gather moves longer rows.

namespace tapegrad {
namespace {

class TransposedGathers {
 public:
  explicit TransposedGathers(const Program& p)
      : p_(p), readers_(count_readers(p)), gather_(p.steps.size(), nullptr), gone_(p.steps.size()) {
    for (uint32_t i = 0; i < p_.steps.size(); ++i) look_at(i);
  }

  bool any() const { return any_; }

  Program run() {
    Edit edit(p_);
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      if (gather_[i]) {
        edit.set(p_.steps[i].first_out, written(edit, *gather_[i], p_.steps[i].first_out));
      } else if (!gone_[i]) {
        edit.copy(p_.steps[i]);
      }
    }
    return edit.finish();
  }

 private:
  // Outputs alone: products of matrices would see other strides.
  void look_at(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    if (s.kernel >= 0 || s.held || op_by_id(s.op).view != ViewKind::permuted) return;
    const uint32_t in_steps = readers_[s.first_out] % read_outside;
    if (in_steps != 0 || !moves_first_axis_last(s)) return;
    const int64_t moved = p_.type_of(p_.in(s)[0]).shape[0];
    std::vector<uint32_t> between;
    for (ValueId v = p_.in(s)[0];;) {
      if (readers_[v] != 1 || p_.values[v].source != Source::step) return;
      const uint32_t maker = p_.values[v].index;
      const Program::Step& from = p_.steps[maker];
      between.push_back(maker);
      if (is_gather(from)) {
        if (!pays(from, moved)) return;
        for (uint32_t gone : between) gone_[gone] = true;
        gather_[i] = &from;
        any_ = true;
        return;
      }
      if (from.kernel >= 0 || from.held || op_by_id(from.op).view != ViewKind::reshaped) return;
      v = p_.in(from)[0];
    }
  }

  bool moves_first_axis_last(const Program::Step& s) const {
    const int n = p_.type_of(s.first_out).shape.ndim();
    const Attrs& attrs = p_.attrs_of(s);
    if (n < 2) return false;
    if (attrs.is_none(axes_attrs::axes)) return n == 2;
    int next = 1;
    for (int64_t axis : axis_list(attrs, axes_attrs::axes))
      if (normalize_axis(axis, n, "transpose") != next++ % n) return false;
    return true;
  }

  bool pays(const Program::Step& gather, int64_t moved) const {
    const Dims& from = p_.type_of(p_.in(gather)[0]).shape;
    return taken_axis(p_, gather) > 0 && from[0] == moved && moved > 1 &&
           2 * element_count(from) <= element_count(p_.type_of(gather.first_out).shape);
  }

  ValueId written(Edit& edit, const Program::Step& gather, ValueId old) const {
    const ValueId x = edit.at(p_.in(gather)[0]), index = edit.at(p_.in(gather)[1]);
    const Dims& from = p_.type_of(p_.in(gather)[0]).shape;
    const DType dtype = p_.type_of(old).dtype;
    const int axis = taken_axis(p_, gather) - 1;
    std::vector<int64_t> axes;
    Dims turned, taken;
    IndexSpec whole, take;
    for (int k = 1; k <= from.ndim(); ++k) {
      axes.push_back(k % from.ndim());
      const int64_t n = from[static_cast<size_t>(axes.back())];
      turned.push_back(n);
      whole.whole(n);
      if (k - 1 != axis) {
        take.whole(n);
        taken.push_back(n);
      } else {
        take.array();
        for (int64_t i : p_.type_of(p_.in(gather)[1]).shape) taken.push_back(i);
      }
    }
    take.position = axis;
    const ValueId view = edit.write(transpose_op(), Attrs{axes}, {&x, 1}, {dtype, turned});
    const ValueId in[] = {edit.write(slice_copy_op(), whole.attrs(), {&view, 1}, {dtype, turned}),
                          index};
    const ValueId out = edit.write(gather_op(), take.attrs(), in, {dtype, taken});
    const Dims& shape = p_.type_of(old).shape;
    if (taken == shape) return out;
    return edit.write(reshape_op(), Attrs{to_vector(shape)}, {&out, 1}, p_.type_of(old));
  }

  const Program& p_;
  std::vector<uint32_t> readers_;             // by value
  std::vector<const Program::Step*> gather_;  // by step: what the transpose goes before
  std::vector<bool> gone_;
  bool any_ = false;
};

}  // namespace

Program transpose_before_gathers(Program p) {
  if (std::none_of(p.steps.begin(), p.steps.end(), is_gather)) return p;
  TransposedGathers pass(p);
  return pass.any() ? pass.run() : p;
}

}  // namespace tapegrad
