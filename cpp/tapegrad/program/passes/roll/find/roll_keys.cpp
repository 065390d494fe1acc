#include "tapegrad/program/passes/roll/find/roll_keys.h"

#include <algorithm>

namespace tapegrad {
namespace {

// First and last position; ranges count by their ends, whatever lies between.
std::pair<int64_t, int64_t> ends(const IndexItem& item) {
  if (item.kind == IndexKind::at || item.length == 0) return {item.start, item.start};
  return std::minmax({item.start, item.start + item.step * (item.length - 1)});
}

}  // namespace

std::optional<KeyMove> key_move(std::span<const int64_t> from, std::span<const int64_t> to) {
  if (from.size() != to.size()) return std::nullopt;
  const auto differ = std::mismatch(from.begin(), from.end(), to.begin());
  if (differ.first == from.end()) return std::nullopt;
  const auto place = static_cast<size_t>(differ.first - from.begin());
  const size_t item = place / 4;
  if (IndexItems(from)[item].kind != IndexKind::at || IndexItems(to)[item].kind != IndexKind::at ||
      !std::equal(differ.first + 1, from.end(), differ.second + 1))
    return std::nullopt;
  return KeyMove{item, *differ.second - *differ.first};
}

bool note_moves(std::span<const int64_t> from, std::span<const int64_t> to,
                std::vector<size_t>& items) {
  if (from.size() != to.size()) return false;
  const IndexItems a(from), b(to);
  for (size_t k = 0; k < a.size(); ++k) {
    if (std::ranges::equal(from.subspan(4 * k, 4), to.subspan(4 * k, 4))) continue;
    if (a[k].kind != IndexKind::at || b[k].kind != IndexKind::at) return false;
    if (std::ranges::find(items, k) == items.end()) items.push_back(k);
  }
  return true;
}

std::vector<int64_t> with_arrays(std::span<const int64_t> code, std::span<const size_t> items) {
  std::vector<int64_t> found(code.begin(), code.end());
  const int64_t array[] = {static_cast<int64_t>(IndexKind::array), 0, 0, 0};
  for (size_t k : items)
    std::ranges::copy(array, found.begin() + static_cast<std::ptrdiff_t>(4 * k));
  return found;
}

bool apart_beside(std::span<const int64_t> a, std::span<const int64_t> b, size_t item) {
  const IndexItems x(a), y(b);
  for (size_t k = 0; k < std::min(x.size(), y.size()); ++k) {
    // After an axis that only one of them makes, items of one number are of different axes.
    if (!x[k].takes_axis() || !y[k].takes_axis()) return false;
    if (k == item) continue;
    const auto [x_low, x_high] = ends(x[k]);
    const auto [y_low, y_high] = ends(y[k]);
    if (x_high < y_low || y_high < x_low) return true;
  }
  return false;
}

std::vector<int64_t> with_range(std::span<const int64_t> code, KeyMove move, int64_t n) {
  std::vector<int64_t> wide(code.begin(), code.end());
  const int64_t start = code[4 * move.item + 1];
  const int64_t range[] = {static_cast<int64_t>(IndexKind::range), start, move.by, n};
  std::ranges::copy(range, wide.begin() + static_cast<std::ptrdiff_t>(4 * move.item));
  return wide;
}

size_t range_axis(std::span<const int64_t> code, size_t item, int source_axes) {
  const IndexItems items(code);
  auto axis = static_cast<size_t>(source_axes - items.source_axes());
  for (size_t k = 0; k < item; ++k) axis += items[k].makes_axis();
  return axis;
}

}  // namespace tapegrad
