#include <algorithm>

#include "tapegrad/base/error.h"
#include "tapegrad/ops/shape/memory_order.h"
#include "tapegrad/ops/shape/shape.h"

// tile, repeat and pad: compositions of broadcasts and gathers, whose results are packed: what is
// repeated of one element would otherwise lie as that element.

namespace tapegrad {
namespace {

constexpr AttrKey reps_key{0, "reps"};
constexpr AttrKey repeats_key{0, "repeats"}, axis_key{1, "axis"};
constexpr AttrKey widths_key{0, "widths"}, mode_key{1, "mode"}, fill_key{2, "fill"};

Ref flattened(const Ref& a) { return reshape(a, Dims{a.size()}); }

// tile (reps): (d0, d1) becomes (r0, d0, r1, d1), then (r0 d0, r1 d1).
std::vector<Ref> compose_tile(const Attrs& attrs, std::span<const Ref> in) {
  std::vector<int64_t> reps = axis_list(attrs, reps_key);
  Dims shape = in[0].shape();
  const size_t ndim = std::max(shape.size(), reps.size());
  reps.insert(reps.begin(), ndim - reps.size(), 1);
  Dims narrow, wide, result;
  for (size_t i = 0; i < ndim; ++i) {
    const int64_t n = i + shape.size() < ndim ? 1 : shape[i + shape.size() - ndim];
    if (reps[i] < 0)
      throw_error<ValueError>("tile: negative dimensions are not allowed: reps ", to_dims(reps));
    if (reps[i] != 1) {
      narrow.push_back(1);
      wide.push_back(reps[i]);
    }
    narrow.push_back(n);
    wide.push_back(n);
    result.push_back(n * reps[i]);
  }
  return {in_c_order(reshape(broadcast_to(reshape(in[0], narrow), wide), result))};
}

// repeat (counts: one, or one for each position; axis or None)
std::vector<Ref> compose_repeat(const Attrs& attrs, std::span<const Ref> in) {
  const std::vector<int64_t> counts = axis_list(attrs, repeats_key);
  const bool flat = attrs.is_none(axis_key) || in[0].ndim() == 0;
  const Ref x = flat ? flattened(in[0]) : in[0];
  const int axis =
      attrs.is_none(axis_key) ? 0 : normalize_axis(attrs.integer(axis_key), x.ndim(), "repeat");
  const auto at = static_cast<size_t>(axis);
  Dims shape = x.shape();
  for (int64_t count : counts)
    if (count < 0)
      throw_error<ValueError>("repeat: repeats may not contain negative values: ", to_dims(counts));
  if (counts.size() == 1) {
    Dims wide(shape.size() + 1);
    for (size_t i = 0; i < wide.size(); ++i)
      wide[i] = i <= at ? shape[i] : i == at + 1 ? counts[0] : shape[i - 1];
    shape[at] *= counts[0];
    return {in_c_order(reshape(broadcast_to(expand_dims(x, axis + 1), wide), shape))};
  }
  if (static_cast<int64_t>(counts.size()) != shape[at])
    throw_error<ValueError>("repeat: operands could not be broadcast together with shape (",
                            shape[at], ",) (", counts.size(),
                            ",): give one count, or one for each position along axis ", axis);
  std::vector<int64_t> indices;
  for (size_t i = 0; i < counts.size(); ++i)
    indices.insert(indices.end(), static_cast<size_t>(counts[i]), static_cast<int64_t>(i));
  return {gather_axis(x, axis - x.ndim(), indices)};
}

// pad (widths: before and after of each axis; mode; fill of mode 'constant')
using Source = int64_t (*)(int64_t i, int64_t n);  // where position i in [-before, n + after) reads

int64_t wrapped(int64_t i, int64_t period) { return (i % period + period) % period; }

Source source_of(const std::string& mode) {
  if (mode == "edge") return [](int64_t i, int64_t n) { return std::clamp<int64_t>(i, 0, n - 1); };
  if (mode == "wrap") return [](int64_t i, int64_t n) { return wrapped(i, n); };
  if (mode == "reflect") {
    return [](int64_t i, int64_t n) {
      const int64_t k = wrapped(i, std::max<int64_t>(2 * n - 2, 1));
      return k < n ? k : 2 * n - 2 - k;
    };
  }
  if (mode == "symmetric") {
    return [](int64_t i, int64_t n) {
      const int64_t k = wrapped(i, 2 * n);
      return k < n ? k : 2 * n - 1 - k;
    };
  }
  throw_error<ValueError>("pad: mode '", mode,
                          "' is not supported; use 'constant', 'edge', "
                          "'reflect', 'symmetric' or 'wrap'");
}

// The positions from `begin` to `end` of an axis of length n that goes on as the source says.
std::vector<int64_t> positions(Source source, int64_t n, int64_t begin, int64_t end) {
  std::vector<int64_t> found;
  for (int64_t i = begin; i < end; ++i) found.push_back(source(i, n));
  return found;
}

// Whether a border folds back more than once: what it reads then follows no rule that another
// length shares.
bool folds_twice(const std::string& mode, int64_t width, int64_t n) {
  return mode != "edge" && width > (mode == "reflect" ? n - 1 : n);
}

std::vector<Ref> compose_pad(const Attrs& attrs, std::span<const Ref> in) {
  const std::vector<int64_t> widths = axis_list(attrs, widths_key);
  const std::string& mode = attrs.text(mode_key);
  Ref x = in[0];
  const Dims shape = x.shape();
  if (mode == "constant")
    return {pad_constant(x, widths, attrs.is_none(fill_key) ? 0.0 : attrs.real(fill_key))};
  const Source source = source_of(mode);
  if (widths.size() != 2 * shape.size())
    throw_error<ValueError>("pad: expected a width before and one after for each of ", shape.size(),
                            " axes, got ", to_dims(widths));
  for (size_t i = 0; i < shape.size(); ++i) {
    const int64_t before = widths[2 * i], after = widths[2 * i + 1], n = shape[i];
    if (before < 0 || after < 0)
      throw_error<ValueError>("pad: index can't contain negative values: ", to_dims(widths),
                              "; cut with x[a:b]");
    if (before + after == 0) continue;
    if (n == 0)
      throw_error<ValueError>("pad: can't extend empty axis ", i,
                              " using modes other than 'constant' or 'empty'");
    const int64_t axis = static_cast<int64_t>(i) - shape.ndim();
    if (folds_twice(mode, std::max(before, after), n)) {
      x = gather_axis(x, axis, positions(source, n, -before, n + after));
      continue;
    }
    std::vector<Ref> parts{x};
    if (before > 0)
      parts.insert(parts.begin(), gather_axis(x, axis, positions(source, n, -before, 0)));
    if (after > 0) parts.push_back(gather_axis(x, axis, positions(source, n, n, n + after)));
    x = concatenate(std::move(parts), axis);
  }
  return {x};
}

}  // namespace

void register_repeat_ops() {
  register_op({.name = "tile",
               .attrs = {{reps_key, attr_kind::list}},
               .compose = compose_tile,
               .summary = "copies along each axis"});
  register_op({.name = "repeat",
               .attrs = {{repeats_key, attr_kind::list},
                         {axis_key, attr_kind::axis | attr_kind::none, Attr{}}},
               .compose = compose_repeat,
               .summary = "each element several times"});
  register_op({.name = "pad",
               .attrs = {{widths_key, attr_kind::list},
                         {mode_key, attr_kind::text},
                         {fill_key, attr_kind::real | attr_kind::none, Attr{}}},
               .compose = compose_pad,
               .summary = "a border; mode constant, edge, reflect, symmetric "
                          "or wrap"});
}

}  // namespace tapegrad
