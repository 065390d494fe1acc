#include "tapegrad/kernels/fourier/fourier.h"

#include "tapegrad/base/promotion.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

// fourier            (re, im) -> (re, im): X_k = scale sum_j x_j exp(-2 pi i j k / n)
// real_fourier       x -> (re, im): the same of real x, as much of it as `spectrum` tells
// real_fourier_back  (re, im) -> x: the transpose of that
//
// The matrix of a transform is symmetric, so that its transpose over pairs of real arrays is the
// transform with the other sign; a transform of real arrays and the way back are each other's
// transposes whatever their attributes are. np.fft.rfft is real_fourier by `half`, np.fft.irfft is
// real_fourier_back by `doubled` (whose gradient counts the inner elements twice), both with the
// sign that is not that of an inverse.

namespace tapegrad {
namespace {

constexpr AttrKey axis_key{0, "axis"}, n_key{1, "n"}, inverse_key{2, "is_inverse"},
    scale_key{3, "scale"}, spectrum_key{4, "spectrum"};

const Op *op_fourier, *op_real, *op_back;

std::vector<AttrDeclaration> declarations(bool has_spectrum) {
  std::vector<AttrDeclaration> all = {{axis_key, attr_kind::axis},
                                      {n_key, attr_kind::integer},
                                      {inverse_key, attr_kind::flag, Attr{false}},
                                      {scale_key, attr_kind::real, Attr{1.0}}};
  if (has_spectrum) all.push_back({spectrum_key, attr_kind::integer, Attr{int64_t{0}}});
  return all;
}

Spectrum spectrum_of(const Attrs& attrs) {
  const int64_t code = attrs.integer_or(spectrum_key, 0);
  if (code < 0 || code > 2)
    throw_error<ValueError>("real_fourier: spectrum is ", code, ", not 0, 1 or 2");
  return static_cast<Spectrum>(code);
}

FourierAxis along_of(const Attrs& attrs, int ndim, const char* op) {
  const int64_t n = attrs.integer(n_key);
  if (n < 1)
    throw_error<ValueError>(op, ": Invalid number of FFT data points (", n, ") specified.");
  return {normalize_axis(attrs.integer(axis_key), ndim, op), n, attrs.flag_or(inverse_key, false),
          attrs.is_none(scale_key) ? 1.0 : attrs.real(scale_key)};
}

DType dtype_of(std::span<const TensorType> in) {
  DType dtype = in[0].dtype;
  for (const TensorType& t : in) dtype = promote(dtype, t.dtype);
  return linalg_dtype(dtype);
}

void require_pair(std::span<const TensorType> in, const char* op) {
  if (in[0].shape != in[1].shape)
    throw_error<ValueError>(op, ": the real parts have shape ", in[0].shape,
                            ", the imaginary ones ", in[1].shape);
}

// All in one dtype; throws where `infer` does.
std::vector<Value> converted(const Attrs& attrs, std::span<Value> in,
                             std::vector<TensorType> (*infer)(const Attrs&,
                                                              std::span<const TensorType>)) {
  std::vector<TensorType> types;
  for (const Value& v : in) types.push_back(type_of(v));
  const DType dtype = infer(attrs, types)[0].dtype;
  std::vector<Value> all;
  for (const Value& v : in) all.push_back(v.cast(dtype));
  return all;
}

TensorType with_length(std::span<const TensorType> in, int axis, int64_t n) {
  Dims shape = in[0].shape;
  shape[static_cast<size_t>(axis)] = n;
  return {dtype_of(in), shape};
}

// The same axis with another length: cut, or filled up with zeros.
Ref fit(const Ref& x, int axis, int64_t length) {
  const Dims shape = x.shape();
  const auto at = static_cast<size_t>(axis);
  if (shape[at] == length) return x;
  std::vector<int64_t> first(shape.size(), 0), lengths = to_vector(shape);
  if (length < shape[at]) {
    lengths[at] = length;
    return crop(x, first, lengths);
  }
  std::vector<int64_t> widths(2 * shape.size(), 0);
  widths[2 * at + 1] = length - shape[at];
  return pad_constant(x, widths);
}

Attrs turned(const Attrs& attrs) {
  return attrs.with(inverse_key, Attr{!attrs.flag_or(inverse_key, false)});
}

Attrs of_whole(const Attrs& attrs) {
  return {attrs[axis_key], attrs[n_key], attrs[inverse_key], attrs[scale_key],
          static_cast<int64_t>(Spectrum::whole)};
}

Ref ct_or_zeros(VjpContext& ctx, int j) {
  if (ctx.has_ct(j)) return ctx.ct(j);
  const TensorType type = ctx.out_type(j);
  return Ref(Value::zeros(type.dtype, type.shape));
}

std::vector<TensorType> infer_fourier(const Attrs& attrs, std::span<const TensorType> in) {
  require_pair(in, "fourier");
  const FourierAxis along = along_of(attrs, in[0].shape.ndim(), "fourier");
  const TensorType type = with_length(in, along.axis, along.n);
  return {type, type};
}

void eval_fourier(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const std::vector<Value> x = converted(attrs, in, infer_fourier);
  fourier_values(x[0], x[1], along_of(attrs, x[0].ndim(), "fourier"), out[0], out[1]);
}

// Where one part of the cotangent or of the input does not count, half the work will do.
void vjp_fourier(VjpContext& ctx) {
  const Attrs back = turned(ctx.attrs());
  const int axis = along_of(back, ctx.in_shape(0).ndim(), "fourier").axis;
  const int64_t length = ctx.in_shape(0)[static_cast<size_t>(axis)];
  if (!ctx.needs(1)) {
    const Attrs same = of_whole(ctx.attrs());
    ctx.add(0,
            fit(apply(*op_back, same, {ct_or_zeros(ctx, 0), ct_or_zeros(ctx, 1)}), axis, length));
    return;
  }
  const std::vector<Ref> adjoints =
      ctx.has_ct(1) ? apply(*op_fourier, back, std::vector<Ref>{ct_or_zeros(ctx, 0), ctx.ct(1)})
                    : apply(*op_real, of_whole(back), std::vector<Ref>{ctx.ct(0)});
  if (ctx.needs(0)) ctx.add(0, fit(adjoints[0], axis, length));
  ctx.add(1, fit(adjoints[1], axis, length));
}

std::vector<TensorType> infer_real(const Attrs& attrs, std::span<const TensorType> in) {
  const FourierAxis along = along_of(attrs, in[0].shape.ndim(), "real_fourier");
  const TensorType type = with_length(in, along.axis, spectrum_length(spectrum_of(attrs), along.n));
  return {type, type};
}

void eval_real(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const std::vector<Value> x = converted(attrs, in, infer_real);
  real_fourier_values(x[0], spectrum_of(attrs), along_of(attrs, x[0].ndim(), "real_fourier"),
                      out[0], out[1]);
}

void vjp_real(VjpContext& ctx) {
  const Dims shape = ctx.in_shape(0);
  const int axis = along_of(ctx.attrs(), shape.ndim(), "real_fourier").axis;
  const Ref back = apply(*op_back, ctx.attrs(), {ct_or_zeros(ctx, 0), ct_or_zeros(ctx, 1)});
  ctx.add(0, fit(back, axis, shape[static_cast<size_t>(axis)]));
}

std::vector<TensorType> infer_back(const Attrs& attrs, std::span<const TensorType> in) {
  require_pair(in, "real_fourier_back");
  spectrum_of(attrs);
  const FourierAxis along = along_of(attrs, in[0].shape.ndim(), "real_fourier_back");
  return {with_length(in, along.axis, along.n)};
}

void eval_back(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const std::vector<Value> x = converted(attrs, in, infer_back);
  real_fourier_back_values(x[0], x[1], spectrum_of(attrs),
                           along_of(attrs, x[0].ndim(), "real_fourier_back"), out[0]);
}

void vjp_back(VjpContext& ctx) {
  const Dims shape = ctx.in_shape(0);
  const int axis = along_of(ctx.attrs(), shape.ndim(), "real_fourier_back").axis;
  const std::vector<Ref> adjoints = apply(*op_real, ctx.attrs(), std::vector<Ref>{ctx.ct()});
  for (int i = 0; i < 2; ++i)
    if (ctx.needs(i))
      ctx.add(i, fit(adjoints[static_cast<size_t>(i)], axis, shape[static_cast<size_t>(axis)]));
}

}  // namespace

void register_fourier_ops() {
  op_fourier = &register_op({.name = "fourier",
                             .n_in = 2,
                             .n_out = 2,
                             .attrs = declarations(false),
                             .infer = infer_fourier,
                             .eval = eval_fourier,
                             .vjp = vjp_fourier,
                             .linear = true,
                             .axes = axis_key.index,
                             .summary = "Fourier transform along an axis, of n points"});
  op_real = &register_op({.name = "real_fourier",
                          .n_out = 2,
                          .attrs = declarations(true),
                          .infer = infer_real,
                          .eval = eval_real,
                          .vjp = vjp_real,
                          .linear = true,
                          .axes = axis_key.index,
                          .summary = "Fourier transform of real arrays along an axis"});
  op_back = &register_op({.name = "real_fourier_back",
                          .n_in = 2,
                          .attrs = declarations(true),
                          .infer = infer_back,
                          .eval = eval_back,
                          .vjp = vjp_back,
                          .linear = true,
                          .axes = axis_key.index,
                          .summary = "transpose of real_fourier"});
}

}  // namespace tapegrad
