// The interpreter's lock, its signals and its end.
#pragma once

#include <Python.h>

#include <string_view>

namespace tapegrad {

// Takes the lock back. At the interpreter's end Python unwinds a thread that asks for its lock,
// also through destructors, which would end the process; here such a thread sleeps instead, until
// the process is gone.
void take_lock(PyThreadState* state);
[[noreturn]] void sleep_until_process_ends();

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
