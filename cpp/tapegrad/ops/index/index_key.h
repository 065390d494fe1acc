#pragma once

#include <span>
#include <vector>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/tape/ref.h"

// From an index key as it was written to the spec that it means for an array of one shape, with
// NumPy's rules and NumPy's errors. What the host language does is to say what each item is.

namespace tapegrad {

struct IndexEntry {
  enum Kind : uint8_t {
    position,  // `start`, which may count from the end
    slice,     // start:stop:step
    newaxis,
    ellipsis,
    flag,       // a bool, which `start` is
    positions,  // an integer array (int64 where it is plain), perhaps recorded
    mask,       // a bool array, perhaps recorded
    bounds      // start:stop, both integer arrays of no axes, of which one or two are recorded
  };
  Kind kind = position;
  bool has_start = false, has_stop = false;  // of a slice
  int64_t start = 0, stop = 0, step = 1;
  bool is_array = false;  // a position that came as an array of no axes
};

// What a single recorded number may choose: anything, to be written or read, or one element alone,
// where the memory that a part of the array shows could not be told from that of a copy.
enum class KeyUse { read, write, read_elements };

// The spec, and one int64 array for each `array` item of it. A mask becomes the positions where it
// is true.
struct IndexKey {
  IndexSpec spec{};
  std::vector<Ref> arrays{};
  // Whether the same key would mean something else for another length of an axis: a bound of a
  // slice was cut off at the end, or its steps were counted.
  bool clipped = false;
  bool has_ellipsis = false;  // then a result of no axes is an array, not a number
  bool copies = false;        // an array of no axes among the positions: the result is no view
  // All arrays are recorded single numbers, or the positions between recorded bounds: what they
  // choose is a view, though no basic key says which.
  bool shows = false;
};

// Returns the positions at which a mask of one axis is true.
Value positions_where(const Value& mask);

// `arrays`: one for each entry of kind `positions` or `mask`, in order, and two for `bounds`. What
// a Tracer has recorded of them stays recorded where it can (another run may have other positions),
// else it is learned: masks, whose count makes a shape; bounds beyond the first two, and those that
// reach over an end of the axis. Of other bounds it is learned how far they are apart.
IndexKey resolve_key(std::span<const IndexEntry> entries, std::vector<Ref> arrays,
                     std::span<const int64_t> shape, KeyUse use);

}  // namespace tapegrad
