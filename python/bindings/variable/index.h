#pragma once

#include "bindings/variable/variable_type.h"
#include "tapegrad/ops/index/index_key.h"

namespace tapegrad {

// A Python index key, as NumPy reads it for an array of the Variable's shape, with NumPy's errors.
IndexKey index_key(Cell& variable, PyObject* key, KeyUse use);

}  // namespace tapegrad
