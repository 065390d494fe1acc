#include "tapegrad/lanes/interpreter.h"

#include <cmath>

#include "tapegrad/rows/elementwise_table.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {
namespace {

// Each binary code stands for three: both operands from registers, the first from the step
// before, the second from the step before.
enum Code : uint16_t {
  stop,
  call1,
  call2,
  call3,
  negative,
  square = negative + 2,
  reciprocal = square + 2,
  root = reciprocal + 2,
  add = root + 2,
  subtract = add + 3,
  multiply = subtract + 3,
  divide = multiply + 3,
  zmul = divide + 3,
};

int code_of(ScalarFn fn) {
  switch (fn) {
    case scalar_fn_of<Negative>():
      return negative;
    case scalar_fn_of<Square>():
      return square;
    case scalar_fn_of<Reciprocal>():
      return reciprocal;
    case scalar_fn_of<Sqrt>():
      return root;
    case scalar_fn_of<Add>():
      return add;
    case scalar_fn_of<Subtract>():
      return subtract;
    case scalar_fn_of<Multiply>():
      return multiply;
    case scalar_fn_of<Divide>():
      return divide;
    case scalar_fn_of<Zmul>():
      return zmul;
    default:
      return 0;
  }
}

template <class T>
[[gnu::always_inline]] inline T strong_product(T c, T p) {
  return c == 0 ? T(0) : c * p;
}

}  // namespace

RegisterStep make_register_step(ScalarFn fn, uint32_t out, const uint32_t* args,
                                uint32_t previous_out) {
  const int arity = scalar_fn_info(fn).arity;
  RegisterStep step{0,       static_cast<uint16_t>(fn), out,
                    args[0], args[arity > 1 ? 1 : 0],   args[arity > 2 ? 2 : 0]};
  const int code = code_of(fn);
  if (!code) {
    step.code = static_cast<uint16_t>(call1 + arity - 1);
  } else if (args[0] == previous_out) {
    step.code = static_cast<uint16_t>(code + 1);
  } else if (arity == 2 && args[1] == previous_out) {
    step.code = static_cast<uint16_t>(code + 2);
  } else {
    step.code = static_cast<uint16_t>(code);
  }
  return step;
}

RegisterStep end_step() { return {stop, 0, 0, 0, 0, 0}; }

template <class T>
void run_registers(const RegisterCode<T>& program, T* r) {
  const ElementwiseTable& table = elementwise_table();
  const RegisterStep* step = program.steps.data();
  T x = 0;  // the last result
  for (;; ++step) {
    const RegisterStep& s = *step;
    switch (s.code) {
      case stop:
        return;
      case call1:
        x = table.get<T>(ScalarFn{s.fn}).scalar(r[s.a], 0, 0);
        break;
      case call2:
        x = table.get<T>(ScalarFn{s.fn}).scalar(r[s.a], r[s.b], 0);
        break;
      case call3:
        x = table.get<T>(ScalarFn{s.fn}).scalar(r[s.a], r[s.b], r[s.c]);
        break;
      case negative:
        x = -r[s.a];
        break;
      case negative + 1:
        x = -x;
        break;
      case square:
        x = r[s.a] * r[s.a];
        break;
      case square + 1:
        x = x * x;
        break;
      case reciprocal:
        x = 1 / r[s.a];
        break;
      case reciprocal + 1:
        x = 1 / x;
        break;
      case root:
        x = std::sqrt(r[s.a]);
        break;
      case root + 1:
        x = std::sqrt(x);
        break;
      case add:
        x = r[s.a] + r[s.b];
        break;
      case add + 1:
        x = x + r[s.b];
        break;
      case add + 2:
        x = r[s.a] + x;
        break;
      case subtract:
        x = r[s.a] - r[s.b];
        break;
      case subtract + 1:
        x = x - r[s.b];
        break;
      case subtract + 2:
        x = r[s.a] - x;
        break;
      case multiply:
        x = r[s.a] * r[s.b];
        break;
      case multiply + 1:
        x = x * r[s.b];
        break;
      case multiply + 2:
        x = r[s.a] * x;
        break;
      case divide:
        x = r[s.a] / r[s.b];
        break;
      case divide + 1:
        x = x / r[s.b];
        break;
      case divide + 2:
        x = r[s.a] / x;
        break;
      case zmul:
        x = strong_product(r[s.a], r[s.b]);
        break;
      case zmul + 1:
        x = strong_product(x, r[s.b]);
        break;
      case zmul + 2:
        x = strong_product(r[s.a], x);
        break;
      default:
        __builtin_unreachable();
    }
    r[s.out] = x;
  }
}

template <class T>
void add_lanes(T* out, const T* a, const T* b, int64_t n, unsigned uniform_mask) {
  const LaneLoops<T>& loops = lane_loops<T>();
  const int64_t a_step = uniform_mask & 1 ? 0 : 1, b_step = uniform_mask & 2 ? 0 : 1;
  // Whole vectors by the loop of the level, then the rest.
  const LaneHandler<T> add = loops.single[index_of(scalar_fn_of<Add>())][uniform_mask];
  const int64_t whole = add ? n / loops.width * loops.width : 0;
  if (whole > 0) {
    T* const at[] = {out, const_cast<T*>(a), const_cast<T*>(b)};
    LaneFrame<T> frame;
    add({add, 0, 1, 2, 0, 0, 0, static_cast<uint8_t>(uniform_mask), LaneForm::function}, at, whole,
        frame);
  }
  for (int64_t i = whole; i < n; ++i) out[i] = a[i * a_step] + b[i * b_step];
}

template void add_lanes(float*, const float*, const float*, int64_t, unsigned);
template void add_lanes(double*, const double*, const double*, int64_t, unsigned);
template void run_registers(const RegisterCode<float>&, float*);
template void run_registers(const RegisterCode<double>&, double*);

}  // namespace tapegrad
