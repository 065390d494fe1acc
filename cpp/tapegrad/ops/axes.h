#pragma once

#include "tapegrad/base/shape.h"
#include "tapegrad/tape/attrs.h"

// Axes as attributes: what reductions and shape ops share. Attributes are as the user gave them
// (negative axes allowed); rules count axes from the end.

namespace tapegrad {

using Axes = std::vector<int64_t>;

// The integers of an attribute, which may also be a single one.
std::span<const int64_t> axis_span(const Attrs& attrs, AttrKey key);  // lives as long as attrs
Axes axis_list(const Attrs& attrs, AttrKey key);
Dims axis_dims(const Attrs& attrs, AttrKey key);

// One flag for each axis: does the attribute name it? None names all. 0-d arrays let 0 and -1 pass.
Dims axis_flags(const Attrs& attrs, AttrKey key, int ndim, const char* op);

Axes flagged_axes(const Dims& flags);  // the axes set in `flags`, counted from the end

// `shape` without the flagged axes, or with 1 in their place.
Dims reduced_shape(const Dims& shape, const Dims& flags, bool keepdims);

}  // namespace tapegrad
