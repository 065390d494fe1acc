#include "tapegrad/ops/index/index_key.h"

#include <algorithm>
#include <utility>

#include "tapegrad/base/error.h"
#include "tapegrad/kernels/array/index.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/tape/data_values.h"

namespace tapegrad {
namespace {

// A position counted from the front.
int64_t wrapped(int64_t i, size_t axis, int64_t length) {
  const int64_t at = i < 0 ? i + length : i;
  if (at < 0 || at >= length)
    throw_error<IndexError>("index ", i, " is out of bounds for axis ", axis, " with size ",
                            length);
  return at;
}

// A bound of a slice with this sign of its step, cut off at the ends of the axis.
int64_t cut_off(int64_t bound, bool back, int64_t length) {
  if (bound < 0) bound += length;
  if (bound < 0) return back ? -1 : 0;
  return std::min(bound, back ? length - 1 : length);
}

struct SliceRange {
  int64_t start, count;
};

SliceRange range_of(const IndexEntry& e, int64_t length) {
  if (e.step == 0) throw_error<ValueError>("slice step cannot be zero");
  const bool back = e.step < 0;
  const int64_t first = e.has_start ? cut_off(e.start, back, length) : back ? length - 1 : 0;
  const int64_t stop = e.has_stop ? cut_off(e.stop, back, length) : back ? -1 : length;
  const int64_t distance = back ? first - stop : stop - first;
  // Steps may be as long as an int64 is: their size fits into an unsigned one.
  const uint64_t stride =
      back ? uint64_t{0} - static_cast<uint64_t>(e.step) : static_cast<uint64_t>(e.step);
  const int64_t count =
      distance <= 0 ? 0 : static_cast<int64_t>((static_cast<uint64_t>(distance) - 1) / stride) + 1;
  return {first, count};
}

// Whether a slice is cut off at an end of the axis, or its number of positions is not that of
// its bounds: what it takes of another length then does not follow from what it takes of this one.
bool is_clipped(const IndexEntry& e, int64_t length) {
  const bool back = e.step < 0;
  const auto outside = [&](bool given, int64_t bound) {
    if (!given) return false;
    return bound < 0 ? bound + length < 0 : bound > length || (back && bound == length);
  };
  if (outside(e.has_start, e.start) || outside(e.has_stop, e.stop)) return true;
  // Counted from the end of the axis, a bound moves with its length.
  const bool start_moves = e.has_start ? e.start < 0 : back;
  const bool stop_moves = e.has_stop ? e.stop < 0 : !back;
  if (e.step != 1 && e.step != -1 && start_moves != stop_moves) return true;
  const int64_t first = e.has_start ? cut_off(e.start, back, length) : back ? length - 1 : 0;
  const int64_t last = e.has_stop ? cut_off(e.stop, back, length) : back ? -1 : length;
  return back ? last > first : last < first;
}

// Where the axes of the index arrays go: in place of the indices where those stand side by side, in
// front of all other axes where a slice, a new axis or an Ellipsis (even an empty one) divides
// them.
class Placement {
 public:
  void index(int64_t axes_before) {
    if (state_ == none) {
      position_ = axes_before;
      state_ = inside;
    } else if (state_ == behind) {
      position_ = 0;
      state_ = divided;
    }
  }
  void other() {
    if (state_ == inside) state_ = behind;
  }
  int64_t position() const { return position_; }

 private:
  enum { none, inside, behind, divided } state_ = none;
  int64_t position_ = 0;
};

bool has_array(const IndexEntry& e) {
  return e.kind == IndexEntry::positions || e.kind == IndexEntry::mask;
}

// Whether a key takes one element by single numbers, recorded ones among them.
bool takes_element(std::span<const IndexEntry> entries, std::span<const Ref> arrays, size_t ndim) {
  if (entries.size() != ndim) return false;
  size_t k = 0;
  for (const IndexEntry& e : entries) {
    if (e.kind == IndexEntry::mask || (e.kind == IndexEntry::positions && arrays[k].ndim() > 0))
      return false;
    if (e.kind != IndexEntry::positions && e.kind != IndexEntry::position) return false;
    k += has_array(e);
  }
  return true;
}

// Whether all arrays are plain masks and positions, with axes: there is nothing to learn.
bool are_plain(std::span<const Ref> arrays) {
  return std::all_of(arrays.begin(), arrays.end(), [](const Ref& r) {
    return !r.tracked() && r.ndim() > 0 && (is_bool(r.dtype()) || r.dtype() == DType::int64);
  });
}

// Learns what can't stay recorded, and makes plain single numbers and flags of arrays without axes.
std::vector<IndexEntry> learn_entries(std::span<const IndexEntry> entries, std::vector<Ref>& arrays,
                                      size_t ndim, KeyUse use) {
  const bool keeps_numbers = use == KeyUse::write || takes_element(entries, arrays, ndim);
  std::vector<IndexEntry> found(entries.begin(), entries.end());
  std::vector<Ref> kept;
  size_t k = 0;
  for (IndexEntry& e : found) {
    if (!has_array(e)) continue;
    Ref array = std::move(arrays[k++]);
    const bool is_mask = e.kind == IndexEntry::mask, is_single = array.ndim() == 0;
    if (array.tracked() && (is_mask || (is_single && !keeps_numbers))) array = Ref(learn(array));
    if (is_single && !array.tracked()) {
      e = {.kind = is_mask ? IndexEntry::flag : IndexEntry::position,
           .start = array.value().as_int64()};
    } else {
      kept.push_back(is_mask ? std::move(array) : cast(array, DType::int64));
    }
  }
  arrays = std::move(kept);
  return found;
}

void append_mask(IndexKey& key, const Value& mask, std::span<const int64_t> shape, size_t axis) {
  const Dims dims = mask.shape();
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i] != shape[axis + i] && dims[i] != 0)  // NumPy takes an empty mask for any axis
      throw_error<IndexError>("boolean index did not match indexed array along axis ", axis + i,
                              "; size of axis is ", shape[axis + i],
                              " but size of corresponding boolean axis is ", dims[i]);
  const Value packed = mask.contiguous();
  for (Value& positions : nonzero(packed.data<bool>(), dims)) {
    key.spec.array();
    key.arrays.push_back(std::move(positions));
  }
}

size_t axes_taken(const IndexEntry& e, const Ref* array) {
  if (e.kind == IndexEntry::mask) return static_cast<size_t>(array->ndim());
  return e.kind == IndexEntry::position || e.kind == IndexEntry::slice ||
         e.kind == IndexEntry::positions;
}

// How many axes the entries take, of an array that has as many.
size_t count_axes(std::span<const IndexEntry> entries, std::span<const Ref> arrays, size_t ndim) {
  size_t taken = 0, k = 0, ellipses = 0;
  for (const IndexEntry& e : entries) {
    taken += axes_taken(e, has_array(e) ? &arrays[k++] : nullptr);
    ellipses += e.kind == IndexEntry::ellipsis;
  }
  if (ellipses > 1) throw_error<IndexError>("an index can only have a single ellipsis ('...')");
  if (taken > ndim)
    throw_error<IndexError>("too many indices for array: array is ", ndim, "-dimensional, but ",
                            taken, " were indexed");
  return taken;
}

void check_result_ndim(const IndexSpec& spec) {
  const IndexItems items = spec.items();
  if (items.size() <= static_cast<size_t>(max_ndim)) return;
  size_t ndim = 0;
  for (size_t k = 0; k < items.size(); ++k) ndim += items[k].makes_axis();
  if (ndim > static_cast<size_t>(max_ndim))
    throw_error<IndexError>("number of dimensions must be within [0, ", max_ndim,
                            "], indexing result would have ", ndim);
}

}  // namespace

IndexKey resolve_key(std::span<const IndexEntry> given, std::vector<Ref> arrays,
                     std::span<const int64_t> shape, KeyUse use) {
  std::vector<IndexEntry> learned;
  if (!are_plain(arrays)) learned = learn_entries(given, arrays, shape.size(), use);
  const std::span<const IndexEntry> entries = learned.empty() ? given : learned;
  const size_t taken = count_axes(entries, arrays, shape.size());
  IndexKey key;
  key.spec.code.reserve(4 * (shape.size() - taken + entries.size()));
  Placement placement;
  size_t axis = 0, k = 0;
  int64_t kept = 0;
  bool advanced = false;
  const auto take_rest = [&] {
    for (size_t left = shape.size() - taken; left > 0; --left, ++kept)
      key.spec.whole(shape[axis++]);
  };
  for (const IndexEntry& e : entries) {
    if (e.kind == IndexEntry::position || e.kind == IndexEntry::flag || has_array(e)) {
      placement.index(kept);
      advanced |= e.kind != IndexEntry::position;
    } else {
      placement.other();
    }
    switch (e.kind) {
      case IndexEntry::position:
        key.copies |= e.is_array;
        key.spec.at(wrapped(e.start, axis, shape[axis]));
        ++axis;
        break;
      case IndexEntry::slice: {
        key.clipped |= is_clipped(e, shape[axis]);
        const SliceRange r = range_of(e, shape[axis]);
        key.spec.range(r.start, e.step, r.count);
        ++axis;
        ++kept;
        break;
      }
      case IndexEntry::newaxis:
        key.spec.newaxis();
        ++kept;
        break;
      case IndexEntry::ellipsis:
        key.has_ellipsis = true;
        take_rest();
        break;
      case IndexEntry::flag:
        key.spec.flag(e.start != 0);
        break;
      case IndexEntry::positions:
        key.spec.array();
        key.arrays.push_back(std::move(arrays[k++]));
        ++axis;
        break;
      case IndexEntry::mask:
        append_mask(key, arrays[k].value(), shape, axis);
        axis += static_cast<size_t>(arrays[k++].ndim());
        break;
    }
  }
  if (!key.has_ellipsis) take_rest();
  if (advanced) key.spec.position = placement.position();
  check_result_ndim(key.spec);
  return key;
}

}  // namespace tapegrad
