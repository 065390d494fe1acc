#pragma once

#include "tapegrad/tape/rule.h"

namespace tapegrad {

// Input i with a leading axis of lanes: a view where it has none of its own.
Ref with_lanes(const LanesCall& call, size_t i);
// The same, with axes of length 1 after the lanes, so that it broadcasts against a lane of `ndim`
// axes.
Ref aligned_lanes(const LanesCall& call, size_t i, int ndim);
// (n, shape...)
Dims lanes_shape(const LanesCall& call, const Dims& shape);

// The op applied to all lanes at once, by its rule or to each lane by itself.
std::vector<Ref> apply_lanes(const LanesCall& call);

// The parts of register_lanes.
void register_shape_lanes();
void register_axis_lanes();
void register_matrix_lanes();

}  // namespace tapegrad
