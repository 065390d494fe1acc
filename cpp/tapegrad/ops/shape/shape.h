#pragma once

#include <span>
#include <vector>

#include "tapegrad/ops/axes.h"
#include "tapegrad/tape/ref.h"

// Rearrangements of Refs, all linear. Most are views: no element moves.

namespace tapegrad {

// Attributes.
namespace shape_attrs {  // reshape, broadcast_to, sum_to_shape
inline constexpr AttrKey shape{0, "shape"};
}
namespace axes_attrs {  // transpose, expand_dims, squeeze, flip
inline constexpr AttrKey axes{0, "axes"};
}
namespace join_attrs {  // concatenate, stack, unstack; split has cuts too
inline constexpr AttrKey axis{0, "axis"}, cuts{1, "cuts"};
}
namespace pad_attrs {
inline constexpr AttrKey widths{0, "widths"}, fill{1, "fill"};
}
namespace crop_attrs {
inline constexpr AttrKey starts{0, "starts"}, lengths{1, "lengths"};
}

// For passes that write these ops.
const Op& reshape_op();
const Op& transpose_op();
const Op& broadcast_to_op();
const Op& concatenate_op();
const Op& stack_op();

// shape_view.cpp
Ref reshape(const Ref& a, std::span<const int64_t> shape);  // itself where the shapes agree
Ref transpose(const Ref& a, std::span<const int64_t> perm);
Ref swap_last_axes(const Ref& a);
Ref broadcast_to(const Ref& a, std::span<const int64_t> shape);  // itself where the shapes agree
Ref expand_dims(const Ref& a, const Axes& axes);                 // axes of the result
Ref expand_dims(const Ref& a, int64_t axis);
Ref squeeze(const Ref& a, const Axes& axes);
Ref squeeze(const Ref& a, int64_t axis);

// shape_join.cpp
Ref concatenate(std::vector<Ref> parts, int64_t axis);
Ref stack(std::vector<Ref> parts, int64_t axis);
std::vector<Ref> unstack(const Ref& a, int64_t axis);
std::vector<Ref> split(const Ref& a, int64_t axis, const std::vector<int64_t>& cuts);

// shape_move.cpp
Ref flip(const Ref& a, const Axes& axes);
Ref roll(const Ref& a, const std::vector<int64_t>& shifts, const Axes& axes);
Ref pad_constant(const Ref& a, const std::vector<int64_t>& widths, double fill = 0);
Ref crop(const Ref& a, const std::vector<int64_t>& starts, const std::vector<int64_t>& lengths);
Ref gather_axis(const Ref& a, int64_t axis, const std::vector<int64_t>& indices);
Ref scatter_axis(const Ref& a, int64_t axis, const std::vector<int64_t>& indices, int64_t n);

// shape_diagonal.cpp
Ref diagonal(const Ref& a, int64_t offset = 0, int64_t axis1 = -2, int64_t axis2 = -1);
// Zeros of `shape` with a on that diagonal.
Ref diagonal_scatter(const Ref& a, std::span<const int64_t> shape, int64_t offset = 0,
                     int64_t axis1 = -2, int64_t axis2 = -1);
Ref tril(const Ref& a, int64_t k = 0);
Ref triu(const Ref& a, int64_t k = 0);

// The parts of register_shape_ops.
void register_join_ops();
void register_move_ops();
void register_repeat_ops();
void register_diagonal_ops();
void register_windows_op();  // shape_windows.cpp

}  // namespace tapegrad
