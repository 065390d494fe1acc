#include "tapegrad/ops/index/index_gather.h"

#include <algorithm>
#include <utility>

#include "tapegrad/base/error.h"
#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/array/index.h"
#include "tapegrad/kernels/fused/lane_gather.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_update.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/rule.h"

// gather(x, indices...), gather_add(base, update, indices...), gather_set(base, update, indices...)
// and last_writes(indices...). The attributes are those of an advanced key in index_spec.h.

namespace tapegrad {
namespace {

constexpr AttrKey base_shape_key{2, "shape"};  // of last_writes
constexpr AttrKey axis_key{0, "axis"};         // of take_along_axis and put_along_axis

const Op *op_gather, *op_gather_add, *op_gather_set, *op_last_writes;

template <class Item>
PooledVector<Dims> shapes_of(std::span<const Item> items) {
  PooledVector<Dims> shapes;
  shapes.reserve(items.size());
  for (const Item& item : items) {
    if constexpr (std::is_same_v<Item, TensorType>) {
      shapes.push_back(item.shape);
    } else {
      shapes.push_back(item.shape());
    }
  }
  return shapes;
}

int64_t position_of(const Attrs& attrs) { return attrs.integer_or(index_attrs::position, 0); }

GatherAxes axes_of(const Attrs& attrs, const Dims& shape, const Dims& strides,
                   std::span<const Dims> index_shapes) {
  return gather_axes(attrs.integers(index_attrs::code), position_of(attrs), shape, strides,
                     index_shapes, "gather");
}

Value offsets_of(const GatherAxes& axes, const Dims& shape, std::span<const Value> indices) {
  Dims lengths;
  for (int64_t axis : axes.array_axes) lengths.push_back(shape[static_cast<size_t>(axis)]);
  return index_offsets(indices, axes.index_shape, axes.array_axes, lengths, axes.array_strides);
}

// An array with a pointer to its elements also where the value is a scalar.
Value as_array(const Value& x) { return x.is_scalar() ? x.reshaped(Dims{1}) : x; }

std::vector<TensorType> infer_gather(const Attrs& attrs, std::span<const TensorType> in) {
  const Dims strides(in[0].shape.size(), 0);
  return {{in[0].dtype, axes_of(attrs, in[0].shape, strides, shapes_of(in.subspan(1))).shape()}};
}

// Whether the key is one array that takes from the first axis, and all of the others.
bool takes_whole_rows(const GatherAxes& axes, const Value& x) {
  if (axes.array_axes.size() != 1 || axes.array_axes[0] != 0 || !axes.before.empty() ||
      axes.offset != 0)
    return false;
  const Dims shape = x.shape(), strides = x.strides();
  return std::equal(shape.begin() + 1, shape.end(), axes.after.begin(), axes.after.end()) &&
         std::equal(strides.begin() + 1, strides.end(), axes.after_strides.begin(),
                    axes.after_strides.end());
}

void eval_gather(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const Value& x = in[0];
  if (in.size() == 2 && position_of(attrs) == 0 &&
      gather_few_rows(attrs.integers(index_attrs::code), x, in[1], out[0]))
    return;
  const std::span<const Value> indices = in.subspan(1);
  const GatherAxes axes = axes_of(attrs, x.shape(), x.strides(), shapes_of(indices));
  const Dims shape = axes.shape();
  const Value packed = Value::empty(x.dtype(), shape.empty() ? Dims{1} : shape);
  if (!takes_whole_rows(axes, x) || !gather_packed(packed, x, indices[0])) {
    const Value offsets = offsets_of(axes, x.shape(), indices);
    gather_elements(
        packed, as_array(x),
        {axes.before, axes.before_strides, axes.after, axes.after_strides, axes.offset, &offsets});
  }
  out[0] = shape.empty() ? packed.view({}, {}, 0) : packed;
}

std::vector<TensorType> infer_update(const Attrs& attrs, std::span<const TensorType> in) {
  const Dims strides(in[0].shape.size(), 0);
  const GatherAxes axes = axes_of(attrs, in[0].shape, strides, shapes_of(in.subspan(2)));
  check_update(in[1], in[0].dtype, axes.shape(), "item assignment");
  return {in[0]};
}

// The update with the shape of the region, packed.
Value packed_update(const Value& update, DType dtype, const Dims& region) {
  const Value fitted = fitted_update(update, dtype, region.size());
  const Dims shape = region.empty() ? Dims{1} : region;
  if (!fitted.is_scalar() && fitted.is_contiguous() && fitted.shape() == shape) return fitted;
  const Value packed = Value::empty(dtype, shape);
  if (packed.size() != 0) set_region(packed, {shape, contiguous_strides(shape), 0}, fitted);
  return packed;
}

template <bool adds>
void eval_update(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const std::span<const Value> indices = in.subspan(2);
  const PooledVector<Dims> index_shapes = shapes_of(indices);
  const Dims shape = in[0].shape(), strides = contiguous_strides(shape);
  const GatherAxes axes = axes_of(attrs, shape, strides, index_shapes);
  check_update(type_of(in[1]), in[0].dtype(), axes.shape(), "item assignment");
  const Value offsets = offsets_of(axes, shape, indices);
  const Value update = packed_update(in[1], in[0].dtype(), axes.shape());
  out[0] = std::move(in[0]);
  out[0].ensure_owned();
  const Value target = as_array(out[0]);
  const GatherView view{axes.before,        axes.before_strides, axes.after,
                        axes.after_strides, axes.offset,         &offsets};
  if (adds) {
    scatter_add(target, view, update);
  } else {
    scatter_set(target, view, update);
  }
  if (out[0].is_scalar()) out[0] = target.view({}, {}, 0);
}

std::vector<Ref> indices_of(VjpContext& ctx, int first) {
  std::vector<Ref> indices;
  for (int i = first; i < ctx.n_in(); ++i) indices.push_back(ctx.in(i));
  return indices;
}

std::vector<Ref> with_indices(std::vector<Ref> head, std::span<const Ref> indices) {
  head.insert(head.end(), indices.begin(), indices.end());
  return head;
}

Ref apply_one(const Op& op, const Attrs& attrs, std::vector<Ref> inputs) {
  return std::move(apply(op, attrs, std::move(inputs))[0]);
}

void vjp_gather(VjpContext& ctx) {
  if (!ctx.needs(0)) return;
  ctx.add_in_place(0, *op_gather_add, ctx.attrs(),
                   with_indices(operands(ctx.take_ct()), indices_of(ctx, 1)));
}

void vjp_gather_add(VjpContext& ctx) {
  if (ctx.needs(1)) {
    const Ref region =
        apply_one(*op_gather, ctx.attrs(), with_indices(operands(ctx.ct()), indices_of(ctx, 2)));
    ctx.add(1, unfitted_update(region, ctx.in_shape(1)));
  }
  if (ctx.needs(0)) ctx.add(0, ctx.take_ct());
}

// last_writes (code, position, shape of the base): one bool for each index tuple, with the axes
// that follow in the region; true where no later one writes to the same place.
GatherAxes axes_of_writes(const Attrs& attrs, std::span<const Dims> index_shapes) {
  const Dims shape = to_dims(attrs.integers(base_shape_key));
  return axes_of(attrs, shape, contiguous_strides(shape), index_shapes);
}

Dims mask_shape(const GatherAxes& axes) {
  Dims shape = axes.index_shape;
  for (size_t i = 0; i < axes.after.size(); ++i) shape.push_back(1);
  return shape;
}

std::vector<TensorType> infer_last_writes(const Attrs& attrs, std::span<const TensorType> in) {
  return {{DType::bool_, mask_shape(axes_of_writes(attrs, shapes_of(in)))}};
}

Value last_writes(const Attrs& attrs, std::span<const Value> indices, bool* all) {
  const GatherAxes axes = axes_of_writes(attrs, shapes_of(indices));
  const Value last =
      last_occurrences(offsets_of(axes, to_dims(attrs.integers(base_shape_key)), indices), all);
  return last.reshaped(mask_shape(axes));
}

void eval_last_writes(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  bool all = false;
  out[0] = last_writes(attrs, in, &all);
}

// Zero where a later index wrote to the same place: that part of the update did not reach the
// output.
Ref only_last_writes(const VjpContext& ctx, const Ref& region, std::span<const Ref> indices) {
  const Attrs attrs{ctx.attrs()[index_attrs::code], position_of(ctx.attrs()),
                    to_vector(ctx.in_shape(0))};
  const auto is_one = [](const Ref& r) { return r.size() == 1; };
  if (std::all_of(indices.begin(), indices.end(), is_one)) return region;  // no other index
  const Ref zero = Value::scalar(0.0, region.dtype());
  std::vector<Value> values;
  for (const Ref& r : indices) {
    if (r.tracked())  // other indices may come
      return where(apply_one(*op_last_writes, attrs, {indices.begin(), indices.end()}), region,
                   zero);
    values.push_back(r.value());
  }
  bool all = false;
  const Value last = last_writes(attrs, values, &all);
  return all ? region : where(last, region, zero);
}

void vjp_gather_set(VjpContext& ctx) {
  const std::vector<Ref> indices = indices_of(ctx, 2);
  if (ctx.needs(1)) {
    const Ref region =
        apply_one(*op_gather, ctx.attrs(), with_indices(operands(ctx.ct()), indices));
    ctx.add(1, unfitted_update(only_last_writes(ctx, region, indices), ctx.in_shape(1)));
  }
  if (ctx.needs(0)) {
    const Ref zero = Value::scalar(0.0, ctx.in_type(0).dtype);
    ctx.add(0, apply_one(*op_gather_set, ctx.attrs(),
                         with_indices(operands(ctx.take_ct(), zero), indices)));
  }
}

// A constant that follows from the lengths of axes, as a function that is being recorded shows it.
Ref made_by_rule(Value value) {
  Tape& tape = Tape::current();
  if (!tape.tracing()) return value;
  const RuleSection section(tape);
  return Ref::adopt(&tape, tape.constant(std::move(value)));
}

// Index arrays that are arange along each axis but one, and a spec that takes them all.
std::vector<Ref> along_axis(const char* op, const Dims& shape, const Ref& indices, int axis,
                            IndexSpec* spec) {
  if (indices.ndim() != shape.ndim())
    throw_error<ValueError>(
        op, ": `indices` and `arr` must have the same number of dimensions, got shapes ",
        indices.shape(), " and ", shape, "; use np.expand_dims(indices, axis)");
  if (!is_integer(indices.dtype()))
    throw_error<IndexError>(op, ": `indices` must be an integer array, got ",
                            dtype_name(indices.dtype()));
  axis = normalize_axis(axis, shape.ndim(), op);
  std::vector<Ref> arrays;
  for (int d = 0; d < shape.ndim(); ++d) {
    spec->array();
    if (d == axis) {
      arrays.push_back(cast(indices, DType::int64));
      continue;
    }
    Dims counting(shape.size(), 1);
    counting[static_cast<size_t>(d)] = shape[static_cast<size_t>(d)];
    Value positions = Value::empty(DType::int64, counting);
    for (int64_t i = 0; i < positions.size(); ++i) positions.data<int64_t>()[i] = i;
    arrays.push_back(made_by_rule(std::move(positions)));
  }
  return arrays;
}

std::vector<Ref> compose_take(const Attrs& attrs, std::span<const Ref> in) {
  return operands(take_along_axis(in[0], in[1], static_cast<int>(attrs.integer(axis_key))));
}

std::vector<Ref> compose_put(const Attrs& attrs, std::span<const Ref> in) {
  return operands(put_along_axis(in[0], in[1], in[2], static_cast<int>(attrs.integer(axis_key))));
}

bool expand_gather_add(ExpandContext& c) { return expand_add_to_part(c, gather_op()); }

}  // namespace

const Op& gather_op() { return *op_gather; }
const Op& gather_add_op() { return *op_gather_add; }
const Op& gather_set_op() { return *op_gather_set; }

void register_gather_ops() {
  const std::vector<AttrDeclaration> declared{
      {index_attrs::code, attr_kind::integers},
      {index_attrs::position, attr_kind::integer, Attr{int64_t{0}}}};
  constexpr ReadMask indices_after_1 = reads_all_inputs & ~reads_in(0);
  constexpr ReadMask indices_after_2 = indices_after_1 & ~reads_in(1);
  op_gather = &register_op({.name = "gather",
                            .n_in = -1,
                            .attrs = declared,
                            .infer = infer_gather,
                            .eval = eval_gather,
                            .vjp = vjp_gather,
                            .lanes = lanes_gather,
                            .reads = {indices_after_1},
                            .linear = true,
                            .elements = ElementKind::moved,
                            .key = KeyKind::arrays,
                            .by_region = true,
                            .summary = "x[key] with index arrays"});
  Op update{.name = "gather_add",
            .n_in = -1,
            .attrs = declared,
            .infer = infer_update,
            .eval = eval_update<true>,
            .vjp = vjp_gather_add,
            .lanes = lanes_gather,
            .expand = expand_gather_add,
            .expand_keeps_bits = true,
            .reads = {indices_after_2},
            .linear = true,
            .elements = ElementKind::added,
            .key = KeyKind::arrays,
            .update = UpdateKind::add,
            .in_place = true,
            .by_region = true,
            .summary = "base with base[key] += update, duplicates added"};
  op_gather_add = &register_op(update);
  update.name = "gather_set";
  update.eval = eval_update<false>;
  update.vjp = vjp_gather_set;
  update.expand = nullptr;
  update.elements = ElementKind::moved;
  update.update = UpdateKind::set;
  update.summary = "base with base[key] = update, the last of duplicates stays";
  op_gather_set = &register_op(update);
  op_last_writes =
      &register_op({.name = "last_writes",
                    .n_in = -1,
                    .attrs = {declared[0], declared[1], {base_shape_key, attr_kind::integers}},
                    .infer = infer_last_writes,
                    .eval = eval_last_writes,
                    .vjp = [](VjpContext&) {},
                    .jvp = [](JvpContext&) {},
                    .summary = "which index is the last to write to its place"});
  register_op({.name = "take_along_axis",
               .n_in = 2,
               .attrs = {{axis_key, attr_kind::axis}},
               .compose = compose_take,
               .summary = "numpy.take_along_axis(x, indices, axis)"});
  register_op({.name = "put_along_axis",
               .n_in = 3,
               .attrs = {{axis_key, attr_kind::axis}},
               .compose = compose_put,
               .summary = "base after numpy.put_along_axis(base, indices, update, axis)"});
}

Ref gather(const Ref& x, const IndexSpec& spec, std::span<const Ref> indices) {
  if (indices.size() == 1) return apply(*op_gather, spec.attrs(), {x, indices[0]});
  return apply_one(*op_gather, spec.attrs(), with_indices(operands(x), indices));
}

Ref gather_add(Ref base, const IndexSpec& spec, Ref update, std::span<const Ref> indices) {
  return apply_one(*op_gather_add, spec.attrs(),
                   with_indices(operands(std::move(base), std::move(update)), indices));
}

Ref gather_set(Ref base, const IndexSpec& spec, Ref update, std::span<const Ref> indices) {
  if (indices.size() == 1) {
    Ref inputs[] = {std::move(base), std::move(update), indices[0]};
    return apply_few(*op_gather_set, spec.attrs(), inputs);
  }
  return apply_one(*op_gather_set, spec.attrs(),
                   with_indices(operands(std::move(base), std::move(update)), indices));
}

void check_set_index(const TensorType& base, const IndexSpec& spec, const TensorType& update,
                     std::span<const Ref> indices) {
  const Dims& shape = base.shape;
  const Dims strides(shape.size(), 0);
  if (is_element(spec.code, shape))
    return check_update(update, base.dtype, Dims(), "item assignment");
  if (spec.is_basic()) {
    const Region region = region_of(spec.code, shape, strides, "item assignment");
    check_update(update, base.dtype, region.shape, "item assignment");
    return;
  }
  std::vector<Value> values;
  for (const Ref& r : indices) values.push_back(r.value());
  const PooledVector<Dims> index_shapes = shapes_of(std::span<const Value>(values));
  const GatherAxes axes =
      gather_axes(spec.code, spec.position, shape, strides, index_shapes, "item assignment");
  check_update(update, base.dtype, axes.shape(), "item assignment");
  offsets_of(axes, shape, values);
}

Ref take_along_axis(const Ref& x, const Ref& indices, int axis) {
  IndexSpec spec;
  const std::vector<Ref> arrays = along_axis("take_along_axis", x.shape(), indices, axis, &spec);
  return gather(x, spec, arrays);
}

Ref put_along_axis(Ref base, const Ref& indices, Ref update, int axis) {
  IndexSpec spec;
  const std::vector<Ref> arrays = along_axis("put_along_axis", base.shape(), indices, axis, &spec);
  return gather_set(std::move(base), spec, std::move(update), arrays);
}

}  // namespace tapegrad
