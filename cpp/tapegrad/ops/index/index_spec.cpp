#include "tapegrad/ops/index/index_spec.h"

#include <array>
#include <memory>
#include <utility>

#include "tapegrad/base/error.h"
#include "tapegrad/base/pooled.h"

namespace tapegrad {

int IndexItems::source_axes() const {
  int n = 0;
  for (size_t k = 0; k < size(); ++k) n += (*this)[k].takes_axis();
  return n;
}

int IndexItems::index_arrays() const {
  int n = 0;
  for (size_t k = 0; k < size(); ++k) n += (*this)[k].kind == IndexKind::array;
  return n;
}

bool IndexItems::is_basic() const {
  for (size_t k = 0; k < size(); ++k)
    if ((*this)[k].is_advanced()) return false;
  return true;
}

IndexSpec& IndexSpec::append(IndexKind kind, int64_t start, int64_t step, int64_t length) {
  code.insert(code.end(), {static_cast<int64_t>(kind), start, step, length});
  return *this;
}

IndexSpec IndexSpec::along(std::span<const int64_t> shape, int axis, int64_t start, int64_t step,
                           int64_t length) {
  IndexSpec spec;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (static_cast<int>(i) == axis) {
      spec.range(start, step, length);
    } else {
      spec.whole(shape[i]);
    }
  }
  return spec;
}

IndexSpec IndexSpec::entry(std::span<const int64_t> shape, int axis, int64_t entry) {
  IndexSpec spec;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (static_cast<int>(i) == axis) {
      spec.at(entry);
    } else {
      spec.whole(shape[i]);
    }
  }
  return spec;
}

namespace {

// Where a thread remembers the attributes of a basic key; null for other keys. A part that is read
// at all is read several times, as a rule, and written once: whoever records that shares the
// attributes. Neighbours have places of their own, so that one row of a table is still there when
// the next one is made.
Attrs* recent_place(std::span<const int64_t> code) {
  constexpr size_t n_recent = 1024;
  uint64_t place = 0;
  for (size_t k = 0; k < code.size(); k += 4) {
    if (code[k] > static_cast<int64_t>(IndexKind::newaxis)) return nullptr;
    const auto at = [&](size_t i) { return static_cast<uint64_t>(code[k + i]); };
    place = 401 * place + 131 * at(0) + at(1) + 31 * (at(2) + 7 * at(3));
  }
  if (code.empty()) return nullptr;
  // Behind a pointer: the memory that threads have from their start is scarce.
  thread_local std::unique_ptr<std::array<Attrs, n_recent>> recent;
  if (!recent) recent = std::make_unique<std::array<Attrs, n_recent>>();
  return &(*recent)[place % n_recent];
}

}  // namespace

Attrs IndexSpec::attrs() const& {
  if (const Attrs* known = recent_place(code);
      known && !known->empty() && known->integers(index_attrs::code) == code)
    return *known;
  return IndexSpec(*this).attrs();
}

Attrs IndexSpec::attrs() && {
  Attrs* const known = recent_place(code);
  if (known && !known->empty() && known->integers(index_attrs::code) == code) return *known;
  const bool basic = is_basic();
  Attr list[] = {std::move(code), position};
  Attrs made(std::span<Attr>(list, basic ? 1 : 2));
  if (known) *known = made;
  return made;
}

IndexSpec IndexSpec::from(const Attrs& attrs) {
  return {attrs.integers(index_attrs::code), attrs.integer_or(index_attrs::position, 0)};
}

namespace {

// Guards memory: a code may come from a program's own attributes.
void check_code(std::span<const int64_t> code, const char* op) {
  if (code.size() % 4 != 0)
    throw_error<ValueError>(op, ": the code of an index has four integers for each item, got ",
                            code.size(), " in all");
}

[[noreturn]] void throw_too_many(int given, size_t ndim) {
  throw_error<IndexError>("too many indices for array: array is ", ndim, "-dimensional, but ",
                          given, " were indexed");
}

void check_item(const IndexItem& item, int64_t length, size_t axis, const char* op) {
  if (item.kind == IndexKind::at && (item.start < 0 || item.start >= length))
    throw_error<IndexError>("index ", item.start, " is out of bounds for axis ", axis,
                            " with size ", length);
  if (item.kind != IndexKind::range || item.length == 0) return;
  int64_t last = 0;
  if (item.length < 0 || item.start < 0 || item.start >= length ||
      __builtin_mul_overflow(item.step, item.length - 1, &last) ||
      __builtin_add_overflow(last, item.start, &last) || last < 0 || last >= length)
    throw_error<IndexError>(op, ": ", item.length, " positions from ", item.start, " on with step ",
                            item.step, " do not fit into axis ", axis, " with size ", length);
}

[[noreturn]] void throw_unknown(int64_t kind, const char* op) {
  throw_error<ValueError>(op, ": the code of an index holds the unknown kind ", kind);
}

// Calls item(item, axis) in order; `axis` is the source axis that the item takes, or -1.
template <class F>
void walk(std::span<const int64_t> code, std::span<const int64_t> shape, const char* op, F&& f) {
  check_code(code, op);
  const IndexItems items(code);
  const int taken = items.source_axes();
  if (static_cast<size_t>(taken) > shape.size()) throw_too_many(taken, shape.size());
  size_t axis = shape.size() - static_cast<size_t>(taken);
  for (size_t k = 0; k < items.size(); ++k) {
    const IndexItem item = items[k];
    if (item.takes_axis()) {
      check_item(item, shape[axis], axis, op);
      f(item, axis++);
    } else {
      f(item, size_t{0});
    }
  }
}

}  // namespace

std::optional<Box> part_of_code(std::span<const int64_t> code, const Dims& shape) {
  const IndexItems items(code);
  if (items.size() > shape.size()) return std::nullopt;
  Box box;
  for (size_t i = 0; i + items.size() < shape.size(); ++i) {
    box.start.push_back(0);
    box.length.push_back(shape[i]);
  }
  for (size_t k = 0; k < items.size(); ++k) {
    const IndexItem item = items[k];
    const bool single = item.kind == IndexKind::at;
    if (!single && (item.kind != IndexKind::range || (item.step != 1 && item.length > 1)))
      return std::nullopt;
    box.start.push_back(item.start);
    box.length.push_back(single ? 1 : item.length);
  }
  return box;
}

std::optional<Box> box_of_code(std::span<const int64_t> code, const Dims& shape) {
  const IndexItems items(code);
  bool ranges = items.size() < shape.size();
  for (size_t k = 0; k < items.size(); ++k) {
    const bool single = items[k].kind == IndexKind::at;
    if (single && ranges) return std::nullopt;
    ranges = ranges || !single;
  }
  return part_of_code(code, shape);
}

Region region_of(std::span<const int64_t> code, std::span<const int64_t> shape,
                 std::span<const int64_t> strides, const char* op) {
  Region region;
  const auto lanes = static_cast<size_t>(
      std::max(0, static_cast<int>(shape.size()) - IndexItems(code).source_axes()));
  for (size_t i = 0; i < lanes; ++i) {
    region.shape.push_back(shape[i]);
    region.strides.push_back(strides[i]);
  }
  walk(code, shape, op, [&](const IndexItem& item, size_t axis) {
    switch (item.kind) {
      case IndexKind::at:
        region.offset += item.start * strides[axis];
        break;
      case IndexKind::range:
        region.shape.push_back(item.length);
        region.strides.push_back(item.length > 1 ? item.step * strides[axis] : strides[axis]);
        if (item.length > 0) region.offset += item.start * strides[axis];
        break;
      case IndexKind::newaxis:
        region.shape.push_back(1);
        region.strides.push_back(0);
        break;
      case IndexKind::array:
      case IndexKind::flag:
        throw_error<ValueError>(op,
                                ": takes a basic index (integers, slices, new axes); gather takes "
                                "index arrays");
      default:
        throw_unknown(static_cast<int64_t>(item.kind), op);
    }
  });
  return region;
}

Dims GatherAxes::shape() const {
  Dims all = before;
  for (int64_t d : index_shape) all.push_back(d);
  for (int64_t d : after) all.push_back(d);
  return all;
}

namespace {

Dims broadcast_index_shapes(std::span<const Dims> shapes) {
  Dims out;
  for (const Dims& s : shapes) {
    if (s.size() > out.size()) {
      Dims wider(s.size(), 1);
      std::copy(out.begin(), out.end(), wider.begin() + (s.size() - out.size()));
      out = wider;
    }
    const size_t lead = out.size() - s.size();
    for (size_t i = 0; i < s.size(); ++i) {
      int64_t& d = out[lead + i];
      if (d == 1) {
        d = s[i];
      } else if (s[i] != 1 && s[i] != d) {
        std::string text;
        for (const Dims& t : shapes) text += join_text(t) + " ";
        throw_error<IndexError>(
            "shape mismatch: indexing arrays could not be broadcast together with shapes ", text);
      }
    }
  }
  return out;
}

}  // namespace

GatherAxes gather_axes(std::span<const int64_t> code, int64_t position,
                       std::span<const int64_t> shape, std::span<const int64_t> strides,
                       std::span<const Dims> index_shapes, const char* op) {
  GatherAxes out;
  PooledVector<Dims> indices(index_shapes.begin(), index_shapes.end());
  const auto lanes = static_cast<size_t>(
      std::max(0, static_cast<int>(shape.size()) - IndexItems(code).source_axes()));
  for (size_t i = 0; i < lanes; ++i) {
    out.before.push_back(shape[i]);
    out.before_strides.push_back(strides[i]);
  }
  int64_t kept = 0;
  const auto keep = [&](int64_t length, int64_t stride) {
    (kept < position ? out.before : out.after).push_back(length);
    (kept < position ? out.before_strides : out.after_strides).push_back(stride);
    ++kept;
  };
  walk(code, shape, op, [&](const IndexItem& item, size_t axis) {
    switch (item.kind) {
      case IndexKind::at:
        out.offset += item.start * strides[axis];
        break;
      case IndexKind::range:
        if (item.length > 0) out.offset += item.start * strides[axis];
        keep(item.length, item.length > 1 ? item.step * strides[axis] : strides[axis]);
        break;
      case IndexKind::newaxis:
        keep(1, 0);
        break;
      case IndexKind::array:
        out.array_axes.push_back(static_cast<int64_t>(axis));
        out.array_strides.push_back(strides[axis]);
        break;
      case IndexKind::flag:
        indices.push_back({item.length});
        break;
      default:
        throw_unknown(static_cast<int64_t>(item.kind), op);
    }
  });
  if (out.array_axes.size() != index_shapes.size())
    throw_error<ValueError>(op, ": the index wants ", out.array_axes.size(), " index arrays, got ",
                            index_shapes.size());
  out.index_shape = broadcast_index_shapes(indices);
  const size_t ndim = out.before.size() + out.index_shape.size() + out.after.size();
  if (ndim > static_cast<size_t>(max_ndim))
    throw_error<IndexError>("number of dimensions must be within [0, ", max_ndim,
                            "], indexing result would have ", ndim);
  return out;
}

Dims result_shape(const IndexSpec& spec, std::span<const int64_t> shape) {
  return region_of(spec.code, shape, contiguous_strides(shape), "index").shape;
}

Dims result_shape(const IndexSpec& spec, std::span<const int64_t> shape,
                  std::span<const Dims> index_shapes) {
  return gather_axes(spec.code, spec.position, shape, contiguous_strides(shape), index_shapes,
                     "index")
      .shape();
}

}  // namespace tapegrad
