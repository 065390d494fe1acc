#include <algorithm>
#include <iterator>
#include <optional>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/index/index.h"
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
    if (op.join == JoinKind::stack) return stacked(pass, a);
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

  // An entry of the first axis of an array.
  struct Entry {
    ValueId array;
    int64_t at;
  };
  static std::optional<Entry> entry(const LocalPass& pass, ValueId v) {
    const Program::Step* s = pass.producer(v);
    if (!s || is_elementwise(s->op) || s->n_in != 1) return std::nullopt;
    const Op& op = op_by_id(s->op);
    if (op.key != KeyKind::basic || op.update != UpdateKind::none) return std::nullopt;
    const ValueId array = pass.input_of(*s, 0);
    const Dims& shape = pass.program().type_of(array).shape;
    const IndexItems items(pass.program().attrs[s->attrs].integers(index_attrs::code));
    if (items.size() == 0 || static_cast<int>(items.size()) != shape.ndim() ||
        items[0].kind != IndexKind::at)
      return std::nullopt;
    for (size_t k = 1; k < items.size(); ++k)
      if (items[k].kind != IndexKind::range || items[k].step != 1 || items[k].length != shape[k])
        return std::nullopt;
    return Entry{array, items[0].start};
  }

  // The entries of one array, or of a few in turns, each evenly: they are ranges.
  ValueId stacked(LocalPass& pass, const Application& a) const {
    constexpr size_t least = 8, most_arrays = 4;
    const TensorType to = pass.type(a.out[0]);
    if (a.in.size() < least) return no_value;
    const int64_t axis = pass.program().attrs[a.like.attrs].integer(join_attrs::axis);
    if (normalize_axis(axis, to.shape.ndim(), op_by_id(a.like.op).name) > 0) return no_value;
    std::vector<Entry> entries;
    for (ValueId v : a.in) {
      const std::optional<Entry> found = entry(pass, v);
      if (!found || pass.program().type_of(v).dtype != to.dtype) return no_value;
      entries.push_back(*found);
    }
    for (size_t m = 1; m <= most_arrays; ++m)
      if (entries.size() % m == 0 && entries.size() >= 2 * m && go_in_turns(entries, m))
        return pass.in_its_layout(ranges(pass, entries, m, to, a.out[0]));
    return no_value;
  }

  static bool go_in_turns(const std::vector<Entry>& entries, size_t m) {
    for (size_t i = m; i < entries.size(); ++i) {
      const Entry &first = entries[i % m], &second = entries[m + i % m], &before = entries[i - m];
      if (entries[i].array != first.array || second.at == first.at ||
          entries[i].at - before.at != second.at - first.at)
        return false;
    }
    return true;
  }

  static ValueId ranges(LocalPass& pass, const std::vector<Entry>& entries, size_t m,
                        const TensorType& to, uint32_t out) {
    const auto n = static_cast<int64_t>(entries.size() / m);
    Dims shape = to.shape;
    shape[0] = n;
    const uint32_t part = pass.edit().type({to.dtype, shape});
    std::vector<ValueId> parts;
    for (size_t j = 0; j < m; ++j) {
      const Dims own = pass.program().type_of(entries[j].array).shape;
      const int64_t step = entries[m + j].at - entries[j].at;
      const uint32_t key =
          pass.edit().attrs(IndexSpec::along(own, 0, entries[j].at, step, n).attrs());
      const Op& op = m == 1 ? slice_copy_op() : slice_op();
      parts.push_back(pass.emit(op.id, key, {&entries[j].array, 1}, part));
    }
    if (m == 1) return parts[0];
    Dims wide{n, static_cast<int64_t>(m)};
    for (size_t k = 1; k < to.shape.size(); ++k) wide.push_back(to.shape[k]);
    const ValueId both = pass.emit(stack_op().id, pass.edit().attrs(Attrs{int64_t{1}}), parts,
                                   pass.edit().type({to.dtype, wide}));
    return pass.emit(reshape_op().id, pass.edit().attrs(Attrs{to_vector(to.shape)}), {&both, 1},
                     out);
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
