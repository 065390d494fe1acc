// The number of a scalar function and what is known about it. Files that name none include this
// header and not functions/function_list.h, so that a new function compiles few of them again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#ifndef TAPEGRAD_ISA_NAMESPACE
#define TAPEGRAD_ISA_NAMESPACE isa_any
#endif

namespace tapegrad {

enum class ScalarFn : uint16_t {};

// There are fewer functions than this: tables have so many places, and numbers from here on are
// free for other uses.
constexpr size_t scalar_fn_limit = 128;

constexpr size_t index_of(ScalarFn f) { return static_cast<size_t>(f); }

struct ScalarFnInfo {
  const char* name = "";  // NumPy's ufunc name where there is one
  int arity = 1;
  bool returns_bool = false;
  unsigned data_inputs = 0;  // bit i: input i is data, never differentiated
  double ns = 1;             // rough cost per element
};

const ScalarFnInfo& scalar_fn_info(ScalarFn f);
std::optional<ScalarFn> find_scalar_fn(std::string_view name);

}  // namespace tapegrad
