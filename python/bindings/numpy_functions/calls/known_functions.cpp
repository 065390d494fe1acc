#include "bindings/numpy_functions/calls/known_functions.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

// Every call of a NumPy function with a Variable looks its function up, so it is found by its
// address, in a table of which half is free.

namespace tapegrad {
namespace {

struct Slot {
  PyObject* function = nullptr;
  std::unique_ptr<KnownFunction> known;
};

struct Table {
  std::vector<Slot> slots{size_t{1} << 10};
  size_t count = 0;

  // Where the function is, or would be.
  Slot& at(PyObject* function) {
    const size_t mask = slots.size() - 1;
    size_t i = ((reinterpret_cast<uintptr_t>(function) >> 4) * 0x9E3779B97F4A7C15u >> 32) & mask;
    while (slots[i].function != nullptr && slots[i].function != function) i = (i + 1) & mask;
    return slots[i];
  }
  void grow() {
    std::vector<Slot> old(2 * slots.size());
    old.swap(slots);
    for (Slot& s : old)
      if (s.function != nullptr) at(s.function) = std::move(s);
  }
};

Table& table() {
  static auto* const functions = new Table;
  return *functions;
}

}  // namespace

KnownFunction* find_known(PyObject* function) { return table().at(function).known.get(); }

KnownFunction& make_known(const pybind11::object& function) {
  Table& functions = table();
  if (KnownFunction* const known = find_known(function.ptr())) return *known;
  if (2 * ++functions.count > functions.slots.size()) functions.grow();
  Slot& slot = functions.at(function.ptr());
  slot = {pybind11::object(function).release().ptr(), std::make_unique<KnownFunction>()};
  return *slot.known;
}

}  // namespace tapegrad
