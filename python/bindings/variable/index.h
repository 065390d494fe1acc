#pragma once

#include <Python.h>

#include <cstdint>
#include <span>
#include <vector>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/tape/ref.h"

namespace tapegrad::python {

// A Python index key: the spec, and one int64 array for each `array` item of it. A boolean mask
// becomes the positions where it is true.
struct IndexKey {
  IndexSpec spec;
  std::vector<Ref> arrays;
  // Whether the same key would mean something else for another length of an axis: a bound of a
  // slice was cut off at the end, or its steps were counted.
  bool clipped = false;
};

// Reads `key` as NumPy does for an array of `shape`, with NumPy's errors. Holds the GIL.
IndexKey parse_index(PyObject* key, std::span<const int64_t> shape);

// The type of Variables; what gives the plain content of one that may stand inside a key (null
// where it may not, as all may not but masks in a function that is being recorded); and recorded
// positions, which stay recorded (untracked for other Variables). All set when the module is made.
extern PyTypeObject* type_refused_as_index;
extern PyObject* (*content_as_index)(PyObject*);
extern Ref (*positions_as_index)(PyObject*);

}  // namespace tapegrad::python
