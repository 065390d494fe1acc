#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include "tapegrad/ops/operand.h"

namespace tapegrad {

namespace py = pybind11;

// A plain Python or NumPy number, array or nested list as a Value. Large arrays are borrowed (the
// Value keeps them alive), others copied. Errors name `operation`.
Value to_value(PyObject* object, const char* operation = "tapegrad");

// Any of these, or a Variable, as an operand.
Operand to_operand(PyObject* object, const char* operation);

// A float for a scalar of float64, a NumPy scalar for any other, else an array. A writable array
// never shares memory with anything recorded: it is a copy, unless the value is moved in and
// nothing else holds its buffer.
PyObject* to_python(Value&& value, bool writable);
// A copy whose axes lie in the order of these strides.
PyObject* to_python_lying_by(const Value& value, std::span<const int64_t> strides);
PyObject* to_python(const Value& value, bool writable);
py::object to_object(Value&& value, bool writable = true);
py::object to_object(const Value& value, bool writable = true);

// The same for what plain code computes. Of what has no axes plain code may have three kinds: a
// numpy.float64, a float or bool of Python's, and an array.
enum class NumberKind : char { numpy, python, array };
PyObject* to_plain_result(Value&& value, NumberKind kind);

// numpy.float64 as the dtype object, and back.
// NumPy's own asarray, whatever stands under that name in its module now (tg.patch_numpy).
const py::object& numpy_asarray();
py::object dtype_object(DType d);
DType to_dtype(py::handle dtype);

// Lets go of a strong reference on a thread that may not have the interpreter's lock: those are
// kept until one that has it calls release_pending_references.
void release_reference(void* object);
void release_pending_references();

void install_location_hook();

}  // namespace tapegrad
