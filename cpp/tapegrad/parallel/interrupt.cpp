#include "tapegrad/parallel/interrupt.h"

#include <chrono>

namespace tapegrad {
namespace {

constexpr int64_t interval_ns = 20'000'000;

thread_local InterruptSource* source_of_thread = nullptr;

int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

InterruptSource::InterruptSource(Stop stop, void* state)
    : stop_(stop), state_(state), next_ns_(now_ns() + interval_ns), before_(source_of_thread) {
  source_of_thread = this;
}

InterruptSource::~InterruptSource() { source_of_thread = before_; }

bool InterruptSource::is_there() { return source_of_thread != nullptr; }

InterruptPoll::InterruptPoll() : source_(source_of_thread) {}

void InterruptPoll::ask() {
  left_ = work_between;
  if (now_ns() < source_->next_ns_) return;
  // The host may run code that computes on this thread; that asks nobody.
  InterruptSource* const asked = source_;
  source_of_thread = nullptr;
  const bool stop = asked->stop_(asked->state_);
  source_of_thread = asked;
  asked->next_ns_ = now_ns() + interval_ns;
  if (stop) throw Interrupted();
}

}  // namespace tapegrad
