#include "tapegrad/base/promotion.h"

#include <algorithm>
#include <type_traits>

namespace tapegrad {
namespace {

// The order of kinds in which values may be converted upwards alone.
int kind_rank(DType d) {
  if (is_floating(d)) return 3;
  if (is_bool(d)) return 0;
  return d >= DType::uint8 ? 1 : 2;
}

}  // namespace

bool can_hold(DType d, int64_t x) {
  return visit_dtype(d, [x](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_same_v<T, uint64_t>) return x >= 0;
    return static_cast<int64_t>(static_cast<T>(x)) == x;
  });
}

bool can_cast_same_kind(DType from, DType to) { return kind_rank(from) <= kind_rank(to); }

std::optional<DType> common_integer_dtype(std::span<const DType> dtypes,
                                          std::span<const int64_t> python_ints) {
  DType d = DType::bool_;
  for (const DType one : dtypes) d = promote(d, one);
  if (!python_ints.empty() && is_bool(d)) d = DType::int64;
  const auto is_held = [d](int64_t x) { return can_hold(d, x); };
  if (!is_integer(d) || !std::ranges::all_of(python_ints, is_held)) return std::nullopt;
  return d;
}

}  // namespace tapegrad
