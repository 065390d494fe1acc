#pragma once

#include "bindings/variable/variable_type.h"
#include "tapegrad/ops/index/index_key.h"

namespace tapegrad {

// The element at a key of plain positions, one for each axis; null where the key is another one or
// there is more to it (autodiff/scalar_operation.h).
Cell* element_by_key(Cell& variable, PyObject* key);
// variable[key] = value of such a key, where that is a number for a leaf; false, and nothing done,
// where it is not.
bool set_element_by_key(Cell& variable, PyObject* key, PyObject* value);

// variable[key] of a key of ints, plain slices, None and Ellipsis; null where the key is another
// one or there is more to it (autodiff/scalar_operation.h).
Cell* part_by_key(Cell& variable, PyObject* key);

// A Python index key, as NumPy reads it for an array of the Variable's shape, with NumPy's errors.
IndexKey index_key(Cell& variable, PyObject* key, KeyUse use);

}  // namespace tapegrad
