#include "tapegrad/parallel/idle_memory.h"

#include <pthread.h>

#include <chrono>
#include <exception>
#include <semaphore>
#include <thread>

#include "tapegrad/base/pool_policy.h"

namespace tapegrad {
namespace {

constexpr std::chrono::seconds period(2);

// Never destroyed: the thread waits on it until the process ends.
struct Watch {
  std::counting_semaphore<> wanted{0};
};
Watch* watch = nullptr;

void serve(Watch& own) {
  for (;;) {
    own.wanted.acquire();
    do {
      std::this_thread::sleep_for(period);
    } while (trim_idle_pool());
  }
}

// A pool that could not get its thread asks again when it next holds much.
bool look_at_pool() {
  if (watch == nullptr) {
    try {
      auto* const made = new Watch;
      std::thread([made] { serve(*made); }).detach();
      watch = made;
    } catch (const std::exception&) {
      return false;
    }
  }
  watch->wanted.release();
  return true;
}

}  // namespace

void trim_idle_memory() {
  // The thread is not in a forked child, which starts its own.
  static const int watching = pthread_atfork(nullptr, nullptr, [] { watch = nullptr; });
  static_cast<void>(watching);
  pool_holds_much = look_at_pool;
}

}  // namespace tapegrad
