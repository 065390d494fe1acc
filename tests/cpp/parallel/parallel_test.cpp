#include "tapegrad/parallel/parallel.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cfenv>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

#include "check.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;

// A number of threads and a work threshold for one scope.
struct Settings {
  explicit Settings(int threads, double threshold_ns = 0) {
    set_num_threads(threads);
    set_work_threshold_ns(threshold_ns);
  }
  ~Settings() {
    set_num_threads(0);
    set_work_threshold_ns(20000);
  }
};

TEST(a_range_is_covered_once_and_split_at_multiples_of_the_grain) {
  for (int threads : {1, 2, 3, 8}) {
    const Settings settings(threads);
    for (int64_t n : {0, 1, 5, 16, 17, 100, 1001}) {
      for (int64_t grain : {1, 4, 16, 1000}) {
        std::vector<int> visits(n, 0);
        std::atomic<int> parts{0};
        parallel_for(n, grain, 1.0, [&](int64_t begin, int64_t end) {
          ++parts;
          CHECK(begin < end);
          CHECK(begin % grain == 0);
          CHECK(end == n || end % grain == 0);
          for (int64_t i = begin; i < end; ++i) ++visits[i];
        });
        for (int count : visits) CHECK(count == 1);
        // Several pieces for each thread, so that a slow thread does not hold up the others.
        const int64_t blocks = (n + grain - 1) / grain;
        CHECK(parts == std::min<int64_t>(threads == 1 ? 1 : 8 * threads, blocks));
      }
    }
  }
}

TEST(a_huge_range_does_not_overflow) {
  const Settings settings(8);
  const int64_t n = std::numeric_limits<int64_t>::max();
  std::atomic<uint64_t> total{0};
  parallel_for(n, 1, 1.0, [&](int64_t begin, int64_t end) { total += end - begin; });
  CHECK(total == static_cast<uint64_t>(n));
}

TEST(little_work_stays_on_the_calling_thread) {
  const Settings settings(2, 20000);
  const auto caller = std::this_thread::get_id();
  const int64_t before = parallel_regions_run();
  int calls = 0;
  parallel_for(1000, 1, 19.9, [&](int64_t begin, int64_t end) {
    ++calls;
    CHECK(begin == 0 && end == 1000);
    CHECK(std::this_thread::get_id() == caller);
    CHECK(!in_parallel());
  });
  CHECK(calls == 1);
  CHECK(parallel_regions_run() == before);
  parallel_for(1000, 1, 20.1, [&](int64_t, int64_t) { CHECK(in_parallel()); });
  CHECK(parallel_regions_run() == before + 1);
}

TEST(parts_run_on_several_threads) {
  const Settings settings(3);
  std::vector<std::thread::id> ids(3);
  std::atomic<int> arrived{0};
  parallel_tasks(3, [&](int64_t i) {
    ids[i] = std::this_thread::get_id();
    ++arrived;
    while (arrived < 3) std::this_thread::yield();  // so that no thread takes two
  });
  CHECK(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
}

TEST(a_region_inside_a_region_is_serial) {
  const Settings settings(3);
  const int64_t before = parallel_regions_run();
  std::atomic<int> inner_parts{0}, inner_tasks{0};
  parallel_for(3, 1, 1.0, [&](int64_t, int64_t) {
    const auto thread = std::this_thread::get_id();
    parallel_for(100, 1, 1e6, [&](int64_t, int64_t) {
      ++inner_parts;
      CHECK(std::this_thread::get_id() == thread);
    });
    parallel_tasks(4, [&](int64_t) {
      ++inner_tasks;
      CHECK(std::this_thread::get_id() == thread);
    });
    CHECK(in_parallel());
  });
  CHECK(inner_parts == 3);
  CHECK(inner_tasks == 12);
  CHECK(parallel_regions_run() == before + 1);
  CHECK(!in_parallel());
}

TEST(the_exception_of_the_lowest_range_reaches_the_caller) {
  for (int threads : {1, 2, 3, 8}) {
    const Settings settings(threads);
    for (int repeat = 0; repeat < 20; ++repeat) {
      CHECK_THROWS_SAYING(std::runtime_error, "at 40",
                          parallel_for(100, 1, 1.0, [](int64_t begin, int64_t end) {
                            for (int64_t i = begin; i < end; ++i)
                              if (i >= 40) throw std::runtime_error("at " + std::to_string(i));
                          }));
      CHECK_THROWS_SAYING(std::runtime_error, "at 7", parallel_tasks(100, [](int64_t i) {
                            if (i >= 7) throw std::runtime_error("at " + std::to_string(i));
                          }));
    }
    CHECK(!in_parallel());
    std::atomic<int> sum{0};  // the threads are still there
    parallel_tasks(10, [&](int64_t i) { sum += static_cast<int>(i); });
    CHECK(sum == 45);
  }
}

TEST(tasks_run_once_each) {
  for (int threads : {1, 2, 3, 8}) {
    const Settings settings(threads);
    for (int64_t n : {0, 1, 2, 7, 500}) {
      std::vector<int> visits(n, 0);
      const int64_t before = parallel_regions_run();
      parallel_tasks(n, [&](int64_t i) { ++visits[i]; });
      for (int count : visits) CHECK(count == 1);
      CHECK(parallel_regions_run() - before == (threads > 1 && n > 1));
    }
  }
}

TEST(several_callers_run_regions_at_once) {
  const Settings settings(2);
  std::vector<int64_t> sums(4, 0);
  std::vector<std::thread> callers;
  for (int64_t& sum : sums) {
    callers.emplace_back([&sum] {
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::atomic<int64_t> part{0};
        parallel_for(1000, 10, 1.0, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) part += i;
        });
        sum += part;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (int64_t sum : sums) CHECK(sum == 50 * 499500);
}

TEST(workers_round_as_the_caller_does) {
  const Settings settings(3);
  const int old_rounding = std::fegetround();
  volatile double one = 1, three = 3;
  double thirds[2];
  for (int i = 0; i < 2; ++i) {
    std::fesetround(i == 0 ? FE_UPWARD : FE_DOWNWARD);
    thirds[i] = one / three;
    std::atomic<int> agreeing{0};
    parallel_for(3, 1, 1.0, [&](int64_t, int64_t) { agreeing += one / three == thirds[i]; });
    CHECK(agreeing == 3);
  }
  std::fesetround(old_rounding);
  CHECK(thirds[0] > thirds[1]);
}

TEST(the_number_of_threads_can_be_set_and_reset) {
  const int standard = num_threads();
  CHECK(standard >= 1);
  set_num_threads(7);
  CHECK(num_threads() == 7);
  set_num_threads(0);
  CHECK(num_threads() == standard);
  CHECK_THROWS_SAYING(ValueError, "-1", set_num_threads(-1));
  CHECK_THROWS(ValueError, set_num_threads(max_threads + 1));
  CHECK_THROWS(ValueError, set_work_threshold_ns(-1.0));
  CHECK_THROWS(ValueError, set_work_threshold_ns(std::numeric_limits<double>::quiet_NaN()));
  CHECK(num_threads() == standard);
}

// The exit status of a forked child that runs f; a child that hangs is ended by its alarm.
template <class F>
static int status_of_child(F&& f) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(f());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int64_t sum_in_parallel() {
  std::atomic<int64_t> sum{0};
  parallel_for(1000, 1, 1.0, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sum += i;
  });
  parallel_tasks(10, [&](int64_t i) { sum += i; });
  return sum;
}

TEST(a_child_forked_after_a_region_runs_serially) {
  const Settings settings(3);
  CHECK(sum_in_parallel() == 499545);
  const int status = status_of_child([] {
    const int64_t before = parallel_regions_run();
    return sum_in_parallel() == 499545 && parallel_regions_run() == before ? 0 : 1;
  });
  CHECK(status == 0);
  CHECK(sum_in_parallel() == 499545);
}

TEST(the_environment_variable_is_honoured) {
  const auto threads_with = [](const char* value) {
    // An own process: the variable is read once. The test program runs itself, asking for the next
    // test alone.
    int ends[2];
    if (pipe(ends) != 0) return std::string("no pipe");
    const pid_t child = fork();
    if (child == 0) {
      dup2(ends[1], 1);
      setenv("TAPEGRAD_NUM_THREADS", value, 1);
      setenv("TAPEGRAD_PRINT_THREADS", "1", 1);
      execl("/proc/self/exe", "test", "print_the_number_of_threads", nullptr);
      _exit(9);
    }
    close(ends[1]);
    std::string text;
    char part[256];
    for (ssize_t got; (got = read(ends[0], part, sizeof part)) > 0;) text.append(part, got);
    close(ends[0]);
    waitpid(child, nullptr, 0);
    return text.substr(0, text.find('\n'));
  };
  CHECK(threads_with("5") == "threads: 5");
  for (const char* bad : {"0", "-3", "two", "2.5", "99999999999999999999"})
    CHECK(threads_with(bad).find(std::string("TAPEGRAD_NUM_THREADS='") + bad + "'") == 0);
}

TEST(print_the_number_of_threads) {
  if (!std::getenv("TAPEGRAD_PRINT_THREADS")) return;
  try {
    std::printf("threads: %d\n", num_threads());
  } catch (const ValueError& error) {
    std::printf("%s\n", error.what());
  }
}
