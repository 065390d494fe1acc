#include "tapegrad/kernels/sparse/sparse.h"

#include "tapegrad/base/promotion.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/tape/rule.h"

// y_i = sum of data_p x_(c_p) over the elements p with r_p = i. It is linear in data and in x; the
// transposes are a sample s_p = u_(r_p) . v_(c_p) of what two arrays have in their rows, with u the
// cotangent and v = x, and the product with rows and columns exchanged. Those of the sample are two
// such products.

namespace tapegrad {
namespace {

constexpr AttrKey n_rows_key{0, "n_rows"};

const Op* op_product;
const Op* op_sample;

Ref product(const Ref& data, const Ref& x, const Ref& rows, const Ref& columns, int64_t n_rows) {
  return apply(*op_product, {n_rows}, {data, x, rows, columns});
}

Ref sample(const Ref& u, const Ref& v, const Ref& rows, const Ref& columns) {
  return apply(*op_sample, {}, {u, v, rows, columns});
}

DType float_dtype(std::span<const TensorType> in) {
  return linalg_dtype(promote(in[0].dtype, in[1].dtype));
}

bool are_places(const TensorType& rows, const TensorType& columns) {
  return is_integer(rows.dtype) && is_integer(columns.dtype) && rows.shape.ndim() == 1 &&
         rows.shape == columns.shape;
}

std::vector<TensorType> infer_product(const Attrs& attrs, std::span<const TensorType> in) {
  const Dims& x = in[1].shape;
  if (!are_places(in[2], in[3]) || in[0].shape != in[2].shape || x.empty() || x.size() > 2)
    throw_error<ValueError>("sparse_product: elements of shape ", in[0].shape, " at rows of shape ",
                            in[2].shape, " and columns of shape ", in[3].shape,
                            " with an array of shape ", x,
                            "; give vectors of one length, and a vector or a matrix");
  Dims shape = x;
  shape[0] = attrs.integer(n_rows_key);
  return {{float_dtype(in), shape}};
}

std::vector<TensorType> infer_sample(const Attrs&, std::span<const TensorType> in) {
  const Dims &u = in[0].shape, &v = in[1].shape;
  if (!are_places(in[2], in[3]) || u.empty() || u.size() > 2 || u.size() != v.size() ||
      (u.size() == 2 && u[1] != v[1]))
    throw_error<ValueError>("sparse_sample: arrays of shapes ", u, " and ", v, " at rows of shape ",
                            in[2].shape, " and columns of shape ", in[3].shape, " do not fit");
  return {{float_dtype(in), in[2].shape}};
}

Value packed(const Value& x, DType dtype) { return x.cast(dtype).contiguous(); }

void eval_product(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType types[] = {type_of(in[0]), type_of(in[1]), type_of(in[2]), type_of(in[3])};
  const DType d = infer_product(attrs, types)[0].dtype;
  out[0] = sparse_product_values(packed(in[0], d), packed(in[1], d), packed(in[2], DType::int64),
                                 packed(in[3], DType::int64), attrs.integer(n_rows_key));
}

void eval_sample(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const TensorType types[] = {type_of(in[0]), type_of(in[1]), type_of(in[2]), type_of(in[3])};
  const DType d = infer_sample(attrs, types)[0].dtype;
  out[0] = sparse_sample_values(packed(in[0], d), packed(in[1], d), packed(in[2], DType::int64),
                                packed(in[3], DType::int64));
}

void vjp_product(VjpContext& ctx) {
  if (ctx.needs(0)) ctx.add(0, sample(ctx.ct(), ctx.in(1), ctx.in(2), ctx.in(3)));
  if (ctx.needs(1))
    ctx.add(1, product(ctx.in(0), ctx.ct(), ctx.in(3), ctx.in(2), ctx.in_shape(1)[0]));
}

void vjp_sample(VjpContext& ctx) {
  if (ctx.needs(0))
    ctx.add(0, product(ctx.ct(), ctx.in(1), ctx.in(2), ctx.in(3), ctx.in_shape(0)[0]));
  if (ctx.needs(1))
    ctx.add(1, product(ctx.ct(), ctx.in(0), ctx.in(3), ctx.in(2), ctx.in_shape(1)[0]));
}

// Of an op that is linear in its first two inputs, each by itself.
void jvp_bilinear(const Op& op, JvpContext& ctx) {
  const auto with = [&](const Ref& a, const Ref& b) {
    return apply(op, ctx.attrs(), {a, b, ctx.in(2), ctx.in(3)});
  };
  Ref change;
  if (ctx.has_tangent(0)) change = with(ctx.tangent(0), ctx.in(1));
  if (ctx.has_tangent(1)) {
    const Ref other = with(ctx.in(0), ctx.tangent(1));
    change = ctx.has_tangent(0) ? add(change, other) : other;
  }
  if (ctx.has_tangent(0) || ctx.has_tangent(1)) ctx.set(0, change);
}

void jvp_product(JvpContext& ctx) { jvp_bilinear(*op_product, ctx); }
void jvp_sample(JvpContext& ctx) { jvp_bilinear(*op_sample, ctx); }

}  // namespace

void register_sparse_ops() {
  const ReadMask places = reads_in(2) | reads_in(3);
  op_product = &register_op({.name = "sparse_product",
                             .n_in = 4,
                             .attrs = {{n_rows_key, attr_kind::integer}},
                             .infer = infer_product,
                             .eval = eval_product,
                             .vjp = vjp_product,
                             .jvp = jvp_product,
                             .reads = {reads_in(1) | places, reads_in(0) | places},
                             .summary = "product of a sparse matrix (elements, rows, columns)"});
  op_sample = &register_op({.name = "sparse_sample",
                            .n_in = 4,
                            .infer = infer_sample,
                            .eval = eval_sample,
                            .vjp = vjp_sample,
                            .jvp = jvp_sample,
                            .reads = {reads_in(1) | places, reads_in(0) | places},
                            .summary = "products of the rows of two arrays, pair by pair"});
}

}  // namespace tapegrad
