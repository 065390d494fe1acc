#pragma once

#include "tapegrad/tape/rule.h"

// How ops take many lanes at once (vmap). An op whose rule the traits do not give has its own in
// its family's file: Op::lanes. Rules use what stands here.

namespace tapegrad {

// The op applied to all lanes at once, by its rule or by the general ones, or to each by itself.
std::vector<Ref> apply_lanes(const LanesCall& call);
std::vector<Ref> apply_each_lane(const LanesCall& call);
// Operands without lanes are repeated, and the op works on stacks as on one.
std::vector<Ref> apply_stacked(const LanesCall& call);

// Input i with a leading axis of lanes: a view where it has none of its own.
Ref with_lanes(const LanesCall& call, size_t i);
std::vector<Ref> all_with_lanes(const LanesCall& call);
// The same, with axes of length 1 after the lanes, so that it broadcasts against a lane of `ndim`
// axes; or with fewer of them, which an assignment takes in front of what it writes.
Ref aligned_lanes(const LanesCall& call, size_t i, int ndim);
// (n, shape...)
Dims lanes_shape(const LanesCall& call, const Dims& shape);
// An axis of a lane with `ndim` axes, counted from the end, as the lanes in front leave it.
int64_t axis_from_end(const LanesCall& call, int64_t axis, int ndim);

}  // namespace tapegrad
