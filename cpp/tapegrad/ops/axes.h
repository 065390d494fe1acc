#pragma once

#include "tapegrad/base/shape.h"
#include "tapegrad/tape/attrs.h"

// Axes as attributes: what reductions and shape ops share. Attributes are as the user gave them
// (negative axes allowed); rules count axes from the end.

namespace tapegrad {

using Axes = std::vector<int64_t>;

// The integers of attribute i, which may also be a single one.
std::span<const int64_t> axis_span(const Attrs& attrs, size_t i);  // lives as long as attrs
Axes axis_list(const Attrs& attrs, size_t i);
Dims axis_dims(const Attrs& attrs, size_t i);

// One flag for each axis: is it named by attribute i? None names all. 0-d arrays let 0 and -1 pass.
Dims axis_flags(const Attrs& attrs, size_t i, int ndim, const char* op);

Axes flagged_axes(const Dims& flags);  // the axes set in `flags`, counted from the end

// `shape` without the flagged axes, or with 1 in their place.
Dims reduced_shape(const Dims& shape, const Dims& flags, bool keepdims);

}  // namespace tapegrad
