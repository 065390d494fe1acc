// The interpreter's lock, its signals and its end.
#pragma once

#include <Python.h>
#include <cxxabi.h>

#include <string_view>
#include <utility>

namespace tapegrad {

// Takes the lock back. At the interpreter's end Python unwinds a thread that asks for its lock,
// also through destructors, which would end the process; here such a thread sleeps instead, until
// the process is gone.
void take_lock(PyThreadState* state);
[[noreturn]] void sleep_until_process_ends();

// Calls what runs Python code, which gives the lock away and takes it back: see take_lock.
template <class F>
auto in_python(F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (abi::__forced_unwind&) {
    sleep_until_process_ends();
  }
}

class LockRelease {
 public:
  LockRelease() : state_(PyEval_SaveThread()) {}
  ~LockRelease() { take_lock(state_); }
  LockRelease(const LockRelease&) = delete;
  LockRelease& operator=(const LockRelease&) = delete;
  PyThreadState* state() const { return state_; }

 private:
  PyThreadState* state_;
};

// Runs the handlers of signals that came, on a thread that gave the lock away, or holds it where
// `state` is null. True where one raised; raise_interruption raises the same again.
bool is_interrupted(PyThreadState* state);
void raise_interruption();

// The name of the module whose global names these are; empty where they say none.
std::string_view name_of_module(PyObject* globals);

void install_long_work();
void install_warnings();

}  // namespace tapegrad
