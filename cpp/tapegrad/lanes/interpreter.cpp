#include "tapegrad/lanes/interpreter.h"

#include <cmath>
#include <iterator>

#include "tapegrad/rows/elementwise_table.h"
#include "tapegrad/scalar/functions/functions_selection.h"

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
  maximum = zmul + 3,
  minimum = maximum + 3,
  prefer = minimum + 3,
  equal = prefer + 3,
  choose = equal + 3,  // of three operands, from registers
  code_count,
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
    case scalar_fn_of<Maximum>():
      return maximum;
    case scalar_fn_of<Minimum>():
      return minimum;
    case scalar_fn_of<Prefer>():
      return prefer;
    case scalar_fn_of<Equal>():
      return equal;
    case scalar_fn_of<Select>():
      return choose;
    default:
      return 0;
  }
}

template <class T>
[[gnu::always_inline]] inline T strong_product(T c, T p) {
  return c == 0 ? T(0) : c * p;
}

// The code of each step is a label, in the order of Code: a `switch` in a loop looks the same, and
// took up to twice the time, by where the linker had put it. Labels on two sides of a boundary
// between pages are guessed badly too (1.5 times the time), so that it is aligned to lie in one.
template <class T>
[[gnu::aligned(2048)]] void interpret(const RegisterCode<T>& program, T* r) {
  static const void* const labels[] = {
      &&at_stop,        &&at_call_1,      &&at_call_2,      &&at_call_3,       &&at_negative_r,
      &&at_negative_x,  &&at_square_r,    &&at_square_x,    &&at_reciprocal_r, &&at_reciprocal_x,
      &&at_root_r,      &&at_root_x,      &&at_add_rr,      &&at_add_xr,       &&at_add_rx,
      &&at_subtract_rr, &&at_subtract_xr, &&at_subtract_rx, &&at_multiply_rr,  &&at_multiply_xr,
      &&at_multiply_rx, &&at_divide_rr,   &&at_divide_xr,   &&at_divide_rx,    &&at_zmul_rr,
      &&at_zmul_xr,     &&at_zmul_rx,     &&at_maximum_rr,  &&at_maximum_xr,   &&at_maximum_rx,
      &&at_minimum_rr,  &&at_minimum_xr,  &&at_minimum_rx,  &&at_prefer_rr,    &&at_prefer_xr,
      &&at_prefer_rx,   &&at_equal_rr,    &&at_equal_xr,    &&at_equal_rx,     &&at_choose};
  static_assert(std::size(labels) == code_count);
  const ElementwiseTable& table = elementwise_table();
  const RegisterStep* s = program.steps.data();
  T x = 0;  // the last result
  goto* labels[s->code];
next:
  r[s->out] = x;
  ++s;
  goto* labels[s->code];
at_call_1:
  x = table.get<T>(ScalarFn{s->fn}).scalar(r[s->a], 0, 0);
  goto next;
at_call_2:
  x = table.get<T>(ScalarFn{s->fn}).scalar(r[s->a], r[s->b], 0);
  goto next;
at_call_3:
  x = table.get<T>(ScalarFn{s->fn}).scalar(r[s->a], r[s->b], r[s->c]);
  goto next;
at_negative_r:
  x = -r[s->a];
  goto next;
at_negative_x:
  x = -x;
  goto next;
at_square_r:
  x = r[s->a] * r[s->a];
  goto next;
at_square_x:
  x = x * x;
  goto next;
at_reciprocal_r:
  x = 1 / r[s->a];
  goto next;
at_reciprocal_x:
  x = 1 / x;
  goto next;
at_root_r:
  x = std::sqrt(r[s->a]);
  goto next;
at_root_x:
  x = std::sqrt(x);
  goto next;
at_add_rr:
  x = r[s->a] + r[s->b];
  goto next;
at_add_xr:
  x = x + r[s->b];
  goto next;
at_add_rx:
  x = r[s->a] + x;
  goto next;
at_subtract_rr:
  x = r[s->a] - r[s->b];
  goto next;
at_subtract_xr:
  x = x - r[s->b];
  goto next;
at_subtract_rx:
  x = r[s->a] - x;
  goto next;
at_multiply_rr:
  x = r[s->a] * r[s->b];
  goto next;
at_multiply_xr:
  x = x * r[s->b];
  goto next;
at_multiply_rx:
  x = r[s->a] * x;
  goto next;
at_divide_rr:
  x = r[s->a] / r[s->b];
  goto next;
at_divide_xr:
  x = x / r[s->b];
  goto next;
at_divide_rx:
  x = r[s->a] / x;
  goto next;
at_zmul_rr:
  x = strong_product(r[s->a], r[s->b]);
  goto next;
at_zmul_xr:
  x = strong_product(x, r[s->b]);
  goto next;
at_zmul_rx:
  x = strong_product(r[s->a], x);
  goto next;
at_maximum_rr:
  x = Maximum::value(r[s->a], r[s->b]);
  goto next;
at_maximum_xr:
  x = Maximum::value(x, r[s->b]);
  goto next;
at_maximum_rx:
  x = Maximum::value(r[s->a], x);
  goto next;
at_minimum_rr:
  x = Minimum::value(r[s->a], r[s->b]);
  goto next;
at_minimum_xr:
  x = Minimum::value(x, r[s->b]);
  goto next;
at_minimum_rx:
  x = Minimum::value(r[s->a], x);
  goto next;
at_prefer_rr:
  x = Prefer::value(r[s->a], r[s->b]);
  goto next;
at_prefer_xr:
  x = Prefer::value(x, r[s->b]);
  goto next;
at_prefer_rx:
  x = Prefer::value(r[s->a], x);
  goto next;
at_equal_rr:
  x = Equal::value(r[s->a], r[s->b]);
  goto next;
at_equal_xr:
  x = Equal::value(x, r[s->b]);
  goto next;
at_equal_rx:
  x = Equal::value(r[s->a], x);
  goto next;
at_choose:
  x = Select::value(r[s->a], r[s->b], r[s->c]);
  goto next;
at_stop:
  return;
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
  } else if (arity < 3 && args[0] == previous_out) {
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
void run_registers(const RegisterCode<T>& code, T* registers) {
  if (const auto run = code.machine.get(code)) return run(registers);
  interpret(code, registers);
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
