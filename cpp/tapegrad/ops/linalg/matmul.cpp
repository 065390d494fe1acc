#include "tapegrad/ops/linalg/matmul.h"

#include "tapegrad/kernels/linalg/matmul.h"
#include "tapegrad/ops/einsum/einsum.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/linalg_expand.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/rule.h"

namespace tapegrad {
namespace {

struct MatmulShape {
  bool a_is_vector = false, b_is_vector = false;
  int64_t m = 1, n = 1, k = 0;
  Dims batch;
  Dims out;
};

Dims leading(const Dims& shape) {
  return shape.size() < 2 ? Dims() : Dims(shape.data(), shape.size() - 2);
}

[[noreturn]] void throw_mismatch(const Dims& a, const Dims& b, int64_t k, int64_t rows) {
  const char* b_axis = b.size() == 1 ? "its only axis" : "axis -2";
  if (b.size() > 1 && b.back() == k)
    throw_error<ValueError>("matmul: shapes ", a, " and ", b,
                            " do not match: the last axis of the first operand has ", k,
                            " elements, ", b_axis, " of the second has ", rows,
                            "; its last axis has ", k, ": a @ np.swapaxes(b, -1, -2) works");
  throw_error<ValueError>(
      "matmul: shapes ", a, " and ", b, " do not match: the last axis of the first operand has ", k,
      " elements, ", b_axis, " of the second has ", rows, "; shapes like (n, k) @ (k, m) work");
}

MatmulShape matmul_shape(const Dims& a, const Dims& b) {
  for (int i = 0; i < 2; ++i) {
    if ((i == 0 ? a : b).empty())
      throw_error<ValueError>("matmul: operand ", i, " has 0 dimensions (shapes ", a, " and ", b,
                              "), at least 1 is needed; multiply by a scalar with a * b");
  }
  MatmulShape s;
  s.a_is_vector = a.size() == 1;
  s.b_is_vector = b.size() == 1;
  s.k = a.back();
  if (!s.a_is_vector) s.m = a[a.size() - 2];
  if (!s.b_is_vector) s.n = b.back();
  const int64_t rows = s.b_is_vector ? b[0] : b[b.size() - 2];
  if (rows != s.k) throw_mismatch(a, b, s.k, rows);
  s.batch =
      a.size() <= 2 && b.size() <= 2 ? Dims() : broadcast_shapes(leading(a), leading(b), "matmul");
  s.out = s.batch;
  if (!s.a_is_vector) s.out.push_back(s.m);
  if (!s.b_is_vector) s.out.push_back(s.n);
  return s;
}

template <class T>
MatrixStack<T> as_stack(const Value& v, const Dims& batch, bool vector, bool is_left) {
  MatrixStack<T> s;
  s.data = static_cast<const T*>(v.raw());
  const int64_t* strides = v.layout()->strides();
  const int n = v.ndim();
  if (vector) {
    (is_left ? s.column_stride : s.row_stride) = strides[0];
    (is_left ? s.row_stride : s.column_stride) = strides[0] * v.dim(0);
    s.batch_strides = Dims(batch.size(), 0);
    return s;
  }
  s.row_stride = strides[n - 2];
  s.column_stride = strides[n - 1];
  s.batch_strides =
      batch.empty() ? Dims() : broadcast_strides(leading(v.shape()), leading(v.strides()), batch);
  return s;
}

bool is_readable(const Value& v, bool vector, bool is_left) {
  const int n = v.ndim();
  const int64_t* strides = v.layout()->strides();
  if (vector) {
    return is_left ? gemm_readable(1, v.dim(0), 0, strides[0])
                   : gemm_readable(v.dim(0), 1, strides[0], 0);
  }
  return gemm_readable(v.dim(n - 2), v.dim(n - 1), strides[n - 2], strides[n - 1]);
}

template <class T>
Value multiply(const MatmulShape& s, const Value& a, const Value& b) {
  const MatrixStack<T> left = as_stack<T>(a, s.batch, s.a_is_vector, true);
  const MatrixStack<T> right = as_stack<T>(b, s.batch, s.b_is_vector, false);
  if (s.out.empty()) {
    T result{};
    multiply_stacks<T>(s.batch, s.m, s.n, s.k, left, right, &result);
    if constexpr (std::is_floating_point_v<T>) {
      return Value::scalar(static_cast<double>(result), dtype_of<T>());
    } else {
      return Value::integer_scalar(static_cast<int64_t>(result), dtype_of<T>());
    }
  }
  Value out = Value::empty(dtype_of<T>(), s.out);
  multiply_stacks<T>(s.batch, s.m, s.n, s.k, left, right, out.data<T>());
  return out;
}

Value multiply(const MatmulShape& s, const Value& a, const Value& b) {
  const bool tiny = is_tiny_product(s.m, s.n, s.k) || !is_floating(a.dtype());
  const Value left = tiny || is_readable(a, s.a_is_vector, true) ? a : a.copy();
  const Value right = tiny || is_readable(b, s.b_is_vector, false) ? b : b.copy();
  return visit_dtype(a.dtype(), [&](auto tag) { return multiply<decltype(tag)>(s, left, right); });
}

template <class T>
class ProductOf final : public LikeProduct {
 public:
  ProductOf(const MatmulShape& s, const Value& a, const Value& b)
      : product_(s.m, s.n, s.k, as_stack<T>(a, {}, s.a_is_vector, true),
                 as_stack<T>(b, {}, s.b_is_vector, false)) {}
  void run(const void* a, const void* b, void* out) override {
    product_.run(static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(out));
  }

 private:
  RepeatedProduct<T> product_;
};

std::vector<TensorType> infer(const Attrs&, std::span<const TensorType> in) {
  return {{promote(in[0].dtype, in[1].dtype), matmul_shape(in[0].shape, in[1].shape).out}};
}

void eval(const Attrs&, std::span<Value> in, std::span<Value> out) {
  const MatmulShape s = matmul_shape(in[0].shape(), in[1].shape());
  const DType dtype = promote(in[0].dtype(), in[1].dtype());
  out[0] = multiply(s, in[0].cast(dtype), in[1].cast(dtype));
}

// All axes but the last one or two as one.
Ref flattened(const Ref& x, int keep) {
  const Dims shape = x.shape();
  Dims to{1};
  const size_t split = shape.size() - static_cast<size_t>(keep);
  for (size_t i = 0; i < split; ++i) to[0] *= shape[i];
  for (size_t i = split; i < shape.size(); ++i) to.push_back(shape[i]);
  return to == shape ? x : reshape(x, to);
}

void left_adjoint(VjpContext& ctx, const Ref& ct) {
  const Dims a = ctx.in_shape(0), b = ctx.in_shape(1);
  const Ref right = ctx.in(1);
  if (b.size() == 1) {
    // A number that nothing came back to is a strong zero, as in elementwise functions.
    ctx.add(0, a.size() == 1 ? zmul(ct, right) : multiply(expand_dims(ct, -1), right));
  } else if (a.size() == 1) {
    if (b.size() == 2) {
      ctx.add(0, matmul(right, ct));
    } else {
      Dims shape = b;
      shape[shape.size() - 1] = 1;
      const Ref columns = matmul(right, expand_dims(ct, -1));
      shape.resize(shape.size() - 1);
      ctx.add(0, sum_to_shape(reshape(columns, shape), a));
    }
  } else {
    ctx.add(0, sum_to_shape(matmul(ct, swap_last_axes(right)), a));
  }
}

void right_adjoint(VjpContext& ctx, const Ref& ct) {
  const Dims a = ctx.in_shape(0), b = ctx.in_shape(1);
  const Ref left = ctx.in(0);
  if (a.size() == 1) {
    ctx.add(1,
            b.size() == 1 ? zmul(ct, left) : multiply(expand_dims(left, -1), expand_dims(ct, -2)));
  } else if (b.size() == 1) {
    ctx.add(1, matmul(flattened(ct, 0), flattened(left, 1)));
  } else if (b.size() == 2) {
    ctx.add(1, matmul(swap_last_axes(flattened(left, 1)), flattened(ct, 1)));
  } else {
    ctx.add(1, sum_to_shape(matmul(swap_last_axes(left), ct), b));
  }
}

void vjp(VjpContext& ctx) {
  const Ref ct = ctx.ct();
  if (ctx.needs(0)) left_adjoint(ctx, ct);
  if (ctx.needs(1)) right_adjoint(ctx, ct);
}

void jvp(JvpContext& ctx) {
  Ref sum;
  if (ctx.has_tangent(0)) sum = matmul(ctx.tangent(0), ctx.in(1));
  if (ctx.has_tangent(1)) {
    const Ref second = matmul(ctx.in(0), ctx.tangent(1));
    sum = ctx.has_tangent(0) ? add(sum, second) : second;
  }
  ctx.set(0, sum);
}

std::vector<Ref> lanes(const LanesCall& call) {
  const int ndim = std::max({2, call.in_types[0].shape.ndim(), call.in_types[1].shape.ndim()});
  const Ref product =
      matmul(matrix_of_lanes(call, 0, true, ndim), matrix_of_lanes(call, 1, false, ndim));
  return {reshape(product, lanes_shape(call, call.out_types[0].shape))};
}

}  // namespace

std::unique_ptr<LikeProduct> product_like(const Value& a, const Value& b) {
  if (a.dtype() != b.dtype() || !is_floating(a.dtype()) || a.is_scalar() || b.is_scalar())
    return nullptr;
  const MatmulShape s = matmul_shape(a.shape(), b.shape());
  if (!s.batch.empty()) return nullptr;
  const bool tiny = is_tiny_product(s.m, s.n, s.k);
  if (!tiny && !(is_readable(a, s.a_is_vector, true) && is_readable(b, s.b_is_vector, false)))
    return nullptr;
  if (a.dtype() == DType::float32) return std::make_unique<ProductOf<float>>(s, a, b);
  return std::make_unique<ProductOf<double>>(s, a, b);
}

const Op& matmul_op() {
  static const Op& op = register_op({.name = "matmul",
                                     .n_in = 2,
                                     .infer = infer,
                                     .eval = eval,
                                     .vjp = vjp,
                                     .jvp = jvp,
                                     .lanes = lanes,
                                     .expand = expand_matmul,
                                     .expand_keeps_bits = true,
                                     .reads = {reads_in(1), reads_in(0)},
                                     .product = ProductKind::matrices,
                                     .summary = "a @ b: NumPy's matmul; stacks broadcast"});
  return op;
}

Ref matmul(const Ref& a, const Ref& b) { return apply(matmul_op(), {}, {a, b}); }

Value multiply_values(const Value& a, const Value& b) {
  return multiply(matmul_shape(a.shape(), b.shape()), a, b);
}

Ref matrix_of_lanes(const LanesCall& call, size_t i, bool row, int ndim) {
  const Dims& own = call.in_types[i].shape;
  if (own.ndim() != 1) return aligned_lanes(call, i, ndim);
  const Dims matrix = row ? Dims{1, own[0]} : Dims{own[0], 1};
  if (!call.has_lanes[i]) return reshape(call.in[i], matrix);
  Dims shape{call.n};
  for (int k = 2; k < ndim; ++k) shape.push_back(1);
  for (int64_t d : matrix) shape.push_back(d);
  return reshape(call.in[i], shape);
}

void register_matmul_ops() {
  matmul_op();
  register_einsum_ops();
  register_product_ops();
}

}  // namespace tapegrad
