#include "tapegrad/parallel/interrupt.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "check.h"
#include "tapegrad/base/error.h"
#include "tapegrad/parallel/parallel.h"

using namespace tapegrad;

namespace {

struct Counter {
  int asked = 0;
  int stop_at = 1;
};

bool ask(void* state) {
  auto& c = *static_cast<Counter*>(state);
  return ++c.asked >= c.stop_at;
}

void spend_ms(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// Turns until it was interrupted, at most so many.
int turns(int most, int ms) {
  InterruptPoll poll;
  for (int i = 0; i < most; ++i) {
    try {
      poll(16);
    } catch (const Interrupted&) {
      return i;
    }
    spend_ms(ms);
  }
  return most;
}

}  // namespace

TEST(nobody_is_asked_without_a_source) {
  CHECK(!InterruptSource::is_there());
  CHECK(turns(20, 2) == 20);
}

TEST(a_source_is_asked_now_and_then) {
  Counter c;
  c.stop_at = 3;
  const InterruptSource source(&ask, &c);
  CHECK(InterruptSource::is_there());
  const int done = turns(2000, 5);
  CHECK(c.asked == 3);
  CHECK(done >= 3 && done < 2000);
}

TEST(other_threads_do_not_ask) {
  Counter c;
  const InterruptSource source(&ask, &c);
  int done = 0;
  std::thread([&] { done = turns(20, 5); }).join();
  CHECK(done == 20);
  CHECK(c.asked == 0);
}

TEST(sources_nest) {
  Counter outer, inner;
  const InterruptSource source(&ask, &outer);
  {
    const InterruptSource own(&ask, &inner);
    turns(2000, 5);
    CHECK(inner.asked == 1 && outer.asked == 0);
  }
  turns(2000, 5);
  CHECK(outer.asked == 1);
}

TEST(who_is_asked_may_compute) {
  Counter c;
  const InterruptSource source(
      [](void* state) {
        CHECK(!InterruptSource::is_there());
        CHECK(turns(10, 5) == 10);
        return ask(state);
      },
      &c);
  turns(2000, 5);
  CHECK(c.asked == 1);
}

TEST(regions_stop_with_their_caller) {
  set_num_threads(4);
  Counter c;
  const InterruptSource source(&ask, &c);
  std::atomic<int> done{0};
  const auto slow = [&](int64_t) {
    InterruptPoll poll;
    for (int i = 0; i < 400; ++i) {
      poll(16);
      spend_ms(5);
    }
    ++done;
  };
  bool stopped = false;
  try {
    parallel_tasks(64, slow);
  } catch (const Interrupted&) {
    stopped = true;
  }
  CHECK(stopped);
  stopped = false;
  try {
    parallel_for(64, 1, 1e9, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) slow(i);
    });
  } catch (const Interrupted&) {
    stopped = true;
  }
  CHECK(stopped);
  CHECK(done == 0);
  set_num_threads(0);
}

TEST(an_interrupt_goes_before_errors) {
  set_num_threads(4);
  Counter c;
  const InterruptSource source(&ask, &c);
  bool stopped = false;
  try {
    parallel_tasks(8, [&](int64_t) {
      if (!InterruptSource::is_there()) return;
      if (turns(200, 5) < 200) throw Interrupted();
      throw_error<ValueError>("never");
    });
  } catch (const Interrupted&) {
    stopped = true;
  }
  CHECK(stopped);
  set_num_threads(0);
}
