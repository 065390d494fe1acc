#include "bindings/interpreter.h"

#include <pybind11/pybind11.h>

#include <chrono>
#include <memory>
#include <thread>

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "bindings/convert.h"
#include "tapegrad/autodiff/doubts/doubts.h"
#include "tapegrad/autodiff/workspace.h"

namespace tapegrad {
namespace {

// Handlers of signals run on the main thread alone, so there is one.
std::unique_ptr<py::error_already_set>& interruption() {
  static auto* const held = new std::unique_ptr<py::error_already_set>;
  return *held;
}

bool may_be_main_thread() {
#ifdef __linux__
  return syscall(SYS_gettid) == getpid();
#else
  return true;
#endif
}

}  // namespace

void sleep_until_process_ends() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void take_lock(PyThreadState* state) {
  try {
    PyEval_RestoreThread(state);
  } catch (...) {  // the unwinding of pthread_exit
    sleep_until_process_ends();
  }
}

bool is_interrupted(PyThreadState* state) {
  if (!may_be_main_thread() || (state == nullptr && !PyGILState_Check())) return false;
  if (state != nullptr) take_lock(state);
  bool stop = false;
  {
    // A handler is the user's code: what it computes is recorded, whatever the sweep does.
    const RecordingGuard recording(true);
    stop = PyErr_CheckSignals() != 0;
  }
  if (stop) interruption() = std::make_unique<py::error_already_set>();
  if (state != nullptr) PyEval_SaveThread();
  return stop;
}

void raise_interruption() {
  const std::unique_ptr<py::error_already_set> reason = std::move(interruption());
  if (reason) {
    reason->restore();
  } else {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
  }
}

void install_warnings() {
  warn_of_doubt = [](const std::string& message) {
    const py::gil_scoped_acquire lock;
    py::module_::import("tapegrad.transforms.trace")
        .attr("warn_user")(message, py::reinterpret_borrow<py::object>(PyExc_RuntimeWarning));
  };
}

std::string_view name_of_module(PyObject* globals) {
  static PyObject* const key = PyUnicode_InternFromString("__name__");
  PyObject* const name = PyDict_GetItemWithError(globals, key);
  if (name == nullptr || !PyUnicode_Check(name)) return {};
  Py_ssize_t n = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(name, &n);
  return text == nullptr ? std::string_view() : std::string_view(text, static_cast<size_t>(n));
}

void install_long_work() {
  long_work = {[]() -> void* { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; },
               [](void* state) {
                 take_lock(static_cast<PyThreadState*>(state));
                 release_pending_references();
               },
               [](void* state) { return is_interrupted(static_cast<PyThreadState*>(state)); }};
}

}  // namespace tapegrad
