// Long computations ask now and then whether they shall stop. Who starts one says whom to ask; this
// layer knows no host language. Only the thread that started it asks.
#pragma once

#include <cstdint>

namespace tapegrad {

// What a computation throws that was told to stop. It is no std::exception: nobody may take it for
// a failure and go on. Whoever said so keeps the reason.
struct Interrupted {};

// While it lives, this thread's computations ask `stop(state)` every 20 ms.
class InterruptSource {
 public:
  using Stop = bool (*)(void* state);

  InterruptSource(Stop stop, void* state);
  ~InterruptSource();
  InterruptSource(const InterruptSource&) = delete;
  InterruptSource& operator=(const InterruptSource&) = delete;

  static bool is_there();  // for this thread

 private:
  friend class InterruptPoll;
  Stop stop_;
  void* state_;
  int64_t next_ns_;
  InterruptSource* before_;
};

// Held by a loop, which calls it at each turn with the turn's work in about a microsecond's worth.
// Where there is nobody to ask it costs a test of a pointer.
class InterruptPoll {
 public:
  InterruptPoll();
  void operator()(int64_t work = 1) {
    if (source_ == nullptr) return;
    left_ -= work;
    if (left_ <= 0) ask();
  }

 private:
  void ask();
  static constexpr int64_t work_between = 16;

  InterruptSource* source_;
  int64_t left_ = work_between;
};

}  // namespace tapegrad
