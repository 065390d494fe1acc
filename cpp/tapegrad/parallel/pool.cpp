#include "tapegrad/parallel/pool.h"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace tapegrad::parallel_detail {
namespace {

// A job stands on the caller's stack: its members are claimed under the pool's mutex by whoever is
// free.
struct Job {
  FunctionRef<int> work;
  int members;
  int next = 0;      // the first member that nobody has claimed
  int finished = 0;  // members that have returned
  std::condition_variable done{};
  Job *before = nullptr, *behind = nullptr;  // in the pool's list
};

class Pool {
 public:
  void run(Job& job) {
    std::unique_lock lock(mutex_);
    try {
      for (; threads_ < job.members - 1; ++threads_) std::thread([this] { serve(); }).detach();
    } catch (const std::system_error&) {  // the caller does what is left
    }
    append(job);
    wake_.notify_all();
    while (job.next < job.members) run_member(job, lock);
    remove(job);
    job.done.wait(lock, [&] { return job.finished == job.members; });
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      Job* open = first_;
      while (open && open->next == open->members) open = open->behind;
      if (open) {
        run_member(*open, lock);
      } else {
        wake_.wait(lock);
      }
    }
  }

  void append(Job& job) {
    job.before = last_;
    (last_ ? last_->behind : first_) = &job;
    last_ = &job;
  }

  void remove(Job& job) {
    (job.before ? job.before->behind : first_) = job.behind;
    (job.behind ? job.behind->before : last_) = job.before;
  }

  static void run_member(Job& job, std::unique_lock<std::mutex>& lock) {
    const int member = job.next++;
    lock.unlock();
    job.work(member);
    lock.lock();
    if (++job.finished == job.members) job.done.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  Job *first_ = nullptr, *last_ = nullptr;
  int threads_ = 0;
};

}  // namespace

void run_pool(int members, FunctionRef<int> work) {
  // The pool is never destroyed: its threads wait on it until the process ends.
  static Pool* const pool = new Pool;
  Job job{work, members};
  pool->run(job);
}

}  // namespace tapegrad::parallel_detail
