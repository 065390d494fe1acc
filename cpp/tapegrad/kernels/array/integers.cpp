#include "tapegrad/kernels/array/integers.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "tapegrad/base/error.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

// Signed arithmetic has no meaning in C++ around the ends of the range.
template <class T>
T negated(T x) {
  return static_cast<T>(uint64_t{0} - static_cast<uint64_t>(x));
}

template <class T>
T quotient(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return negated(a);
    return static_cast<T>(a / b - (a % b != 0 && (a < 0) != (b < 0)));
  }
  return a / b;
}

template <class T>
T rest(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>) {
    if (b == -1) return 0;
    const T r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  }
  return a % b;
}

template <IntegerFn f, class T>
T apply(T a, T b) {
  using U = uint64_t;
  switch (f) {
    case IntegerFn::add:
      return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
    case IntegerFn::subtract:
      return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
    case IntegerFn::multiply:
      return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
    case IntegerFn::floor_divide:
      return quotient(a, b);
    case IntegerFn::remainder:
      return rest(a, b);
    case IntegerFn::minimum:
      return std::min(a, b);
    case IntegerFn::maximum:
      return std::max(a, b);
    case IntegerFn::positive:
      return a;
    case IntegerFn::negative:
      return negated(a);
    case IntegerFn::absolute:
      return a < T{0} ? negated(a) : a;
  }
  return a;
}

template <IntegerFn f, class T>
void run(const Value& a, const Value& b, const Value& out) {
  constexpr int64_t grain = 1024;
  const T *x = a.data<T>(), *y = b.data<T>();
  T* to = out.data<T>();
  const int64_t step_x = a.size() == 1 ? 0 : 1, step_y = b.size() == 1 ? 0 : 1;
  parallel_for(out.size(), grain, 1.0, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = apply<f, T>(x[i * step_x], y[i * step_y]);
  });
}

template <class T>
void run(IntegerFn f, const Value& a, const Value& b, const Value& out) {
  switch (f) {
    case IntegerFn::add:
      return run<IntegerFn::add, T>(a, b, out);
    case IntegerFn::subtract:
      return run<IntegerFn::subtract, T>(a, b, out);
    case IntegerFn::multiply:
      return run<IntegerFn::multiply, T>(a, b, out);
    case IntegerFn::floor_divide:
      return run<IntegerFn::floor_divide, T>(a, b, out);
    case IntegerFn::remainder:
      return run<IntegerFn::remainder, T>(a, b, out);
    case IntegerFn::minimum:
      return run<IntegerFn::minimum, T>(a, b, out);
    case IntegerFn::maximum:
      return run<IntegerFn::maximum, T>(a, b, out);
    case IntegerFn::positive:
      return run<IntegerFn::positive, T>(a, b, out);
    case IntegerFn::negative:
      return run<IntegerFn::negative, T>(a, b, out);
    case IntegerFn::absolute:
      return run<IntegerFn::absolute, T>(a, b, out);
  }
}

// The operand is made 64 bits wide and packed, with one element or in the shape of the result.
Value operand(const Value& x, DType wide, const Dims& shape) {
  const Value v = x.cast(wide);
  if (v.size() == 1) return v.reshaped(Dims{1});
  if (v.shape() == shape) return v.contiguous();
  const Value full = Value::empty(wide, shape);
  copy_into(full, v);
  return full;
}

// Single numbers may be Python's, which have no largest integer and no quotient by zero.
bool is_exact(IntegerFn f, int64_t a, int64_t b, int64_t result) {
  constexpr int64_t least = std::numeric_limits<int64_t>::min();
  switch (f) {
    case IntegerFn::add:
      return ((a ^ result) & (b ^ result)) >= 0;
    case IntegerFn::subtract:
      return ((a ^ b) & (a ^ result)) >= 0;
    case IntegerFn::multiply:
      if (a == 0 || b == 0) return true;
      return !(a == -1 && b == least) && !(b == -1 && a == least) && result / a == b;
    case IntegerFn::floor_divide:
      return b != 0 && !(a == least && b == -1);
    case IntegerFn::remainder:
      return b != 0;
    case IntegerFn::negative:
    case IntegerFn::absolute:
      return a != least;
    default:
      return true;
  }
}

Value single_number(IntegerFn f, const Value& a, const Value& b) {
  const Value x = a.reshaped(Dims{1}), y = b.reshaped(Dims{1});
  const Value out = Value::empty(DType::int64, Dims{1});
  run<int64_t>(f, x.cast(DType::int64), y.cast(DType::int64), out);
  const int64_t result = out.data<int64_t>()[0];
  if (!is_exact(f, a.as_int64(), b.as_int64(), result))
    throw_error<ValueError>(
        "arithmetic on integers: the result of ", a.as_int64(), " and ", b.as_int64(),
        " does not exist, or not in the 64 bits that programs compute in; compute with floats, or "
        "with arrays of integers, which wrap around");
  return Value::integer_scalar(result);
}

}  // namespace

Value eval_integers(IntegerFn f, DType d, const Value& a, const Value& b) {
  if (d == DType::int64 && a.is_scalar() && b.is_scalar()) return single_number(f, a, b);
  const bool is_unsigned = d >= DType::uint8 && d <= DType::uint64;
  const DType wide = is_unsigned ? DType::uint64 : DType::int64;
  const Dims shape = broadcast_shapes(a.shape(), b.shape(), "arithmetic on integers");
  const Value out = Value::empty(wide, shape.empty() ? Dims{1} : shape);
  const Value x = operand(a, wide, out.shape()), y = operand(b, wide, out.shape());
  if (is_unsigned) {
    run<uint64_t>(f, x, y, out);
  } else {
    run<int64_t>(f, x, y, out);
  }
  const Value narrow = out.cast(d);
  return shape.empty() ? narrow.view({}, {}, 0) : narrow;
}

}  // namespace tapegrad
