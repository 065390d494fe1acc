#include <algorithm>
#include <iterator>
#include <optional>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/local/part_keys.h"

// Reshapes, transposes, broadcasts and joins that do nothing, that merge with one another, or that
// the op which reads them does by itself.

namespace tapegrad {
namespace {

class Views final : public LocalRule {
 public:
  ValueId replace(LocalPass& pass, const Application& a) override {
    if (a.like.held || a.in.empty()) return no_value;
    if (is_elementwise(a.like.op)) return without_broadcasts(pass, a);
    const Op& op = op_by_id(a.like.op);
    if (op.view == ViewKind::reshaped) return reshaped(pass, a);
    if (op.view == ViewKind::broadcast) return broadcast(pass, a);
    if (op.view == ViewKind::permuted) return transposed(pass, a);
    if (op.join == JoinKind::concatenate) return joined(pass, a);
    if (op.view == ViewKind::part && op.key == KeyKind::basic) return part_of_part(pass, a);
    return op.adds_up() ? summed(pass, a) : no_value;
  }

 private:
  ValueId reshape(LocalPass& pass, ValueId x, uint32_t out) const {
    if (pass.type_number(x) == out) return x;
    const uint32_t attrs = pass.edit().attrs(Attrs{to_vector(pass.type(out).shape)});
    return pass.emit(reshape_op().id, attrs, {&x, 1}, out);
  }

  ValueId reshaped(LocalPass& pass, const Application& a) const {
    if (pass.type_number(a.in[0]) == a.out[0]) return pass.in_its_layout(a.in[0]);
    const Program::Step* s = pass.view_made_by(a.in[0], ViewKind::reshaped);
    if (!s) return no_value;
    return reshape(pass, pass.input_of(*s, 0), a.out[0]);
  }

  // Whether a value of shape `from`, read where one of shape `to` was, lines up by itself.
  static bool adds_leading_ones(const Dims& from, const Dims& to) {
    if (from.size() > to.size()) return false;
    const size_t lead = to.size() - from.size();
    for (size_t i = 0; i < to.size(); ++i)
      if (i < lead ? to[i] != 1 : to[i] != from[i - lead]) return false;
    return true;
  }

  ValueId broadcast(LocalPass& pass, const Application& a) const {
    if (pass.type_number(a.in[0]) == a.out[0]) return pass.in_its_layout(a.in[0]);
    const Program::Step* s = pass.producer(a.in[0]);
    if (!s) return no_value;
    const ValueId x = s->n_in == 1 ? pass.input_of(*s, 0) : no_value;
    const ViewKind view = op_by_id(s->op).view;
    const bool through =
        view == ViewKind::broadcast ||
        (view == ViewKind::reshaped &&
         adds_leading_ones(pass.program().type_of(x).shape, pass.program().type_of(a.in[0]).shape));
    return through ? pass.in_its_layout(pass.as_type(x, a.out[0])) : no_value;
  }

  static std::vector<int64_t> permutation(const Attrs& attrs, int ndim) {
    std::vector<int64_t> perm;
    for (int i = ndim; attrs.is_none(axes_attrs::axes) && i-- > 0;) perm.push_back(i);
    if (!attrs.is_none(axes_attrs::axes))
      for (int64_t axis : axis_list(attrs, axes_attrs::axes))
        perm.push_back(normalize_axis(axis, ndim, "transpose"));
    return perm;
  }

  ValueId transposed(LocalPass& pass, const Application& a) const {
    const Program& p = pass.program();
    const int ndim = pass.type(a.out[0]).shape.ndim();
    std::vector<int64_t> perm = permutation(p.attrs[a.like.attrs], ndim);
    if (std::is_sorted(perm.begin(), perm.end())) return pass.in_its_layout(a.in[0]);
    const Program::Step* s = pass.view_made_by(a.in[0], ViewKind::permuted);
    if (!s) return ndim == 2 ? turned_product(pass, a) : no_value;
    const std::vector<int64_t> inner = permutation(p.attrs[s->attrs], ndim);
    const ValueId x = pass.input_of(*s, 0);
    for (int64_t& axis : perm) axis = inner[static_cast<size_t>(axis)];
    if (std::is_sorted(perm.begin(), perm.end())) return pass.in_its_layout(x);
    return pass.in_its_layout(
        pass.emit(a.like.op, pass.edit().attrs(Attrs{perm}), {&x, 1}, a.out[0]));
  }

  // Of a column and a row, whose transpose is the product of the column's row and the row's column.
  ValueId turned_product(LocalPass& pass, const Application& a) const {
    const Program::Step* s = pass.made_by<Multiply>(a.in[0]);
    if (!s) return no_value;
    ValueId in[] = {pass.input_of(*s, 0), pass.input_of(*s, 1)};
    for (ValueId& v : in) {
      const TensorType type = pass.program().type_of(v);
      const bool is_column = type.shape.ndim() == 2 && type.shape[1] == 1;
      if (!is_column && (type.shape.ndim() == 0 || element_count(type.shape) != type.shape.back()))
        return no_value;
      const int64_t n = element_count(type.shape);
      v = reshape(pass, v, pass.edit().type({type.dtype, is_column ? Dims{1, n} : Dims{n, 1}}));
    }
    return pass.emit<Multiply>({in[0], in[1]}, a.out[0]);
  }

  // x[2][0] is x[2, 0].
  ValueId part_of_part(LocalPass& pass, const Application& a) const {
    const Program::Step* s = pass.view_made_by(a.in[0], ViewKind::part);
    if (!s || op_by_id(s->op).key != KeyKind::basic) return no_value;
    const Program& p = pass.program();
    const std::vector<int64_t>& outer = p.attrs_of(*s).integers(index_attrs::code);
    const std::vector<int64_t>& inner = p.attrs[a.like.attrs].integers(index_attrs::code);
    const ValueId x = pass.input_of(*s, 0);
    if (IndexItems(outer).source_axes() != p.type_of(x).shape.ndim() ||
        IndexItems(inner).source_axes() != p.type_of(a.in[0]).shape.ndim())
      return no_value;
    std::optional<std::vector<int64_t>> code = key_of_both(outer, inner);
    if (!code) return no_value;
    const uint32_t attrs = pass.edit().attrs(Attrs{std::move(*code)});
    return pass.in_its_layout(pass.emit(a.like.op, attrs, {&x, 1}, a.out[0]));
  }

  // Pieces without elements add nothing to what is joined, and one piece alone is all of it.
  ValueId joined(LocalPass& pass, const Application& a) const {
    const auto has_elements = [&](ValueId v) {
      return element_count(pass.program().type_of(v).shape) > 0;
    };
    std::vector<ValueId> pieces;
    std::ranges::copy_if(a.in, std::back_inserter(pieces), has_elements);
    if (pieces.size() == 1 && pass.type_number(pieces[0]) == a.out[0]) return pieces[0];
    if (pieces.empty() || pieces.size() == a.in.size()) return no_value;
    const DType dtype = pass.type(a.out[0]).dtype;  // that of all pieces decides
    for (ValueId v : a.in)
      if (pass.program().type_of(v).dtype != dtype) return no_value;
    const ValueId found = pass.emit(a.like.op, a.like.attrs, pieces, a.out[0]);
    return pass.type(a.out[0]).shape.ndim() == 1 ? pass.in_its_layout(found) : found;
  }

  // A sum over axes of length 1 alone.
  ValueId summed(LocalPass& pass, const Application& a) const {
    const TensorType &from = pass.program().type_of(a.in[0]), &to = pass.type(a.out[0]);
    if (from.dtype != to.dtype || element_count(from.shape) != element_count(to.shape) ||
        element_count(to.shape) == 0)
      return no_value;
    return pass.in_its_layout(reshape(pass, a.in[0], a.out[0]));
  }

  // An elementwise op broadcasts by itself. Where no operand has the result's shape, the op works
  // on the smaller one.
  ValueId without_broadcasts(LocalPass& pass, const Application& a) const {
    std::array<ValueId, 3> in{};
    bool any = false;
    for (size_t i = 0; i < a.in.size(); ++i) {
      in[i] = a.in[i];
      if (const Program::Step* s = pass.view_made_by(in[i], ViewKind::broadcast)) {
        in[i] = pass.input_of(*s, 0);
        any = true;
      }
    }
    if (!any) return no_value;
    const std::span<const ValueId> now(in.data(), a.in.size());
    Dims shape;
    for (ValueId v : now) shape = broadcast_shapes(shape, pass.program().type_of(v).shape, "");
    const TensorType& out = pass.type(a.out[0]);
    if (shape == out.shape)
      return pass.in_its_layout(pass.emit(a.like.op, a.like.attrs, now, a.out[0]));
    const uint32_t smaller = pass.edit().type({out.dtype, shape});
    return pass.as_type(pass.emit(a.like.op, a.like.attrs, now, smaller), a.out[0]);
  }
};

}  // namespace

std::unique_ptr<LocalRule> view_rule() { return std::make_unique<Views>(); }

}  // namespace tapegrad
