#include "tapegrad/program/passes/roll/distribute/roll_at_once.h"

#include <algorithm>

#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/body/body.h"
#include "tapegrad/program/body/vmap.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/writer.h"

namespace tapegrad {
namespace {

class AtOnce {
 public:
  AtOnce(Edit& edit, const Program& p, const Program::Step& s, std::span<const ValueId> in,
         int64_t turns)
      : edit_(edit), p_(p), s_(s), in_(in.begin(), in.end()), turns_(turns) {
    for (size_t a = 0; a < in_.size(); ++a)
      has_turns_.push_back(edit.program().type_of(in_[a]).shape.ndim() > own(a).shape.ndim());
    if (std::ranges::find(has_turns_, 1) != has_turns_.end()) return;
    in_[0] = with_turns(edit, own(0), in_[0], turns);
    has_turns_[0] = 1;
  }

  ValueId write() {
    if (is_elementwise(s_.op)) return write_elementwise();
    if (is_row_by_row()) return write_sums_of_products();
    return is_rows_by_matrix() ? write_product() : write_by_rule();
  }

 private:
  const TensorType& own(size_t a) const { return p_.type_of(p_.in(s_)[a]); }

  // Behind the axis of turns come axes of length 1 where another operand has more axes.
  ValueId write_elementwise() {
    const TensorType& out = p_.type_of(s_.first_out);
    for (size_t a = 0; a < in_.size(); ++a) {
      const Dims& shape = own(a).shape;
      if (!has_turns_[a] || shape.ndim() == out.shape.ndim()) continue;
      Dims wide{turns_};
      for (int k = shape.ndim(); k < out.shape.ndim(); ++k) wide.push_back(1);
      for (int64_t d : shape) wide.push_back(d);
      Program::Step like;
      like.op = reshape_op().id;
      like.attrs = edit_.attrs(Attrs{std::vector<int64_t>(wide.begin(), wide.end())});
      const uint32_t type = edit_.type({own(a).dtype, wide});
      in_[a] = edit_.write(like, {&in_[a], 1}, {&type, 1});
    }
    const uint32_t type = edit_.type(stacked_type(out, turns_));
    return edit_.write(s_, in_, {&type, 1});
  }

  // Each turn's row times the same matrix, or the matrix times it: the rows are one matrix.
  bool is_rows_by_matrix() const {
    if (op_by_id(s_.op).product != ProductKind::matrices || has_turns_[0] == has_turns_[1])
      return false;
    const size_t rows = has_turns_[0] ? 0 : 1;
    return own(rows).shape.ndim() == 1 && own(1 - rows).shape.ndim() == 2;
  }
  ValueId write_product() {
    if (!has_turns_[0]) {
      const TensorType& matrix = own(0);
      Program::Step like;
      like.op = transpose_op().id;
      like.attrs = edit_.attrs(Attrs{std::vector<int64_t>{1, 0}});
      const uint32_t type = edit_.type({matrix.dtype, {matrix.shape[1], matrix.shape[0]}});
      in_ = {in_[1], edit_.write(like, {&in_[0], 1}, {&type, 1})};
    }
    const uint32_t type = edit_.type(stacked_type(p_.type_of(s_.first_out), turns_));
    return edit_.write(s_, in_, {&type, 1});
  }

  // Two short rows of each turn: sums of products cost less than a product of matrices each.
  bool is_row_by_row() const {
    constexpr int64_t short_row = 64;
    return op_by_id(s_.op).product == ProductKind::matrices && own(0).shape.ndim() == 1 &&
           own(0) == own(1) && own(0).dtype == p_.type_of(s_.first_out).dtype &&
           own(0).shape[0] <= short_row;
  }
  ValueId write_sums_of_products() {
    Program::Step like;
    like.op = op_of_fn<Multiply>();
    like.line = s_.line;
    const uint32_t wide = edit_.type(stacked_type(own(0), turns_)),
                   type = edit_.type(stacked_type(p_.type_of(s_.first_out), turns_));
    const ValueId products = edit_.write(like, in_, {&wide, 1});
    like.op = sum_op().id;
    like.attrs = edit_.attrs(Attrs{std::vector<int64_t>{1}, false});
    return edit_.write(like, {&products, 1}, {&type, 1});
  }

  // Turns are lanes: what the op's rule for lanes does is recorded, at zeros, and written out.
  ValueId write_by_rule() {
    const Program rule = record_body(zeros(), [&](std::span<const Ref> args) {
                           return replay_lanes(one_turn(), args, has_turns_, {}, turns_).outputs;
                         })->program();
    std::vector<ValueId> now(rule.values.size(), no_value);
    for (size_t a = 0; a < in_.size(); ++a) now[rule.inputs[a]] = in_[a];
    for (size_t v = 0; v < rule.values.size(); ++v)
      if (const auto id = static_cast<ValueId>(v); rule.is_constant(id))
        now[v] = edit_.constant(rule.constant_of(id));
    for (const Program::Step& s : rule.steps) {
      std::vector<ValueId> in;
      for (ValueId v : rule.in(s)) in.push_back(now[v]);
      Program::Step like = s;
      like.attrs = edit_.attrs(rule.attrs_of(s));
      like.line = 0;
      std::vector<uint32_t> types;
      for (uint32_t j = 0; j < s.n_out; ++j)
        types.push_back(edit_.type(rule.type_of(s.first_out + j)));
      const ValueId first = edit_.write(like, in, types);
      for (uint32_t j = 0; j < s.n_out; ++j) now[s.first_out + j] = first + j;
    }
    return now[rule.outputs[0]];
  }

  Program one_turn() const {
    ProgramWriter w;
    std::vector<ValueId> in;
    for (size_t a = 0; a < in_.size(); ++a) in.push_back(w.input(own(a)));
    const TensorType& out = p_.type_of(s_.first_out);
    w.output(w.step(op_by_id(s_.op), p_.attrs_of(s_), in, {&out, 1}, s_.held));
    return std::move(w).finish();
  }

  std::vector<Value> zeros() const {
    std::vector<Value> at;
    for (ValueId v : in_) {
      const TensorType& t = edit_.program().type_of(v);
      at.push_back(Value::zeros(t.dtype, t.shape));
    }
    return at;
  }

  Edit& edit_;
  const Program& p_;
  const Program::Step s_;
  std::vector<ValueId> in_;
  const int64_t turns_;
  std::vector<uint8_t> has_turns_;
};

bool has_elements(const TensorType& t) { return element_count(t.shape) > 0; }

}  // namespace

bool can_be_at_once(const Program& p, const Program::Step& s) {
  if (s.kernel >= 0 || s.n_out != 1 || !has_elements(p.type_of(s.first_out))) return false;
  for (ValueId v : p.in(s))
    if (!has_elements(p.type_of(v))) return false;
  if (is_elementwise(s.op)) return true;
  const Op& op = op_by_id(s.op);
  const bool has_rule = op.lanes != nullptr || op.axes >= 0;
  const bool is_safe = op.product != ProductKind::none || op.reduces != ReductionKind::none ||
                       op.elements != ElementKind::computed || op.view != ViewKind::none;
  return has_rule && is_safe;
}

ValueId with_turns(Edit& edit, const TensorType& own, ValueId v, int64_t turns) {
  if (edit.program().type_of(v).shape.ndim() > own.shape.ndim()) return v;
  const TensorType wide = stacked_type(own, turns);
  Program::Step like;
  like.op = broadcast_to_op().id;
  like.attrs = edit.attrs(Attrs{std::vector<int64_t>(wide.shape.begin(), wide.shape.end())});
  const uint32_t type = edit.type(wide);
  return edit.write(like, {&v, 1}, {&type, 1});
}

ValueId write_at_once(Edit& edit, const Program& p, const Program::Step& s,
                      std::span<const ValueId> in, int64_t turns) {
  return AtOnce(edit, p, s, in, turns).write();
}

}  // namespace tapegrad
