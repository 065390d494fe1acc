#include "bindings/recording.h"

#include <algorithm>
#include <vector>

#include "tapegrad/tape/tape.h"

namespace tapegrad {

std::atomic<int64_t> unrecorded_blocks{0};

namespace {

namespace py = pybind11;

// A differentiation scope of a tape; 0 is outside of all. A scope that is opened inside a block
// records again.
struct Place {
  const Tape* tape;
  uint32_t scope;

  static Place here() { return {&Tape::current(), Tape::current().innermost_scope()}; }
  // A context may go on in another thread (asyncio.to_thread), where no scope is open.
  bool covers(const Place& p) const { return scope == p.scope && (tape == p.tape || scope == 0); }
};

struct Block {
  Place place;
  bool open = true;

  Block() : place(Place::here()) { ++unrecorded_blocks; }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() { leave(); }
  void leave() {
    if (!open) return;
    open = false;
    --unrecorded_blocks;
  }
};

// The scopes of this thread's tape in which recording was switched off here, the innermost last.
struct SwitchedOff {
  std::vector<uint32_t> scopes;
  ~SwitchedOff() { unrecorded_blocks -= static_cast<int64_t>(scopes.size()); }
  void push(uint32_t scope) {
    scopes.push_back(scope);
    ++unrecorded_blocks;
  }
  void pop() {
    scopes.pop_back();
    --unrecorded_blocks;
  }
};
thread_local SwitchedOff switched_off;

PyObject* variable = nullptr;  // the ContextVar: a tuple of the context's blocks

py::tuple blocks_of_context() {
  PyObject* held = nullptr;
  if (PyContextVar_Get(variable, nullptr, &held) != 0) throw py::error_already_set();
  return held ? py::reinterpret_steal<py::tuple>(held) : py::tuple();
}

void set_blocks(const py::tuple& blocks) {
  if (PyObject* token = PyContextVar_Set(variable, blocks.ptr()))
    Py_DECREF(token);
  else
    throw py::error_already_set();
}

py::object enter() {
  py::object block = py::cast(std::make_unique<Block>());
  const py::tuple before = blocks_of_context();
  py::tuple now(before.size() + 1);
  for (size_t i = 0; i < before.size(); ++i) now[i] = before[i];
  now[before.size()] = block;
  set_blocks(now);
  follow_context();
  return block;
}

// Also from another context or thread than the one that entered it, and in any order.
void leave(const py::object& block) {
  block.cast<Block&>().leave();
  py::list others;
  for (py::handle b : blocks_of_context())
    if (b.cast<const Block&>().open) others.append(b);
  set_blocks(py::tuple(others));
  follow_context();
}

}  // namespace

void follow_context() {
  Tape& tape = Tape::current();
  const Place here = Place::here();
  bool off = false;
  for (py::handle b : blocks_of_context()) {
    const auto& block = b.cast<const Block&>();
    off |= block.open && block.place.covers(here);
  }
  while (!switched_off.scopes.empty() && switched_off.scopes.back() > here.scope)
    switched_off.pop();  // of a scope that is closed
  const bool by_block = !switched_off.scopes.empty() && switched_off.scopes.back() == here.scope;
  if (off && tape.recording()) {
    tape.set_recording(false);
    if (!by_block) switched_off.push(here.scope);
  } else if (!off && by_block) {
    tape.set_recording(true);
    switched_off.pop();
  }
}

void bind_recording(py::module_& m) {
  variable = PyContextVar_New("tapegrad.no_grad", nullptr);
  if (variable == nullptr) throw py::error_already_set();
  py::class_<Block>(m, "UnrecordedBlock", "A block of `tg.no_grad` that was entered.");
  m.def("enter_unrecorded", &enter, "Switches recording off in this context until it is left.");
  m.def("leave_unrecorded", &leave, py::arg("block"));
  m.def("recording", [] {
    see_context();
    return Tape::current().recording();
  });
}

}  // namespace tapegrad
