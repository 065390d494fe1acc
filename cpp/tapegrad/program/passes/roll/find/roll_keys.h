// Keys of parts of arrays that a loop reads or writes: the same at every turn but for one position.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tapegrad/base/shape.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {

// x[key], and x[key] = y or x[key] += y, where the key may be another at each turn.
inline bool reads_by_key(const Op& op) {
  return op.key == KeyKind::basic && op.update == UpdateKind::none;
}
inline bool writes_by_key(const Op& op) {
  return op.key == KeyKind::basic && op.update != UpdateKind::none;
}

struct KeyMove {
  size_t item;  // which moves
  int64_t by;   // never 0
  bool operator==(const KeyMove&) const = default;
};
// How the second code comes of the first, where all but one single position are equal.
std::optional<KeyMove> key_move(std::span<const int64_t> from, std::span<const int64_t> to);

// Adds to `items` those whose single positions differ between two codes; false where anything else
// differs.
bool note_moves(std::span<const int64_t> from, std::span<const int64_t> to,
                std::vector<size_t>& items);

// The code in which these items take their positions from index arrays.
std::vector<int64_t> with_arrays(std::span<const int64_t> code, std::span<const size_t> items);

// Two codes for one array that take no element in common whatever the position of `item`.
bool apart_beside(std::span<const int64_t> a, std::span<const int64_t> b, size_t item);

// The code in which `item` takes n positions, from that of the code on.
std::vector<int64_t> with_range(std::span<const int64_t> code, KeyMove move, int64_t n);

// The axis that such a range makes in the result, for a source of so many axes.
size_t range_axis(std::span<const int64_t> code, size_t item, int source_axes);

}  // namespace tapegrad
