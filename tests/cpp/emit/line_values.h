// What each line says, in C++, to hold compiled programs against.
#pragma once

#include <cmath>
#include <cstring>
#include <vector>

#include "tapegrad/emit/line.h"

namespace tapegrad::emit {

template <class T>
T value_of(const Line& line, T a, T b, T c) {
  switch (line.function) {
    case Function::add:
      return a + b;
    case Function::subtract:
      return a - b;
    case Function::multiply:
      return a * b;
    case Function::divide:
      return a / b;
    case Function::square:
      return a * a;
    case Function::negative:
      return -a;
    case Function::absolute:
      return std::fabs(a);
    case Function::reciprocal:
      return 1 / a;
    case Function::root:
      return std::sqrt(a);
    case Function::strong_product:
      return a == 0 ? T(0) : a * b;
    case Function::zero_product:
      return a == 0 || b == 0 ? T(0) : a * b;
    case Function::maximum:
      return a >= b || a != a ? a : b;
    case Function::minimum:
      return a <= b || a != a ? a : b;
    case Function::less:
      return a < b;
    case Function::less_equal:
      return a <= b;
    case Function::greater:
      return a > b;
    case Function::greater_equal:
      return a >= b;
    case Function::equal:
      return a == b;
    case Function::not_equal:
      return a != b;
    case Function::logical_and:
      return a != 0 && b != 0;
    case Function::logical_or:
      return a != 0 || b != 0;
    case Function::logical_not:
      return a == 0;
    case Function::is_nan:
      return a != a;
    case Function::prefer:
      return a > b ? T(1) : a == b ? T(0.5) : T(0);
    case Function::copy:
      return a;
    case Function::select:
      return a != 0 ? b : c;
    case Function::call:
      return reinterpret_cast<T (*)(T, T, T)>(reinterpret_cast<uintptr_t>(line.called))(a, b, c);
    case Function::add_product:
      return std::fma(a, b, c);
  }
  return 0;
}

inline uint8_t arity_of(Function f) {
  if (f == Function::select || f == Function::add_product) return 3;
  const bool one = f == Function::square || f == Function::negative || f == Function::absolute ||
                   f == Function::reciprocal || f == Function::root || f == Function::logical_not ||
                   f == Function::is_nan || f == Function::copy;
  return one ? 1 : 2;
}

template <class T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (!(a[i] != a[i] && b[i] != b[i]) && std::memcmp(&a[i], &b[i], sizeof(T)) != 0) return false;
  return true;
}

}  // namespace tapegrad::emit
