#include "tapegrad/program/passes/local/part_keys.h"

#include <algorithm>
#include <utility>

#include "tapegrad/ops/index/index_spec.h"

namespace tapegrad {
namespace {

// The positions from `low` to below `high`; all of them, or not.
struct Interval {
  int64_t low, high;
  bool is_dense;
};
Interval interval_of(const IndexItem& item) {
  if (item.kind == IndexKind::at) return {item.start, item.start + 1, true};
  if (item.length == 0) return {0, 0, true};
  const auto [low, high] = std::minmax({item.start, item.start + item.step * (item.length - 1)});
  return {low, high + 1, item.step == 1};
}

// Whether b takes some of the positions that a takes, in their order, and has no axis that a lacks.
bool is_within(const IndexItem& b, const IndexItem& a) {
  if (a.kind == IndexKind::at) return b.kind == IndexKind::at && a.start == b.start;
  const Interval x = interval_of(a), y = interval_of(b);
  return x.is_dense && y.is_dense && x.low <= y.low && y.high <= x.high;
}

}  // namespace

Overlap overlap_of(std::span<const int64_t> first, std::span<const int64_t> second) {
  const IndexItems a(first), b(second);
  if (a.size() != b.size()) return Overlap::unclear;
  if (std::ranges::equal(first, second)) return Overlap::same;
  bool inside = true, around = true;
  for (size_t k = 0; k < a.size(); ++k) {
    const Interval x = interval_of(a[k]), y = interval_of(b[k]);
    if (x.high <= y.low || y.high <= x.low) return Overlap::none;
    inside &= is_within(b[k], a[k]);
    around &= is_within(a[k], b[k]);
  }
  return inside ? Overlap::inside : around ? Overlap::around : Overlap::unclear;
}

std::vector<int64_t> key_within(std::span<const int64_t> inner, std::span<const int64_t> outer) {
  const IndexItems a(inner), b(outer);
  IndexSpec key;
  for (size_t k = 0; k < a.size(); ++k)
    if (b[k].kind == IndexKind::range)
      key.append(a[k].kind, a[k].start - b[k].start, a[k].step, a[k].length);
  return key.code;
}

std::optional<std::vector<int64_t>> key_of_both(std::span<const int64_t> outer,
                                                std::span<const int64_t> inner) {
  const IndexItems a(outer), b(inner);
  IndexSpec key;
  size_t next = 0;
  const auto new_axes = [&] {
    for (; next < b.size() && !b[next].takes_axis(); ++next) key.newaxis();
  };
  for (size_t k = 0; k < a.size(); ++k) {
    const IndexItem x = a[k];
    if (x.kind == IndexKind::at) {
      key.at(x.start);
      continue;
    }
    new_axes();
    if (next == b.size()) return std::nullopt;
    const IndexItem y = b[next++];
    if (y.kind == IndexKind::range && y.length == 0) return std::nullopt;
    if (x.kind == IndexKind::newaxis) {
      if (y.kind == IndexKind::range && y.length != 1) return std::nullopt;
      if (y.kind == IndexKind::range) key.newaxis();
    } else if (y.kind == IndexKind::at) {
      key.at(x.start + x.step * y.start);
    } else {
      key.range(x.start + x.step * y.start, x.step * y.step, y.length);
    }
  }
  new_axes();
  if (next != b.size()) return std::nullopt;
  return std::move(key.code);
}

}  // namespace tapegrad
