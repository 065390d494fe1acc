#pragma once

#include <span>

#include "bindings/variable/variable_type.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {

// Applies `op` to Variables, numbers and arrays. A Variable comes back where one of them is one (a
// view of the first, where NumPy gives a view), else a plain value; several results as a tuple.
PyObject* apply_to_objects(const Op& op, std::span<PyObject* const> inputs, const Attrs& attrs);

}  // namespace tapegrad
