#include "tapegrad/ops/index/index.h"

#include <optional>
#include <utility>

#include "tapegrad/kernels/array/index.h"
#include "tapegrad/ops/index/index_gather.h"
#include "tapegrad/ops/index/index_update.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/tape/data_values.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/rule.h"

namespace tapegrad {
namespace {

const Op *op_slice, *op_slice_copy, *op_slice_add, *op_slice_set;

std::span<const int64_t> dims_of(const Value& x) {
  if (x.is_scalar()) return {};
  return {x.layout()->dims(), static_cast<size_t>(x.ndim())};
}

std::span<const int64_t> strides_of(const Value& x) {
  if (x.is_scalar()) return {};
  return {x.layout()->strides(), static_cast<size_t>(x.ndim())};
}

// Where the element lies that a key takes; nothing for every other key.
std::optional<int64_t> element_position(std::span<const int64_t> code, const Value& x) {
  if (!is_element(code, dims_of(x))) return std::nullopt;
  int64_t position = 0;
  for (size_t k = 0; 4 * k < code.size(); ++k) position += code[4 * k + 1] * strides_of(x)[k];
  return position;
}

Region region_in(const std::vector<int64_t>& code, const Value& x, const char* op) {
  if (const auto at = element_position(code, x)) return {{}, {}, *at};
  return region_of(code, dims_of(x), strides_of(x), op);
}

// A view of a small part would keep all of x alive, and while it lives each write to x would copy
// it: x[t] = f(x[t - 1]) over the rows of x must cost O(size of x).
bool worth_copying(const Value& x, int64_t size) {
  return size <= x.size() / (size <= 1024 ? 2 : 8);
}

Value slice_of(const Value& x, const Region& region, bool always_copy) {
  if (x.is_scalar()) return x.reshaped(region.shape);
  if (always_copy || worth_copying(x, element_count(region.shape)))
    return copy_region(x, {region.shape, region.strides, region.offset});
  return x.view(region.shape, region.strides, region.offset);
}

template <bool always_copy>
void eval_slice(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const std::vector<int64_t>& code = attrs.integers(index_attrs::code);
  const Value& x = in[0];
  if (const auto at = element_position(code, x)) {
    out[0] = x.view({}, {}, *at);
    return;
  }
  out[0] = slice_of(x, region_of(code, dims_of(x), strides_of(x), "slice"), always_copy);
}

std::vector<TensorType> infer_slice(const Attrs& attrs, std::span<const TensorType> in) {
  const Dims strides(in[0].shape.size(), 0);
  return {{in[0].dtype,
           region_of(attrs.integers(index_attrs::code), in[0].shape, strides, "slice").shape}};
}

void vjp_slice(VjpContext& ctx) {
  if (ctx.needs(0)) ctx.add_in_place(0, *op_slice_add, ctx.attrs(), operands(ctx.take_ct()));
}

std::vector<TensorType> infer_update(const Attrs& attrs, std::span<const TensorType> in) {
  const std::vector<int64_t>& code = attrs.integers(index_attrs::code);
  const Dims strides(in[0].shape.size(), 0);
  const Dims part = is_element(code, in[0].shape)
                        ? Dims()
                        : region_of(code, in[0].shape, strides, "slice_set").shape;
  check_update(in[1], in[0].dtype, part, "item assignment");
  return {in[0]};
}

void write_region(const Value& base, const Region& region, const Value& update, bool adds) {
  const Value fitted = fitted_update(update, base.dtype(), region.shape.size());
  const RegionView view{region.shape, region.strides, region.offset};
  if (adds) {
    add_region(base, view, fitted);
  } else {
    set_region(base, view, fitted);
  }
}

template <bool adds>
void eval_update(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const std::vector<int64_t>& code = attrs.integers(index_attrs::code);
  Region region = region_in(code, in[0], "slice_set");
  check_update(type_of(in[1]), in[0].dtype(), region.shape, "item assignment");
  out[0] = std::move(in[0]);
  if (out[0].is_scalar()) {
    Value one = out[0].reshaped(Dims{1});
    write_region(one, {{1}, {1}, 0}, in[1].reshaped(Dims{1}), adds);
    out[0] = one.view({}, {}, 0);
    return;
  }
  if (!out[0].owns_buffer() || !out[0].is_contiguous()) {
    out[0].ensure_owned();  // may change the strides
    region = region_in(code, out[0], "slice_set");
  }
  write_region(out[0], region, in[1], adds);
}

// The region of the cotangent goes to the update. Where the base wants the rest of it in place, the
// region is copied out first.
void give_region(VjpContext& ctx) {
  if (!ctx.needs(1)) return;
  const Op& read = ctx.needs(0) ? *op_slice_copy : *op_slice;
  ctx.add(1, unfitted_update(apply(read, ctx.attrs(), {ctx.ct()}), ctx.in_shape(1)));
}

void vjp_slice_add(VjpContext& ctx) {
  give_region(ctx);
  if (ctx.needs(0)) ctx.add(0, ctx.take_ct());
}

void vjp_slice_set(VjpContext& ctx) {
  give_region(ctx);
  if (!ctx.needs(0)) return;
  Ref in[] = {ctx.take_ct(), Value::scalar(0.0, ctx.in_type(0).dtype)};
  ctx.add(0, apply_few(*op_slice_set, ctx.attrs(), in));
}

// What is written broadcasts against the region of one lane.
std::vector<Ref> lanes_update(const LanesCall& call) {
  const IndexSpec spec = IndexSpec::from(call.attrs);
  const int ndim = result_shape(spec, call.in_types[0].shape).ndim();
  return apply(call.op, call.attrs,
               std::vector<Ref>{with_lanes(call, 0), aligned_lanes(call, 1, ndim)});
}

bool expand_slice_add(ExpandContext& c) { return expand_add_to_part(c, slice_op()); }

}  // namespace

const Op& slice_op() { return *op_slice; }
const Op& slice_copy_op() { return *op_slice_copy; }
const Op& slice_add_op() { return *op_slice_add; }
const Op& slice_set_op() { return *op_slice_set; }

void register_index_ops() {
  const std::vector<AttrDeclaration> declared{{index_attrs::code, attr_kind::integers}};
  Op slice{.name = "slice",
           .attrs = declared,
           .infer = infer_slice,
           .eval = eval_slice<false>,
           .vjp = vjp_slice,
           .lanes = apply_stacked,
           .linear = true,
           .view = ViewKind::part,
           .shares = MemorySharing::view,
           .elements = ElementKind::moved,
           .key = KeyKind::basic,
           .by_region = true,
           .summary = "x[key], a view; the code of a basic key as in index_spec.h"};
  op_slice = &register_op(slice);
  slice.name = "slice_copy";
  slice.eval = eval_slice<true>;
  slice.view = ViewKind::none;
  slice.shares = MemorySharing::none;
  slice.summary = "x[key] in a buffer of its own";
  op_slice_copy = &register_op(slice);
  Op update{.name = "slice_add",
            .n_in = 2,
            .attrs = declared,
            .infer = infer_update,
            .eval = eval_update<true>,
            .vjp = vjp_slice_add,
            .lanes = lanes_update,
            .expand = expand_slice_add,
            .expand_keeps_bits = true,
            .linear = true,
            .elements = ElementKind::added,
            .key = KeyKind::basic,
            .update = UpdateKind::add,
            .in_place = true,
            .by_region = true,
            .summary = "base with base[key] += update"};
  op_slice_add = &register_op(update);
  update.name = "slice_set";
  update.eval = eval_update<false>;
  update.vjp = vjp_slice_set;
  update.expand = nullptr;
  update.elements = ElementKind::moved;
  update.update = UpdateKind::set;
  update.summary = "base with base[key] = update";
  op_slice_set = &register_op(update);
  register_gather_ops();
  register_composed_index_ops();
}

Ref slice_region(const Ref& x, const Attrs& attrs, const Region& region) {
  const std::span<const Ref> inputs(&x, 1);
  Value part = region.shape.empty() ? x.value().view({}, {}, region.offset)
                                    : slice_of(x.value(), region, false);
  Tape* const tape = recording_tape(*op_slice, inputs);
  if (tape == nullptr || !is_recorded(*tape, part.dtype())) return Ref(std::move(part));
  return record_single(*tape, *op_slice, attrs, inputs, std::move(part));
}

Ref slice(const Ref& x, const IndexSpec& spec) { return apply(*op_slice, spec.attrs(), {x}); }

Ref slice_copy(const Ref& x, const IndexSpec& spec) {
  return apply(*op_slice_copy, spec.attrs(), {x});
}

Ref slice_add(Ref base, const IndexSpec& spec, Ref update) {
  Ref inputs[] = {std::move(base), std::move(update)};
  return apply_few(*op_slice_add, spec.attrs(), inputs);
}

Ref slice_set(Ref base, const IndexSpec& spec, Ref update) {
  Ref inputs[] = {std::move(base), std::move(update)};
  return apply_few(*op_slice_set, spec.attrs(), inputs);
}

Ref get_index(const Ref& x, const IndexSpec& spec, std::span<const Ref> indices) {
  return spec.is_basic() ? slice(x, spec) : gather(x, spec, indices);
}

Ref set_index(Ref base, const IndexSpec& spec, Ref update, std::span<const Ref> indices) {
  return spec.is_basic() ? slice_set(std::move(base), spec, std::move(update))
                         : gather_set(std::move(base), spec, std::move(update), indices);
}

}  // namespace tapegrad
