#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace tapegrad {

// Whether additions to parts, by number, come in the same order again and again, but for the first
// and last turns, or all those to one part together. Where data say what is added to
// (w[labels[t]]), they do not.
inline bool come_in_turns(std::span<const uint32_t> parts, size_t n_parts) {
  constexpr size_t most_periods = 8;  // that are tried
  const auto repeats = [](std::span<const uint32_t> some) {
    size_t tries = 0;
    for (size_t period = 1; 2 * period <= some.size() && tries < most_periods; ++period) {
      if (some[period] != some[0]) continue;
      ++tries;
      if (std::ranges::equal(some.subspan(period), some.first(some.size() - period))) return true;
    }
    return false;
  };
  size_t changes = 1;
  for (size_t i = 1; i < parts.size(); ++i) changes += parts[i] != parts[i - 1];
  const size_t quarter = parts.size() / 4;
  return changes <= n_parts || repeats(parts.subspan(quarter, parts.size() - 2 * quarter)) ||
         repeats(parts);
}

}  // namespace tapegrad
