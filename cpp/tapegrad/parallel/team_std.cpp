// A pool of std::threads. A region is a job on the caller's stack: its remaining members are
// claimed under the pool's mutex by whoever is free, the caller included, so that a region ends
// even if no worker ever comes to help.
#include <algorithm>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "tapegrad/parallel/team.h"

namespace tapegrad::parallel_detail {
namespace {

struct Job {
  FunctionRef<int> work;
  int members;
  int next = 0;      // the first member that nobody has claimed
  int finished = 0;  // members that have returned
  std::condition_variable done{};
};

class Pool {
 public:
  void run(Job& job) {
    std::unique_lock lock(mutex_);
    for (; threads_ < job.members - 1; ++threads_) std::thread([this] { serve(); }).detach();
    const auto place = jobs_.insert(jobs_.end(), &job);
    wake_.notify_all();
    while (job.next < job.members) run_member(job, lock);
    jobs_.erase(place);
    job.done.wait(lock, [&] { return job.finished == job.members; });
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto open = std::find_if(jobs_.begin(), jobs_.end(),
                                     [](const Job* job) { return job->next < job->members; });
      if (open == jobs_.end()) {
        wake_.wait(lock);
      } else {
        run_member(**open, lock);
      }
    }
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
  std::list<Job*> jobs_;
  int threads_ = 0;
};

}  // namespace

int default_threads() {
  return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, max_threads);
}

bool in_foreign_region() { return false; }

void run_team(int members, FunctionRef<int> work) {
  // Never destroyed: its threads wait on it until the process ends.
  static Pool* const pool = new Pool;
  Job job{work, members};
  pool->run(job);
}

}  // namespace tapegrad::parallel_detail
