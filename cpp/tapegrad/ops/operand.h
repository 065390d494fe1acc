#pragma once

#include <optional>
#include <span>

#include "tapegrad/scalar/scalar_fn.h"
#include "tapegrad/tape/ref.h"

// Operands as a host language gives them, whose own numbers promote otherwise than values that have
// a dtype.

namespace tapegrad {

// What an operand is in Python. All but `none` and `bool_` are weak: they take the dtype of what
// they meet.
enum class PythonNumber : uint8_t {
  none,       // an array, a NumPy scalar, a Variable
  bool_,      // promotes as the dtype bool
  floating,   // a float
  integer,    // an int that 64 bits hold
  large_int,  // any other int
  recorded    // what was a float, or arithmetic of floats, in the function that a Tracer records
};

struct Operand {
  Ref ref;  // of ints the nearest float64
  PythonNumber number = PythonNumber::none;
  int64_t integer = 0;  // the value of an `integer`

  bool is_weak() const { return number > PythonNumber::bool_; }
  bool is_python_int() const {
    return number == PythonNumber::integer || number == PythonNumber::large_int;
  }
  // Whether it is a mask or an integer.
  bool is_data() const { return is_python_int() || !is_floating(ref.dtype()); }
};

// Weak operands beside float32 become float32: those that are recorded by a recorded cast. Beside
// anything else, and among themselves, they are the float64 that they are already.
void settle_weak(std::span<Operand> operands);

// Whether an operator's result is weak: it is arithmetic of Python's numbers alone, a recorded one
// among them.
bool gives_weak(std::span<const Operand> operands);

// An operator of Python keeps its result weak; a function of NumPy gives a value with a dtype.
enum class CalledAs { operator_, function };

// fn of one or two operands with NumPy's promotion. Masks and integers of a Tracer keep to NumPy's
// arithmetic of integers; nothing comes back where no operation does that: then NumPy has to
// compute it from the plain values, which are learned.
std::optional<Ref> apply_to_operands(ScalarFn fn, std::span<Operand> operands,
                                     CalledAs how = CalledAs::function);

// NumPy's short cuts for plain exponents: the function of one number that base ** exponent is.
std::optional<ScalarFn> short_cut_of_power(const TensorType& base, const Operand& exponent);

// a & b, a | b, a ^ b or ~a of data: `fn` is the logical function that does it for masks. For
// integers nothing comes back, as above.
std::optional<Ref> combine_masks(ScalarFn fn, std::span<Operand> operands);

}  // namespace tapegrad
