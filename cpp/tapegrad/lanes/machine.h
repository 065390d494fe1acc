// Machine code beside planned code: which has run how often, and from when on the compiled form
// runs instead of the interpreter, with the same bits. Code that is run by several threads is
// compiled once, by the one that finds it due; the others go on interpreting until it is there.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "tapegrad/emit/machine_code.h"

namespace tapegrad {

template <class T>
struct RegisterCode;

template <class T>
class RegisterMachine {
 public:
  using Run = void (*)(T* registers);

  RegisterMachine() = default;
  // It belongs to the code that it stands beside. Another one begins anew.
  RegisterMachine(const RegisterMachine&) {}
  RegisterMachine& operator=(const RegisterMachine&) {
    reset();
    return *this;
  }

  // What runs `code`, whose own this is: null for the interpreter. To be asked before each run.
  Run get(const RegisterCode<T>& code) const {
    const Run run = run_.load(std::memory_order_acquire);
    return run ? run : compile_if_due(code);
  }
  bool is_compiled() const { return run_.load(std::memory_order_acquire) != nullptr; }

 private:
  Run compile_if_due(const RegisterCode<T>& code) const;
  void reset();

  mutable std::atomic<Run> run_{nullptr};
  // Runs until the code has earned its compilation, 0: not counted yet. Threads that run it at the
  // same time may lose some.
  mutable std::atomic<uint32_t> left_{0};
  mutable std::atomic<bool> settled_{false};  // compiled, being compiled, or never to be
  mutable emit::MachineCode machine_code_;
};

// The instructions that `code` is compiled to, a line each.
template <class T>
std::string listing_of(const RegisterCode<T>& code);

}  // namespace tapegrad
