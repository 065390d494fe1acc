#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tapegrad/base/shape.h"
#include "tapegrad/base/value.h"
#include "tapegrad/tape/attrs.h"

// What an index key (x[2, ::-1, None, [0, 3]]) means for an array of known shape. The code of a
// spec is four integers for each item of the key, in order:
//
//   kind      start   step   length
//   at        i       -      -        one position of an axis, which is dropped
//   range     start   step   length   `length` positions of an axis from `start` on, any step but 0
//   newaxis   -       -      -        an axis of length 1 that the source does not have
//   array     -       -      -        positions come from the next index array
//   flag      -       -      0 or 1   a bool as index: takes no axis, counts as an index of that
//   length
//
// Starts are counted from the front of the axis. Every source axis has its item; axes in front of
// them (lanes) are taken whole. With an `array` or `flag` the key is advanced: then `at` counts as
// an index of shape (), the index arrays are broadcast together, and the axes of that shape stand
// in the result after `position` of the axes made by range and newaxis.

namespace tapegrad {

// The attributes of the ops that read and write parts of arrays; advanced keys have a position.
namespace index_attrs {
inline constexpr AttrKey code{0, "code"}, position{1, "position"};
}

enum class IndexKind : int64_t { at, range, newaxis, array, flag };

struct IndexItem {
  IndexKind kind;
  int64_t start, step, length;

  bool takes_axis() const { return kind != IndexKind::newaxis && kind != IndexKind::flag; }
  bool makes_axis() const { return kind == IndexKind::range || kind == IndexKind::newaxis; }
  bool is_advanced() const { return kind == IndexKind::array || kind == IndexKind::flag; }
};

// The items of a code, without a copy.
class IndexItems {
 public:
  explicit IndexItems(std::span<const int64_t> code) : code_(code) {}
  size_t size() const { return code_.size() / 4; }
  IndexItem operator[](size_t k) const {
    const int64_t* c = code_.data() + 4 * k;
    return {static_cast<IndexKind>(c[0]), c[1], c[2], c[3]};
  }
  int source_axes() const;
  int index_arrays() const;
  bool is_basic() const;

 private:
  std::span<const int64_t> code_;
};

struct IndexSpec {
  std::vector<int64_t> code;
  int64_t position = 0;

  IndexSpec& at(int64_t i) { return append(IndexKind::at, i, 0, 0); }
  IndexSpec& range(int64_t start, int64_t step, int64_t length) {
    return append(IndexKind::range, start, step, length);
  }
  IndexSpec& whole(int64_t length) { return range(0, 1, length); }
  IndexSpec& newaxis() { return append(IndexKind::newaxis, 0, 0, 0); }
  IndexSpec& array() { return append(IndexKind::array, 0, 0, 0); }
  IndexSpec& flag(bool on) { return append(IndexKind::flag, 0, 0, on); }
  IndexSpec& append(IndexKind kind, int64_t start, int64_t step, int64_t length);

  // `length` positions of one axis of an array of `shape`, all of the others.
  static IndexSpec along(std::span<const int64_t> shape, int axis, int64_t start, int64_t step,
                         int64_t length);
  // The i-th entry of one axis, which is dropped.
  static IndexSpec entry(std::span<const int64_t> shape, int axis, int64_t i);

  IndexItems items() const { return IndexItems(code); }
  bool is_basic() const { return items().is_basic(); }

  // (code) for a basic spec, (code, position) for an advanced one.
  Attrs attrs() const&;
  Attrs attrs() &&;
  static IndexSpec from(const Attrs& attrs);
};

// A part of an array that keeps all of its axes: where it begins, and the lengths.
struct Box {
  Dims start, length;
};
// The box that a basic key of ranges of step 1 and of single positions means; the axes of these
// have length 1 in it.
std::optional<Box> part_of_code(std::span<const int64_t> code, const Dims& shape);
// The same, where the single positions come before all ranges: what the key takes then broadcasts
// as the box does.
std::optional<Box> box_of_code(std::span<const int64_t> code, const Dims& shape);

// A region of a strided array: a basic spec applied to it. Strides and offset count elements.
struct Region {
  Dims shape, strides;
  int64_t offset = 0;
};
Region region_of(std::span<const int64_t> code, std::span<const int64_t> shape,
                 std::span<const int64_t> strides, const char* op);

// The shape of a basic spec's result.
Dims result_shape(const IndexSpec& spec, std::span<const int64_t> shape);
// The shape of an advanced spec's result, given the shapes of its index arrays.
Dims result_shape(const IndexSpec& spec, std::span<const int64_t> shape,
                  std::span<const Dims> index_shapes);

// An advanced spec applied to a strided array: kept axes before and after those of the index
// arrays.
struct GatherAxes {
  Dims before, before_strides;  // lanes and kept axes in front of the index axes
  Dims index_shape;             // the index arrays broadcast together
  Dims after, after_strides;
  int64_t offset = 0;              // of the positions that do not vary
  Dims array_axes, array_strides;  // one entry for each index array: its source axis and stride

  Dims shape() const;
};
GatherAxes gather_axes(std::span<const int64_t> code, int64_t position,
                       std::span<const int64_t> shape, std::span<const int64_t> strides,
                       std::span<const Dims> index_shapes, const char* op);

}  // namespace tapegrad
