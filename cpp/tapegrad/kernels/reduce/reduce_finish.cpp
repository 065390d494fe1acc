#include "tapegrad/kernels/reduce/reduce_finish.h"

#include <cmath>

#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/scalar/functions/functions.h"

namespace tapegrad {
namespace {

template <class F>
void visit_floating(DType d, F&& f) {
  if (d == DType::float32) {
    f(float{});
  } else {
    f(double{});
  }
}

// v[i] = f(v[i], other[i]), or f(v[i], v[i]) without `other`; f takes and gives the dtype's type.
template <class F>
Value map(Value v, const Value* other, double ns, F f) {
  if (v.is_scalar()) {
    const double x = v.as_double(), y = other ? other->as_double() : x;
    if (v.dtype() == DType::float64) return Value::scalar(f(x, y));
    return Value::scalar(static_cast<double>(f(static_cast<float>(x), static_cast<float>(y))),
                         v.dtype());
  }
  v.ensure_owned();
  const Value second = other ? other->contiguous() : Value();
  visit_floating(v.dtype(), [&](auto tag) {
    using T = decltype(tag);
    T* a = v.data<T>();
    const T* b = other ? second.data<T>() : a;
    parallel_for(v.size(), 4096, ns, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) a[i] = f(a[i], b[i]);
    });
  });
  return v;
}

}  // namespace

Value divided_by(Value v, double n) {
  if (n == 1) return v;
  return map(std::move(v), nullptr, 0.3,
             [n](auto x, auto) { return x / static_cast<decltype(x)>(n); });
}

Value finite_or_zero(Value v) {
  return map(std::move(v), nullptr, 0.3,
             [](auto x, auto) { return std::isfinite(x) ? x : decltype(x){0}; });
}

// By the library's own logarithm: it rounds alike wherever it is taken.
Value log_plus(const Value& total, const Value& m) {
  Value logs = Value::scalar(0, total.dtype()), out = logs;
  eval_elementwise(scalar_fn_of<Log>(), {&total, 1}, logs);
  const Value terms[] = {std::move(logs), m};
  eval_elementwise(scalar_fn_of<Add>(), terms, out);
  return out;
}

Value square_roots(Value v) {
  return map(std::move(v), nullptr, 1, [](auto x, auto) { return std::sqrt(x); });
}

}  // namespace tapegrad
