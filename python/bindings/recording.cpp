#include "bindings/recording.h"

#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <vector>

#include "tapegrad/tape/anomaly/anomaly.h"
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

// `owner` is the frame of the generator that entered it, if that is where it ends:
// while it is suspended, the block does not hold for those who go on meanwhile.
struct Block {
  Place place = Place::here();
  py::object owner;
  std::optional<anomaly::Watch> watch;  // of a block that looks for bad numbers
  bool open = true;

  bool holds() const { return open && !is_suspended(); }
  bool holds(const Place& here) const { return holds() && place.covers(here); }

 private:
  bool is_suspended() const {
    if (!owner) return false;
    PyFrameObject* const back = PyFrame_GetBack(reinterpret_cast<PyFrameObject*>(owner.ptr()));
    Py_XDECREF(back);
    return back == nullptr;
  }
};

// Whoever entered a block holds this, and leaves it at the latest when that dies: an interrupt
// between the bytecodes of a with statement leaves nothing behind.
class Entered {
 public:
  Entered(py::object owner, const std::optional<anomaly::Watch>& watch) {
    block_->owner = std::move(owner);
    block_->watch = watch;
    ++unrecorded_blocks;
    if (watch) ++anomaly::watchers;
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;
  ~Entered() { leave(); }
  void leave() {
    if (!block_->open) return;
    block_->open = false;
    block_->owner = py::object();
    --unrecorded_blocks;
    if (block_->watch) --anomaly::watchers;
  }
  const std::shared_ptr<Block>& block() const { return block_; }

 private:
  std::shared_ptr<Block> block_ = std::make_shared<Block>();
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

py::list open_blocks() {
  py::list found;
  for (py::handle b : blocks_of_context())
    if (b.cast<const Block&>().open) found.append(b);
  return found;
}

std::unique_ptr<Entered> enter(const py::object& owner,
                               const std::optional<anomaly::Watch>& watch) {
  if (!owner.is_none() && !PyFrame_Check(owner.ptr()))
    throw py::type_error("a block's owner is a frame or None");
  auto entered = std::make_unique<Entered>(owner.is_none() ? py::object() : owner, watch);
  py::list blocks = open_blocks();
  blocks.append(py::cast(entered->block()));
  set_blocks(py::tuple(blocks));
  follow_context();
  return entered;
}

// Also from another context or thread than the one that entered it, and in any order.
void leave(Entered& entered) {
  entered.leave();
  set_blocks(py::tuple(open_blocks()));
  follow_context();
}

}  // namespace

void follow_context() {
  Tape& tape = Tape::current();
  const Place here = Place::here();
  bool off = false;
  anomaly::Watch watch;
  for (py::handle b : blocks_of_context()) {
    const auto& block = b.cast<const Block&>();
    if (!block.watch) {
      off |= block.holds(here);
    } else if (block.holds()) {
      watch = *block.watch;  // the innermost
    }
  }
  anomaly::set_watch_of_thread(watch);
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
  variable = PyContextVar_New("tapegrad.blocks", nullptr);
  if (variable == nullptr) throw py::error_already_set();
  const py::class_<Block, std::shared_ptr<Block>> block(m, "Block", "What a context holds of one.");
  const py::class_<Entered> entered(m, "EnteredBlock", "A block that was entered.");
  m.def(
      "enter_unrecorded", [](const py::object& owner) { return enter(owner, std::nullopt); },
      py::arg("owner"), "Switches recording off in this context until it is left.");
  m.def(
      "enter_watched",
      [](const py::object& owner, bool infinities, bool values) {
        return enter(owner, anomaly::Watch{true, infinities, values});
      },
      py::arg("owner"), py::arg("infinities"), py::arg("values"),
      "Looks for bad numbers in this context until it is left.");
  m.def("leave_block", &leave, py::arg("block"));
  m.def("watching", [] {
    see_context();
    return anomaly::is_watching();
  });
  m.def("recording", [] {
    see_context();
    return Tape::current().recording();
  });
}

}  // namespace tapegrad
