#include "tapegrad/base/dtype.h"

#include <algorithm>

namespace tapegrad {

const char* dtype_name(DType d) {
  static const char* const names[dtype_count] = {"bool",   "int8",    "int16",  "int32",
                                                 "int64",  "uint8",   "uint16", "uint32",
                                                 "uint64", "float32", "float64"};
  return names[static_cast<int>(d)];
}

namespace {

bool is_unsigned(DType d) { return d >= DType::uint8 && d <= DType::uint64; }

DType signed_of_size(size_t bytes) {
  return bytes == 1   ? DType::int8
         : bytes == 2 ? DType::int16
         : bytes == 4 ? DType::int32
                      : DType::int64;
}

}  // namespace

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (is_bool(a)) return b;
  if (is_bool(b)) return a;
  if (is_floating(a) || is_floating(b)) {
    if (is_floating(a) && is_floating(b)) return DType::float64;
    const DType floating = is_floating(a) ? a : b;
    const DType integer = is_floating(a) ? b : a;
    return floating == DType::float32 && item_size(integer) <= 2 ? DType::float32 : DType::float64;
  }
  if (is_unsigned(a) == is_unsigned(b)) return item_size(a) >= item_size(b) ? a : b;
  const DType u = is_unsigned(a) ? a : b;
  const DType s = is_unsigned(a) ? b : a;
  if (item_size(s) > item_size(u)) return s;
  if (item_size(u) == 8) return DType::float64;
  return signed_of_size(2 * item_size(u));
}

}  // namespace tapegrad
