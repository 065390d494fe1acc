#include "tapegrad/program/passes/batch/batch_axes.h"

#include <algorithm>
#include <exception>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/einsum/einsum_spec.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {
namespace {

const Op& op_of(const Program::Step& s) { return op_by_id(s.op); }

bool reshapes(const Program::Step& s) { return op_of(s).view == ViewKind::reshaped; }
bool sums(const Program::Step& s) { return op_of(s).adds_up(); }
bool has_key(const Program::Step& s) { return op_of(s).key != KeyKind::none; }

}  // namespace

BatchAxes::BatchAxes(const Program& p, int64_t n)
    : p_(p), n_(n), axis_(p.values.size(), uniform), how_(p.steps.size(), How::whole) {
  const auto is_a_length = [&](int64_t length) {
    return std::ranges::any_of(p.types, [&](const TensorType& t) {
      return std::ranges::find(t.shape, length) != t.shape.end();
    });
  };
  while (is_a_length(several_)) ++several_;
  bool found = false;
  for (ValueId v = 0; v < p.values.size(); ++v) {
    axis_[v] = guess(v);
    if (has_lanes(v) && !found && is_floating(p.type_of(v).dtype)) {
      dtype_ = p.type_of(v).dtype;
      found = true;
    }
  }
}

int BatchAxes::guess(ValueId v) const {
  const Dims& shape = p_.type_of(v).shape;
  int found = uniform;
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == n_) found = found == uniform ? static_cast<int>(i) : mixed;
  return found;
}

TensorType BatchAxes::lane_type(ValueId v, int axis, int64_t count) const {
  TensorType t = p_.type_of(v);
  if (axis >= 0) t.shape[static_cast<size_t>(axis)] = count;
  return t;
}

// Everything is computed in one dtype; masks go along, and elementwise steps convert what they
// read.
bool BatchAxes::dtypes_fit(const Program::Step& s) const {
  const Op& op = op_of(s);
  const bool folds =
      op.axes >= 0 || op.product != ProductKind::none || op.matrix_stack || op.adds_up();
  for (uint32_t j = 0; j < s.n_out; ++j)
    if (const DType d = p_.type_of(s.first_out + j).dtype; d != dtype_ && (folds || !is_bool(d)))
      return false;
  const bool converts = is_elementwise(s.op);
  for (size_t i = 0; i < s.n_in; ++i) {
    const DType d = p_.type_of(p_.in(s)[i]).dtype;
    if (d == dtype_ || is_bool(d)) continue;
    if (i > 0 && has_key(s)) continue;  // an index array
    if (!converts || dtype_ != DType::float64 || d == DType::uint64) return false;
  }
  return true;
}

bool BatchAxes::keeps_lanes_apart(const Program::Step& s) const {
  const Op& op = op_of(s);
  if (op.by_element || op.view == ViewKind::reshaped || op.view == ViewKind::broadcast ||
      op.view == ViewKind::permuted || op.join != JoinKind::none || op.adds_up())
    return true;
  if (op.product != ProductKind::none)
    return op.product == ProductKind::matrices || einsum_agrees(s);
  if (op.matrix_stack) return are_stacked(s);
  if (op.key != KeyKind::none) return has_constant_indices(s);
  if (op.axes < 0) return false;
  const AttrKey axes(static_cast<size_t>(op.axes));
  const int axis = axis_[p_.in(s)[0]], ndim = p_.type_of(p_.in(s)[0]).shape.ndim();
  return axis >= 0 && !axis_flags(p_.attrs_of(s), axes, ndim, op.name)[static_cast<size_t>(axis)];
}

bool BatchAxes::has_constant_indices(const Program::Step& s) const {
  for (size_t i = op_of(s).update == UpdateKind::none ? 1 : 2; i < s.n_in; ++i)
    if (!p_.is_constant(p_.in(s)[i]) || axis_[p_.in(s)[i]] != uniform) return false;
  return true;
}

bool BatchAxes::are_stacked(const Program::Step& s) const {
  for (ValueId v : p_.in(s))
    if (has_lanes(v) && axis_[v] >= p_.type_of(v).shape.ndim() - 2) return false;
  return true;
}

// All lanes have one label.
bool BatchAxes::einsum_agrees(const Program::Step& s) const {
  const Attrs& attrs = p_.attrs_of(s);
  std::vector<Dims> shapes;
  for (ValueId v : p_.in(s)) shapes.push_back(p_.type_of(v).shape);
  const EinsumSpec spec = parse_einsum(attrs.text(einsum_attrs::subscripts),
                                       attrs.flag_or(einsum_attrs::internal, false), shapes);
  int label = -1;
  for (size_t i = 0; i < s.n_in; ++i) {
    const int axis = axis_[p_.in(s)[i]];
    if (axis < 0) continue;
    const int own = spec.inputs[i][static_cast<size_t>(axis)];
    if (label >= 0 && own != label) return false;
    label = own;
  }
  for (size_t i = 0; i < s.n_in; ++i)  // nor is it met on another axis
    for (size_t k = 0; k < spec.inputs[i].size(); ++k)
      if (spec.inputs[i][k] == label && static_cast<int>(k) != axis_[p_.in(s)[i]] &&
          shapes[i][k] != 1)
        return false;
  return true;
}

std::optional<int> BatchAxes::axis_after_reshape(const Program::Step& s) const {
  const Dims &from = p_.type_of(p_.in(s)[0]).shape, &to = p_.type_of(s.first_out).shape;
  const auto axis = static_cast<size_t>(axis_[p_.in(s)[0]]);
  int64_t before = 1;
  for (size_t i = 0; i < axis; ++i) before *= from[i];
  int64_t own = 1;
  for (size_t j = 0; j < to.size(); own *= to[j++])
    if (own == before && to[j] == n_) return static_cast<int>(j);
  return std::nullopt;
}

// The code with the lanes' axis, which must be taken whole, of length `count`.
std::optional<Attrs> BatchAxes::with_code(const Program::Step& s, int64_t count) const {
  const Attrs& attrs = p_.attrs_of(s);
  const int axis = axis_[p_.in(s)[0]];
  std::vector<int64_t> code = attrs.integers(index_attrs::code);
  const IndexItems items(code);
  int at = p_.type_of(p_.in(s)[0]).shape.ndim() - items.source_axes();
  if (axis >= at) {
    size_t k = 0;
    for (; k < items.size(); ++k)
      if (items[k].takes_axis() && at++ == axis) break;
    const IndexItem item = items[k];
    if (item.kind != IndexKind::range || item.start != 0 || item.step != 1 || item.length != n_)
      return std::nullopt;
    code[4 * k + 3] = count;
  }
  return attrs.with(index_attrs::code, std::move(code));
}

std::optional<std::pair<uint16_t, Attrs>> BatchAxes::for_lanes(const Program::Step& s,
                                                               int64_t count) const {
  const Op& own = op_of(s);
  const auto shaped = [&](uint16_t op, int axis) {
    return std::pair{op, Attrs{to_vector(lane_type(s.first_out, axis, count).shape)}};
  };
  if (reshapes(s)) {
    const std::optional<int> axis = axis_after_reshape(s);
    if (!axis) return std::nullopt;
    return shaped(reshape_op().id, *axis);
  }
  const bool broadcasts = own.view == ViewKind::broadcast;
  if (broadcasts || (own.adds_up() && own.axes < 0)) {  // the attribute is a shape
    const ValueId x = p_.in(s)[0];
    const int out = p_.type_of(s.first_out).shape.ndim();
    const int axis =
        axis_[x] < 0 ? guess(s.first_out) : axis_[x] + out - p_.type_of(x).shape.ndim();
    const bool stays = axis >= 0 && p_.type_of(s.first_out).shape[static_cast<size_t>(axis)] == n_;
    if (broadcasts && !stays) return std::nullopt;
    return shaped(s.op, stays ? axis : uniform);
  }
  if (has_key(s) && has_lanes(p_.in(s)[0])) {
    std::optional<Attrs> attrs = with_code(s, count);
    if (!attrs) return std::nullopt;
    return std::pair{s.op, std::move(*attrs)};
  }
  return std::pair{s.op, p_.attrs_of(s)};
}

std::optional<std::vector<TensorType>> BatchAxes::made(const Program::Step& s,
                                                       int64_t count) const {
  const auto applied = for_lanes(s, count);
  if (!applied) return std::nullopt;
  std::vector<TensorType> in, out;
  for (ValueId v : p_.in(s)) in.push_back(lane_type(v, axis_[v], count));
  try {
    out = op_by_id(applied->first).infer(applied->second, in);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  if (out.size() != s.n_out) return std::nullopt;
  return out;
}

// Elementwise: lanes on different axes of a square would meet all others (A.sum(axis=1) + A).
bool BatchAxes::are_side_by_side(const Program::Step& s, int axis) const {
  const int ndim = p_.type_of(s.first_out).shape.ndim();
  return std::ranges::all_of(p_.in(s), [&](ValueId v) {
    return !has_lanes(v) || axis_[v] + ndim - p_.type_of(v).shape.ndim() == axis;
  });
}

// One lane may be repeated along an axis of others: an update of one row, say.
bool BatchAxes::works_on_several(const Program::Step& s, std::span<const int> axes) const {
  const auto out = made(s, several_);
  if (!out) return false;
  for (uint32_t j = 0; j < s.n_out; ++j)
    if ((*out)[j] != lane_type(s.first_out + j, axes[j], several_)) return false;
  return true;
}

// The place of the axis in an output, by what it is for one lane; `summed` where nothing differs.
std::optional<int> BatchAxes::axis_after(const Program::Step& s, uint32_t output,
                                         const TensorType& lane) const {
  const TensorType& whole = p_.type_of(s.first_out + output);
  if (lane.dtype != whole.dtype || lane.shape.size() != whole.shape.size()) return std::nullopt;
  int axis = summed;
  for (size_t i = 0; i < lane.shape.size(); ++i) {
    if (lane.shape[i] == whole.shape[i]) continue;
    if (lane.shape[i] != 1 || whole.shape[i] != n_ || axis != summed) return std::nullopt;
    axis = static_cast<int>(i);
  }
  return axis;
}

// Sums of lanes, of which a step makes others by moving and adding elements.
bool BatchAxes::is_linear_in_sums(const Program::Step& s) const {
  const Op& op = op_of(s);
  if (has_key(s) && !has_constant_indices(s)) return false;
  if (op.elements != ElementKind::computed) return op.view != ViewKind::broadcast;
  if (s.op != op_of_fn<Add>() && s.op != op_of_fn<Subtract>() && s.op != op_of_fn<Negative>())
    return false;
  for (ValueId v : p_.in(s))  // nor does it repeat them
    if (axis_[v] == summed && !(p_.type_of(v) == p_.type_of(s.first_out))) return false;
  return true;
}

bool BatchAxes::finish(uint32_t i, How how, std::span<const int> axes) {
  how_[i] = how;
  for (size_t j = 0; j < axes.size(); ++j)
    axis_[p_.steps[i].first_out + static_cast<ValueId>(j)] = axes[j];
  return true;
}

void BatchAxes::leave(uint32_t i) {
  const Program::Step& s = p_.steps[i];
  how_[i] = How::whole;
  for (uint32_t j = 0; j < s.n_out; ++j) axis_[s.first_out + j] = guess(s.first_out + j);
}

bool BatchAxes::take(uint32_t i) {
  const Program::Step& s = p_.steps[i];
  leave(i);
  if (s.kernel >= 0 || s.n_in == 0) return false;
  bool lanes = false, open = false;
  for (ValueId v : p_.in(s)) {
    if (axis_[v] == mixed) return false;
    lanes |= has_lanes(v);
    open |= axis_[v] == summed;
  }
  if (!dtypes_fit(s)) return false;
  std::vector<int> axes(s.n_out, summed);
  if (!lanes && open && is_linear_in_sums(s)) {
    for (uint32_t j = 0; j < s.n_out; ++j)
      if (p_.type_of(s.first_out + j).dtype != dtype_) return false;
    return finish(i, How::on_sums, axes);
  }
  const bool spreads = op_of(s).view == ViewKind::broadcast && guess(s.first_out) >= 0;
  if ((!lanes && !spreads) || !keeps_lanes_apart(s)) return false;
  const auto one = made(s, 1);
  if (!one) return false;
  bool adds = false;
  for (uint32_t j = 0; j < s.n_out; ++j) {
    const std::optional<int> axis = axis_after(s, j, (*one)[j]);
    if (!axis) return false;
    axes[j] = *axis;
    adds |= *axis == summed;
  }
  if (adds && !sums(s) && op_of(s).product == ProductKind::none) return false;
  if (is_elementwise(s.op) ? !are_side_by_side(s, axes[0]) : !works_on_several(s, axes))
    return false;
  return finish(i, adds ? How::sum : How::lanes, axes);
}

Program BatchAxes::of_lanes(int64_t count) const {
  Program q = p_;
  for (ValueId v = 0; v < q.values.size(); ++v) {
    if (!has_lanes(v)) continue;
    if (q.is_constant(v)) q.values[v].source = Source::captured;  // which has an element a lane
    q.values[v].type = static_cast<uint32_t>(q.types.size());
    q.types.push_back(lane_type(v, axis_[v], count));
  }
  for (uint32_t i = 0; i < q.steps.size(); ++i) {
    if (how_[i] != How::lanes && how_[i] != How::sum) continue;
    auto [op, attrs] = *for_lanes(p_.steps[i], count);
    if (op == q.steps[i].op && attrs == p_.attrs_of(p_.steps[i])) continue;
    q.steps[i].op = op;
    q.steps[i].attrs = static_cast<uint32_t>(q.attrs.size());
    q.attrs.push_back(std::move(attrs));
  }
  return q;
}

}  // namespace tapegrad
