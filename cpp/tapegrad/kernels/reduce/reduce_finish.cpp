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

// Replaces every element by f(element); f takes and gives numbers of the dtype's type.
template <class F>
Value map(Value v, double ns, F f) {
  if (v.is_scalar()) {
    const double x = v.as_double();
    if (v.dtype() == DType::float64) return Value::scalar(f(x));
    return Value::scalar(static_cast<double>(f(static_cast<float>(x))), v.dtype());
  }
  v.ensure_owned();
  visit_floating(v.dtype(), [&](auto tag) {
    using T = decltype(tag);
    T* a = v.data<T>();
    parallel_for(v.size(), 4096, ns, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) a[i] = f(a[i]);
    });
  });
  return v;
}

}  // namespace

Value divided_by(Value v, double n) {
  if (n == 1) return v;
  return map(std::move(v), 0.3, [n](auto x) { return x / static_cast<decltype(x)>(n); });
}

Value finite_or_zero(Value v) {
  return map(std::move(v), 0.3, [](auto x) { return std::isfinite(x) ? x : decltype(x){0}; });
}

// This takes the library's own logarithm, which rounds alike wherever it is taken.
Value log_plus(const Value& total, const Value& m) {
  Value logs = Value::scalar(0, total.dtype()), out = logs;
  eval_elementwise(scalar_fn_of<Log>(), {&total, 1}, logs);
  const Value terms[] = {std::move(logs), m};
  eval_elementwise(scalar_fn_of<Add>(), terms, out);
  return out;
}

Value square_roots(Value v) {
  return map(std::move(v), 1, [](auto x) { return std::sqrt(x); });
}

}  // namespace tapegrad
