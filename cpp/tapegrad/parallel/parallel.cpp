#include "tapegrad/parallel/parallel.h"

#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <latch>
#include <limits>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

#include "tapegrad/base/error.h"
#include "tapegrad/parallel/crowding.h"
#include "tapegrad/parallel/float_environment.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/parallel/pool.h"
#include "tapegrad/parallel/team.h"

namespace tapegrad {
namespace {

std::atomic<int> chosen_threads{0};
std::atomic<int64_t> regions_run{0}, regions_in_pool{0};
parallel_detail::Crowding crowding;
// libgomp hangs in a child that was forked after its parent ran a region, and so would our own
// pool.
std::atomic<bool> threads_lost_in_fork{false};
thread_local bool inside_region = false;

int threads_from_environment() {
  const char* text = std::getenv("TAPEGRAD_NUM_THREADS");
  if (!text || !*text) return 0;
  char* end = nullptr;
  errno = 0;
  const long count = std::strtol(text, &end, 10);
  if (*end || errno || count < 1 || count > max_threads)
    throw_error<ValueError>("TAPEGRAD_NUM_THREADS='", text,
                            "' is not a number of threads from 1 to ", max_threads,
                            "; set for example TAPEGRAD_NUM_THREADS=2");
  return static_cast<int>(count);
}

// Keeps the exception of the lowest index, whatever the order in which they were thrown.
class FirstError {
 public:
  void keep(int64_t index) {
    std::lock_guard lock(mutex_);
    if (index >= index_) return;
    index_ = index;
    error_ = std::current_exception();
    thrown_.store(true, std::memory_order_relaxed);
  }
  // The caller was told to stop, which goes before any error.
  void interrupt() {
    keep(-1);
    interrupted_.store(true, std::memory_order_relaxed);
  }
  bool interrupted() const { return interrupted_.load(std::memory_order_relaxed); }
  bool thrown() const { return thrown_.load(std::memory_order_relaxed); }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::mutex mutex_;
  int64_t index_ = std::numeric_limits<int64_t>::max();
  std::exception_ptr error_;
  std::atomic<bool> thrown_{false}, interrupted_{false};
};

bool must_be_serial() {
  return in_parallel() || threads_lost_in_fork.load(std::memory_order_relaxed);
}

int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Whether the system would start so many threads now. OpenMP ends the process where it would not.
bool can_start(int count) {
  std::latch all_started(1);
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(count));
  try {
    for (int i = 0; i < count; ++i) threads.emplace_back([&] { all_started.wait(); });
  } catch (const std::system_error&) {
  }
  all_started.count_down();
  for (std::thread& t : threads) t.join();
  return threads.size() == static_cast<size_t>(count);
}

// Gives a helper of an interruptible caller somebody to ask: it stops once the caller has.
class HelperSource {
 public:
  HelperSource(bool wanted, FirstError& error) {
    if (wanted && !InterruptSource::is_there())
      source_.emplace([](void* e) { return static_cast<FirstError*>(e)->interrupted(); }, &error);
  }

 private:
  std::optional<InterruptSource> source_;
};

template <class Work>
void run_region(int members, FirstError& error, Work&& work) {
  static const int watching = pthread_atfork(nullptr, nullptr, [] { threads_lost_in_fork = true; });
  if (watching != 0) throw_error<RuntimeError>("parallel: pthread_atfork failed");
  regions_run.fetch_add(1, std::memory_order_relaxed);
  const FloatEnvironment callers = FloatEnvironment::current();
  const bool interruptible = InterruptSource::is_there();
  int64_t caller_began = 0, caller_done = 0;
  auto guarded = [&](int member) {
    const FloatEnvironment own = FloatEnvironment::current();
    if (member == 0) caller_began = now_ns();  // the caller itself
    callers.apply();
    inside_region = true;
    {
      const HelperSource source(interruptible, error);
      work(member);
    }
    inside_region = false;
    own.apply();
    if (member == 0) caller_done = now_ns();
  };
  const auto share = parallel_detail::FunctionRef<int>::to(guarded);
  const int64_t begin = now_ns();
  static thread_local int last_team = 1;
  if (crowding.at(begin) || (members > last_team && !can_start(members - 1))) {
    regions_in_pool.fetch_add(1, std::memory_order_relaxed);
    return parallel_detail::run_pool(members, share);
  }
  last_team = members;
  parallel_detail::run_team(members, share);
  const int64_t end = now_ns();
  // The caller waits at the beginning too, for threads that are still on their way from the last
  // region; a larger team is made there.
  static thread_local int largest_team = 0;
  const int64_t waited = end - caller_done + (members > largest_team ? 0 : caller_began - begin);
  largest_team = std::max(largest_team, members);
  crowding.note(caller_done - caller_began, waited, end);
}

}  // namespace

int num_threads() {
  if (const int count = chosen_threads.load(std::memory_order_relaxed)) return count;
  static const int from_environment = threads_from_environment();
  if (from_environment) return from_environment;
  return std::clamp(parallel_detail::default_threads(), 1, max_threads);
}

void set_num_threads(int count) {
  if (count < 0 || count > max_threads)
    throw_error<ValueError>("set_num_threads: the number of threads must be from 1 to ",
                            max_threads, ", or 0 for the default; got ", count);
  chosen_threads.store(count, std::memory_order_relaxed);
}

void set_work_threshold_ns(double ns) {
  if (!(ns >= 0))
    throw_error<ValueError>("set_work_threshold_ns: expected a time of 0 or more, got ", ns);
  parallel_detail::threshold_ns.store(ns, std::memory_order_relaxed);
}

bool in_parallel() { return inside_region || parallel_detail::in_foreign_region(); }

int64_t parallel_regions_run() { return regions_run.load(std::memory_order_relaxed); }

namespace parallel_detail {

int64_t parallel_regions_in_pool() { return regions_in_pool.load(std::memory_order_relaxed); }

std::atomic<double> threshold_ns{20000};

// There are several pieces for each thread, handed out as threads come free: a thread that the
// system takes away for a while holds up one piece, not half of the work.
constexpr int64_t pieces_per_thread = 8;

void run_range(int64_t n, int64_t grain, FunctionRef<int64_t, int64_t> f) {
  if (grain < 1) grain = 1;
  const int64_t blocks = (n - 1) / grain + 1;
  const int64_t members = must_be_serial() ? 1 : std::min<int64_t>(num_threads(), blocks);
  if (members <= 1) return f(0, n);
  const int64_t pieces = std::min(blocks, members * pieces_per_thread);
  // The first blocks % pieces pieces are one block longer; no product can overflow.
  const int64_t each = blocks / pieces, longer = blocks % pieces;
  FirstError error;
  std::atomic<int64_t> next{0};
  run_region(static_cast<int>(members), error, [&](int) {
    for (;;) {
      const int64_t piece = next.fetch_add(1, std::memory_order_relaxed);
      if (piece >= pieces) return;
      const int64_t first = piece * each + std::min<int64_t>(piece, longer);
      const int64_t last = first + each + (piece < longer);
      try {
        f(first * grain, last == blocks ? n : last * grain);
      } catch (const Interrupted&) {
        error.interrupt();
        next.store(pieces, std::memory_order_relaxed);
      } catch (...) {
        error.keep(piece);
      }
    }
  });
  error.rethrow();
}

void run_tasks(int64_t n, FunctionRef<int64_t> f) {
  const int64_t members = must_be_serial() ? 1 : std::min<int64_t>(num_threads(), n);
  if (members <= 1) {
    for (int64_t i = 0; i < n; ++i) f(i);
    return;
  }
  FirstError error;
  std::atomic<int64_t> next{0};
  run_region(static_cast<int>(members), error, [&](int) {
    while (!error.thrown()) {
      const int64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= n) return;
      try {
        f(i);
      } catch (const Interrupted&) {
        error.interrupt();
      } catch (...) {
        error.keep(i);
      }
    }
  });
  error.rethrow();
}

}  // namespace parallel_detail
}  // namespace tapegrad
