#pragma once

#include "tapegrad/autodiff/variable.h"

// What plain code learns of a Variable, written down where a Tracer is at work: see
// tape/data_values.h. Without a Tracer these read the value and note nothing.

namespace tapegrad {

// Whether it holds a mask or integers. Only a function that is being recorded has such Variables.
inline bool is_recorded_data(Cell& v) {
  return Tape::current().tracing() && !is_floating(v.value().dtype());
}
inline bool is_recorded_number(Cell& v) { return is_recorded_data(v) && v.value().ndim() == 0; }
// A float that was computed from masks and integers has no derivative to lose either.
bool is_float_of_data(Cell& v);

Value learn_value(Cell& v);
// Whether a Variable of one element is not zero, and its value, of which plain code uses the
// integer part. `call` names the conversion in the error for Variables of other sizes.
bool learn_truth(Cell& v);
double learn_integer_part(Cell& v, const char* call);
// Plain code sees the lengths of the axes, which a recorded value has from the function's
// arguments.
void learn_lengths(Cell& v);
// The result of a derivative leaves its scope (0: it has none) as what it is: the lengths of a
// plain array are known then. A float64 is a Python float in the plain function, unless somebody
// around it differentiates: then it may be one.
void learn_result(const Ref& result, uint32_t scope = 0);

// Whether it is an int of Python's in the function that is being recorded.
bool is_python_integer(Cell& v);

// Whether it is a number of Python's in the function that is being recorded (Tracer::is_weak).
bool is_weak(Cell& v);
// Such a float is seen as a float64, which it is not.
void lose_weakness(Cell& v);

// A float64 that is a Python float from here on, as float(x) makes one.
Ref as_weak(Cell& v);
// The other way round: what NumPy makes of a Python float.
Ref as_strong(Cell& v);

// The content, which sweeps take for a constant and a program goes on computing.
Ref stop_gradient(Cell& v);

}  // namespace tapegrad
