// This is the one door to threads. parallel_for hands out contiguous pieces of a range,
// parallel_tasks hands out independent tasks; both run on the calling thread alone where threads
// would not pay (little work), or must not be used (inside another region, in a child forked after
// the parent ran a region).
//
// The number of threads must never decide a result: callers write disjoint outputs, and whoever
// sums does it over chunks of a length of his own (a multiple of them as `grain`), not over the
// parts that f is given. Workers compute in the caller's floating-point environment (rounding,
// flushing of subnormals).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace tapegrad {

// Returns how many threads a region may use: the number set here, else TAPEGRAD_NUM_THREADS, else
// what OpenMP says at the moment (OMP_NUM_THREADS, threadpoolctl). It may exceed the number of
// cores.
int num_threads();
void set_num_threads(int count);  // 0: back to the default
inline constexpr int max_threads = 1024;

// Work below this many nanoseconds stays on one thread. 0 sends everything to the threads (for
// tests).
inline double work_threshold_ns();
void set_work_threshold_ns(double ns);

bool in_parallel();
int64_t parallel_regions_run();  // regions that ran on two threads or more since the start

namespace parallel_detail {

extern std::atomic<double> threshold_ns;

// Refers to a callable, which it does not own.
template <class... Args>
struct FunctionRef {
  const void* object;
  void (*call)(const void* object, Args... args);

  template <class F>
  static FunctionRef to(F& f) {
    return {std::addressof(f), [](const void* object, Args... args) {
              (*static_cast<F*>(const_cast<void*>(object)))(args...);
            }};
  }
  void operator()(Args... args) const { call(object, args...); }
};

void run_range(int64_t n, int64_t grain, FunctionRef<int64_t, int64_t> f);
void run_tasks(int64_t n, FunctionRef<int64_t> f);

}  // namespace parallel_detail

double work_threshold_ns() { return parallel_detail::threshold_ns.load(std::memory_order_relaxed); }

// Calls f(begin, end) on parts that cover [0, n), each beginning at a multiple of grain. An
// exception thrown by f reaches the caller; if there are several, the one of the lowest range does.
// ns_per_item estimates the work.
template <class F>
void parallel_for(int64_t n, int64_t grain, double ns_per_item, F&& f) {
  if (n <= 0) return;
  if (n <= grain || static_cast<double>(n) * ns_per_item < work_threshold_ns()) {
    f(int64_t{0}, n);
    return;
  }
  parallel_detail::run_range(n, grain, parallel_detail::FunctionRef<int64_t, int64_t>::to(f));
}

// Calls f(i) for i in [0, n): independent tasks, handed out in ascending order, each long enough to
// be worth a thread's while. After an exception no further task begins; if there are several, the
// one of the lowest i reaches the caller.
template <class F>
void parallel_tasks(int64_t n, F&& f) {
  if (n == 1) {
    f(int64_t{0});
  } else if (n > 1) {
    parallel_detail::run_tasks(n, parallel_detail::FunctionRef<int64_t>::to(f));
  }
}

}  // namespace tapegrad
