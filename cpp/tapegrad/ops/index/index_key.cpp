#include "tapegrad/ops/index/index_key.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tapegrad/base/error.h"
#include "tapegrad/kernels/array/index.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/integers.h"
#include "tapegrad/scalar/functions/function_list.h"
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

// How many of the arrays beside a key are of this entry, as it was written.
size_t arrays_of(const IndexEntry& e) {
  return e.kind == IndexEntry::bounds ? 2 : static_cast<size_t>(has_array(e));
}

size_t axes_taken(const IndexEntry& e, const Ref* array) {
  if (e.kind == IndexEntry::mask) return static_cast<size_t>(array->ndim());
  return e.kind == IndexEntry::position || e.kind == IndexEntry::slice ||
         e.kind == IndexEntry::positions || e.kind == IndexEntry::bounds;
}

// Whether all arrays are plain masks and positions, with axes: there is nothing to learn.
bool are_plain(std::span<const Ref> arrays) {
  return std::all_of(arrays.begin(), arrays.end(), [](const Ref& r) {
    return !r.tracked() && r.ndim() > 0 && (is_bool(r.dtype()) || r.dtype() == DType::int64);
  });
}

Ref of_integers(ScalarFn fn, const Ref& a, const Ref& b) {
  const Operand operands[] = {{.ref = a}, {.ref = b}};
  return integer_arithmetic(fn, operands).value();
}

// The positions between two bounds, where both stand inside the axis. That they do, and how far
// they are apart, is learned; nothing where they don't.
std::optional<Ref> positions_between(const Ref& start, const Ref& stop, int64_t length) {
  const auto number = [](int64_t i) { return Ref(Value::integer_scalar(i)); };
  const int64_t first = start.value().as_int64(), last = stop.value().as_int64();
  if (first < 0 || last < first || last > length) return std::nullopt;
  const Ref over = of_integers(scalar_fn_of<Maximum>(), stop, number(length));
  const Ref under = of_integers(scalar_fn_of<Minimum>(), start, number(0));
  learn_distance(of_integers(scalar_fn_of<Subtract>(), over, under));
  learn_distance(of_integers(scalar_fn_of<Subtract>(), stop, start));
  const int64_t count = last - first;
  Value steps = Value::empty(DType::int64, Dims{count});
  for (int64_t i = 0; i < count; ++i) steps.data<int64_t>()[i] = i;
  return of_integers(scalar_fn_of<Add>(), start, Ref(std::move(steps)));
}

// Settles which of a key's arrays stay recorded, and learns the others.
class KeyLearner {
 public:
  KeyLearner(std::span<const IndexEntry> entries, std::vector<Ref>& arrays,
             std::span<const int64_t> shape, KeyUse use)
      : given_(arrays), shape_(shape), use_(use), entries_(entries.begin(), entries.end()) {
    const Ref* own = arrays.data();
    bool takes_numbers = true;  // and nothing else
    for (const IndexEntry& e : entries) {
      const bool is_number = e.kind == IndexEntry::positions && own->ndim() == 0;
      taken_ += axes_taken(e, own);
      shows_ &= e.kind != IndexEntry::flag && !e.is_array && (!has_array(e) || is_number);
      takes_numbers &= is_number || e.kind == IndexEntry::position;
      own += arrays_of(e);
    }
    takes_element_ = takes_numbers && entries.size() == shape.size();
  }

  // The entries, with plain numbers where those were learned; the arrays become those that stay.
  // `shows`: whether those say what a view shows.
  std::vector<IndexEntry> entries(bool* shows) {
    const Ref* own = given_.data();
    size_t axis = 0;
    for (IndexEntry& e : entries_) {
      const IndexEntry written = e;
      if (e.kind == IndexEntry::bounds) {
        settle_bounds(e, own[0], own[1], axis);
      } else if (has_array(e)) {
        settle_array(e, *own);
      }
      axis += e.kind == IndexEntry::ellipsis ? shape_.size() - taken_ : axes_taken(written, own);
      own += arrays_of(written);
    }
    *shows = shows_ && !kept_.empty();
    given_ = std::move(kept_);
    return std::move(entries_);
  }

 private:
  // Beside an array with axes all that a key chooses is a copy, and numbers do no harm.
  bool keeps_number(const IndexEntry& e) const {
    if (use_ == KeyUse::write || takes_element_) return true;
    return !e.is_array && (use_ == KeyUse::read || !shows_);
  }

  void settle_array(IndexEntry& e, Ref array) {
    const bool is_mask = e.kind == IndexEntry::mask, is_single = array.ndim() == 0;
    if (array.tracked() && (is_mask || (is_single && !keeps_number(e)))) array = Ref(learn(array));
    if (is_single && !array.tracked()) {
      e = {.kind = is_mask ? IndexEntry::flag : IndexEntry::position,
           .start = array.value().as_int64(),
           .is_array = e.is_array};
    } else {
      kept_.push_back(is_mask ? std::move(array) : cast(array, DType::int64));
    }
  }

  void settle_bounds(IndexEntry& e, const Ref& start, const Ref& stop, size_t axis) {
    if (shows_ && !has_bounds_ && use_ != KeyUse::read_elements && e.step == 1) {
      if (std::optional<Ref> between = positions_between(cast(start, DType::int64),
                                                         cast(stop, DType::int64), shape_[axis])) {
        kept_.push_back(*std::move(between));
        has_bounds_ = true;
        return;
      }
    }
    e = {.kind = IndexEntry::slice,
         .has_start = true,
         .has_stop = true,
         .start = learn(start).as_int64(),
         .stop = learn(stop).as_int64(),
         .step = e.step};
  }

  std::vector<Ref>& given_;
  std::span<const int64_t> shape_;
  KeyUse use_;
  std::vector<IndexEntry> entries_;
  std::vector<Ref> kept_{};
  size_t taken_ = 0;   // axes
  bool shows_ = true;  // what the key chooses is a view in NumPy
  bool takes_element_ = false, has_bounds_ = false;
};

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

// How many axes the entries take, of an array that has as many.
size_t count_axes(std::span<const IndexEntry> entries, std::span<const Ref> arrays, size_t ndim) {
  size_t taken = 0, k = 0, ellipses = 0;
  for (const IndexEntry& e : entries) {
    taken += axes_taken(e, arrays.data() + k);
    k += arrays_of(e);
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

Value positions_where(const Value& mask) {
  const Value packed = mask.contiguous();
  return std::move(nonzero(packed.data<bool>(), packed.shape())[0]);
}

IndexKey resolve_key(std::span<const IndexEntry> given, std::vector<Ref> arrays,
                     std::span<const int64_t> shape, KeyUse use) {
  const size_t taken = count_axes(given, arrays, shape.size());
  IndexKey key;
  std::vector<IndexEntry> learned;
  if (!are_plain(arrays)) learned = KeyLearner(given, arrays, shape, use).entries(&key.shows);
  const std::span<const IndexEntry> entries = learned.empty() ? given : learned;
  key.spec.code.reserve(4 * (shape.size() - taken + entries.size()));
  Placement placement;
  size_t axis = 0, k = 0;
  int64_t kept = 0, between = 0;
  bool advanced = false;
  const auto take_rest = [&] {
    for (size_t left = shape.size() - taken; left > 0; --left, ++kept)
      key.spec.whole(shape[axis++]);
  };
  for (const IndexEntry& e : entries) {
    if (e.kind == IndexEntry::position || e.kind == IndexEntry::flag || has_array(e)) {
      placement.index(kept);
      advanced |= e.kind != IndexEntry::position;
    } else if (e.kind == IndexEntry::bounds) {
      between = kept;
      advanced = true;
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
      case IndexEntry::bounds:
        key.clipped = true;  // an axis of another length may cut them off
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
  if (advanced) key.spec.position = key.shows ? between : placement.position();
  check_result_ndim(key.spec);
  return key;
}

}  // namespace tapegrad
