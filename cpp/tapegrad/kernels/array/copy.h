#pragma once

#include <span>

#include "tapegrad/base/value.h"

namespace tapegrad {

// Does what copy_into of base/value.h does (strides, broadcasting, conversion), with threads, and
// tile by tile where the two arrays run along different axes (a transposition).
void copy_parallel(const Value& to, const Value& from);

Value packed(const Value& v);       // itself where contiguous, else a packed copy
Value packed_copy(const Value& v);  // always a buffer of its own

// Returns `v` in another shape of the same size: a view where strides allow it (NumPy's rule), else
// a packed copy.
Value reshaped_view(const Value& v, const Dims& shape);
// The strides with which an array of shape `from` and `from_strides` can be read as one of `shape`
// and as many elements; false where none will do.
bool view_strides(const Dims& from, const Dims& from_strides, const Dims& shape, Dims& strides);

// Returns positions start .. start + length along `axis` of `v`, as a view.
Value slice_axis(const Value& v, int axis, int64_t start, int64_t length);
// Writes `from` along `axis` of the packed array `to`, beginning at position start.
void write_slice(const Value& to, int axis, int64_t start, const Value& from);

// Sets to[..., k] = parts[k], for a packed `to`. Returns false, and does nothing, where a part is
// neither packed nor the same number everywhere, or has another dtype than `to`.
bool interleave(const Value& to, std::span<const Value> parts);

// Returns y[..., j, ...] = x[..., indices[j], ...]; the indices are in range.
Value gather_axis(const Value& x, int axis, std::span<const int64_t> indices);
// Returns the transpose of that: y has n positions along the axis, and y[..., indices[j], ...] +=
// x[..., j, ...].
Value scatter_axis(const Value& x, int axis, std::span<const int64_t> indices, int64_t n);

}  // namespace tapegrad
