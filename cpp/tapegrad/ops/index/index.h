#pragma once

#include <span>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/tape/op.h"
#include "tapegrad/tape/ref.h"

// Reading and writing parts of arrays. A spec (index_spec.h) says which part; index arrays are
// plain integer data, one for each `array` item of the spec. The functions that write take the
// array by value: moved in, and its buffer needed by nothing else, it is written in place and only
// the region is touched; else it is copied first.

namespace tapegrad {

// For passes that write these ops.
const Op& slice_op();
const Op& slice_copy_op();
const Op& slice_add_op();
const Op& slice_set_op();
const Op& gather_op();
const Op& gather_add_op();
const Op& gather_set_op();

// x[spec] for a basic spec: a view of x, or a packed copy where the region is a small part of x (so
// that it does not keep all of x alive, or in the way of writes in place).
Ref slice(const Ref& x, const IndexSpec& spec);
// The same, of an array of which these attributes mean this region.
Ref slice_region(const Ref& x, const Attrs& attrs, const Region& region);
Ref slice_copy(const Ref& x, const IndexSpec& spec);  // always packed, in a buffer of its own
// base with base[spec] += update or base[spec] = update; update is broadcast and cast as NumPy
// does.
Ref slice_add(Ref base, const IndexSpec& spec, Ref update);
Ref slice_set(Ref base, const IndexSpec& spec, Ref update);

// The same for an advanced spec. With duplicates, additions are made in the order of the indices,
// and of assignments the last stays.
Ref gather(const Ref& x, const IndexSpec& spec, std::span<const Ref> indices);
Ref gather_add(Ref base, const IndexSpec& spec, Ref update, std::span<const Ref> indices);
Ref gather_set(Ref base, const IndexSpec& spec, Ref update, std::span<const Ref> indices);

// x[key] and x[key] = update for either kind of spec.
Ref get_index(const Ref& x, const IndexSpec& spec, std::span<const Ref> indices);
Ref set_index(Ref base, const IndexSpec& spec, Ref update, std::span<const Ref> indices);
// Throws all that set_index would complain of; whoever moves an array in calls it first.
void check_set_index(const TensorType& base, const IndexSpec& spec, const TensorType& update,
                     std::span<const Ref> indices);

// numpy.take_along_axis and numpy.put_along_axis.
Ref take_along_axis(const Ref& x, const Ref& indices, int axis);
Ref put_along_axis(Ref base, const Ref& indices, Ref update, int axis);

}  // namespace tapegrad
