// Pages of machine code, and when there is any.
//
// A page is written while it is not executable and executed when it can no longer be written; no
// second mapping of it exists. Where the system refuses that (a hardened kernel, no memory), on
// other processors and systems, and with TAPEGRAD_EMIT=0, place() gives nothing, and who asked
// interprets instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace tapegrad::emit {

// The environment variable TAPEGRAD_EMIT: 0 is never, `always` is always, 1 or nothing is earned.
enum class When : uint8_t {
  never,
  earned,  // once a program has run so often that compiling it pays
  always,  // before it runs for the first time: for tests
};

// Whether and when programs are compiled in this process; `never` wherever it can't be done. Any
// thread may ask.
When when();
void set_when(When when);  // for tests

// How many pieces of code there are at this moment, and how many there were.
struct Count {
  uint64_t alive, made;
};
Count count();

// One piece of code, which is released with this.
class MachineCode {
 public:
  MachineCode() = default;
  MachineCode(MachineCode&& other) noexcept
      : pages_(std::exchange(other.pages_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  MachineCode& operator=(MachineCode&& other) noexcept {
    std::swap(pages_, other.pages_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~MachineCode();

  // Empty where the system has no such pages to give. Any thread may ask.
  static MachineCode place(std::span<const uint8_t> bytes);

  explicit operator bool() const { return pages_ != nullptr; }
  const void* at(size_t offset) const { return static_cast<const char*>(pages_) + offset; }
  size_t size() const { return size_; }  // in bytes, of whole pages

 private:
  void* pages_ = nullptr;
  size_t size_ = 0;
};

}  // namespace tapegrad::emit
