#include "tapegrad/base/buffer.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <pthread.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "tapegrad/base/error.h"
#include "tapegrad/base/pool_policy.h"

// A pooled buffer is one block: this header (padded to 64 bytes), then the data. Classes grow by
// quarters of a power of two. Small blocks are cached per thread without a lock, larger ones in one
// list under a mutex. Where one thread makes blocks and another drops them, they come back through
// that list too, many at a time.

namespace tapegrad {
namespace {

constexpr size_t header_bytes = 64;
constexpr size_t huge_threshold = size_t{4} << 20;
constexpr size_t huge_page = size_t{2} << 20;
constexpr int first_shift = 6;  // smallest class: 64 bytes
constexpr int class_count = 4 * (48 - first_shift);
constexpr int local_classes = 4 * (17 - first_shift);  // up to 128 KiB
// Of so many bytes, a block that is up to three quarters longer does as well as a new one.
constexpr size_t large = size_t{1} << 18;
constexpr int next_larger = 3;
constexpr size_t local_cache_bytes = size_t{1} << 15;  // per class and thread

static_assert(sizeof(Buffer) <= header_bytes);

int class_of(size_t bytes) {
  if (bytes <= (size_t{1} << first_shift)) return 0;
  const int shift =
      static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^shift < bytes <= 2^(shift+1)
  const size_t quarter = (size_t{1} << shift) / 4;
  const int step =
      static_cast<int>((bytes - (size_t{1} << shift) + quarter - 1) / quarter);  // 1..4
  return 4 * (shift - first_shift) + step;
}

size_t class_bytes(int c) {
  const int shift = first_shift + c / 4;
  return (size_t{1} << shift) + static_cast<size_t>(c % 4) * ((size_t{1} << shift) / 4);
}

// How many blocks of a small class a thread keeps; it fetches and returns half of that at a time.
size_t local_most(int c) { return std::clamp<size_t>(local_cache_bytes / class_bytes(c), 16, 64); }

std::atomic<size_t> bytes_in_use{0};        // but for what threads count by themselves
std::atomic<int64_t> allocations_left{-1};  // until one fails, for tests

thread_local bool ordinary_pages = false;  // see OrdinaryPages

void count_down_to_failure() {
  if (allocations_left.fetch_sub(1, std::memory_order_relaxed) == 0)
    throw_error<MemoryError>("could not allocate: a test said so");
}

}  // namespace

class BufferPool {
 public:
  static BufferPool& global() {
    static BufferPool* pool = make();  // never destroyed: buffers may outlive static objects
    return *pool;
  }

  Buffer* take(int c) {
    std::lock_guard lock(mutex_);
    const int last = std::min(c + (class_bytes(c) >= large ? next_larger : 0), class_count - 1);
    for (int k = c; k <= last; ++k) {
      if (free_[k].empty()) continue;
      Buffer* const b = free_[k].back();
      free_[k].pop_back();
      took(k, 1);
      return b;
    }
    return nullptr;
  }

  // Moves up to n blocks into `to`.
  void take(int c, size_t n, std::vector<Buffer*>& to) {
    std::lock_guard lock(mutex_);
    std::vector<Buffer*>& from = free_[c];
    n = std::min(n, from.size());
    to.insert(to.end(), from.end() - static_cast<std::ptrdiff_t>(n), from.end());
    from.resize(from.size() - n);
    took(c, n);
  }

  bool give(Buffer* b) {
    {
      std::lock_guard lock(mutex_);
      if (cached_ + b->capacity_ > capacity_) return false;
      free_[b->size_class_].push_back(b);
      cached_ += b->capacity_;
      if (watched_ || cached_ <= pool_always_keeps || pool_holds_much == nullptr) return true;
      watched_ = true;
    }
    if (!pool_holds_much()) {
      std::lock_guard lock(mutex_);
      watched_ = false;
    }
    return true;
  }

  // Takes the last n blocks of `from`.
  void give(int c, size_t n, std::vector<Buffer*>& from) {
    std::lock_guard lock(mutex_);
    for (; n > 0 && cached_ + class_bytes(c) <= capacity_; --n) {
      free_[c].push_back(from.back());
      from.pop_back();
      cached_ += class_bytes(c);
    }
    for (; n > 0; --n) {
      release_memory(from.back());
      from.pop_back();
    }
  }

  void trim() {
    std::lock_guard lock(mutex_);
    for (int c = 0; c < class_count; ++c) drop_oldest(c, free_[c].size());
  }

  // A list is a stack, so that what was not taken lies at its bottom.
  bool trim_idle() {
    std::lock_guard lock(mutex_);
    for (int c = 0; c < class_count; ++c) {
      drop_oldest(c, idle_[c]);
      idle_[c] = free_[c].size();
    }
    watched_ = cached_ > pool_always_keeps;
    return watched_;
  }

  void set_capacity(size_t bytes) {
    std::lock_guard lock(mutex_);
    capacity_ = bytes;
    for (int c = class_count; c-- > 0 && cached_ > capacity_;)
      drop_oldest(c, std::min(free_[c].size(), (cached_ - capacity_) / class_bytes(c) + 1));
  }

  size_t capacity() {
    std::lock_guard lock(mutex_);
    return capacity_;
  }

  size_t cached() {
    std::lock_guard lock(mutex_);
    return cached_;
  }

  struct Local;
  void enter(Local* l) {
    std::lock_guard lock(mutex_);
    locals_.push_back(l);
  }
  void leave(Local* l) {
    std::lock_guard lock(mutex_);
    std::erase(locals_, l);
    bytes_in_use += l->bytes_in_use.load(std::memory_order_relaxed);
  }
  size_t in_use() {
    std::lock_guard lock(mutex_);
    size_t bytes = bytes_in_use.load(std::memory_order_relaxed);
    for (const Local* l : locals_) bytes += l->bytes_in_use.load(std::memory_order_relaxed);
    return static_cast<int64_t>(bytes) < 0 ? 0 : bytes;  // while others count, the sum may lag
  }

  static Buffer* create(int c) {
    const size_t bytes = class_bytes(c);
    const bool huge = bytes >= huge_threshold;
    const size_t alignment = huge ? huge_page : 64;
    const size_t total = (bytes + header_bytes + alignment - 1) / alignment * alignment;
    void* block = std::aligned_alloc(alignment, total);
    if (block == nullptr)
      throw_error<MemoryError>("could not allocate ", bytes,
                               " bytes; free some arrays, or give back what is kept for later "
                               "with tg.memory.trim()");
#ifdef __linux__
    if (huge && !ordinary_pages) madvise(block, total, MADV_HUGEPAGE);
#endif
    Buffer* b = new (block) Buffer;
    b->data_ = static_cast<char*>(block) + header_bytes;
    b->capacity_ = bytes;
    b->size_class_ = c;
    return b;
  }

  static void release_memory(Buffer* b) {
    b->~Buffer();
    std::free(b);
  }

  // The cache of small blocks of a thread stands on the heap, because thread-local memory of a
  // loaded library is scarce. It is null once the thread is ending.
  struct Local {
    std::vector<Buffer*> free[local_classes];
    // What this thread took and did not give back, modulo 2^64: it alone writes, so that no other
    // processor has to be asked at each step.
    std::atomic<size_t> bytes_in_use{0};

    Local() { global().enter(this); }
    ~Local() {
      global().leave(this);
      for (auto& list : free)
        for (Buffer* b : list) release_memory(b);
    }
    void count(size_t bytes) {
      bytes_in_use.store(bytes_in_use.load(std::memory_order_relaxed) + bytes,
                         std::memory_order_relaxed);
    }
  };
  static Local* local() { return local_ ? local_ : make_local(); }

  // The flag that tells that the thread is ending outlives the owner: a destructor's writes to its
  // own object are no one's to read.
  static Local* make_local() {
    struct Owner {
      ~Owner() {
        delete std::exchange(local_, nullptr);
        ending_ = true;
      }
    };
    if (ending_) return nullptr;
    thread_local Owner owner;
    local_ = new Local;
    return local_;
  }

  static Buffer* allocate(size_t bytes) {
    if (allocations_left.load(std::memory_order_relaxed) >= 0) [[unlikely]]
      count_down_to_failure();
    const int c = class_of(bytes);
    Buffer* b = nullptr;
    if (c < local_classes) {
      if (Local* cache = local(); cache != nullptr) {
        std::vector<Buffer*>& mine = cache->free[c];
        if (mine.empty()) global().take(c, local_most(c) / 2, mine);
        if (!mine.empty()) {
          b = mine.back();
          mine.pop_back();
          b->refs_.store(1, std::memory_order_relaxed);
          cache->count(b->capacity_);
          return b;
        }
      }
    } else if (c < class_count) {
      b = global().take(c);
    } else {
      throw_error<MemoryError>("could not allocate ", bytes, " bytes: no machine has as many");
    }
    if (b == nullptr) b = create(c);
    b->refs_.store(1, std::memory_order_relaxed);
    bytes_in_use.fetch_add(b->capacity_, std::memory_order_relaxed);
    return b;
  }

  static void recycle(Buffer* b) {
    if (b->size_class_ < local_classes) {
      if (Local* cache = local(); cache != nullptr) {
        cache->count(size_t{0} - b->capacity_);
        std::vector<Buffer*>& mine = cache->free[b->size_class_];
        const size_t most = local_most(b->size_class_);
        if (mine.size() >= most) global().give(b->size_class_, most / 2, mine);
        mine.push_back(b);
        return;
      }
    }
    bytes_in_use.fetch_sub(b->capacity_, std::memory_order_relaxed);
    if (b->size_class_ < local_classes || !global().give(b)) release_memory(b);
  }

 private:
  static thread_local Local* local_ __attribute__((tls_model("initial-exec")));
  static thread_local bool ending_;

  // A child that is forked gets the lists whole, and the lock free.
  static BufferPool* make() {
    pthread_atfork([] { global().mutex_.lock(); }, [] { global().mutex_.unlock(); },
                   [] {
                     global().mutex_.unlock();
                     global().watched_ = false;
                   });
    return new BufferPool;
  }

  static size_t default_capacity() {
    const auto pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const size_t most = size_t{4} << 30;
    if (pages <= 0 || page <= 0) return most;
    return std::min(most, static_cast<size_t>(pages) * static_cast<size_t>(page) / 4);
  }

  void took(int c, size_t n) {
    cached_ -= n * class_bytes(c);
    idle_[c] = std::min(idle_[c], free_[c].size());
  }

  void drop_oldest(int c, size_t n) {
    std::vector<Buffer*>& list = free_[c];
    for (size_t k = 0; k < n; ++k) release_memory(list[k]);
    list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(n));
    took(c, n);
  }

  std::mutex mutex_;
  std::vector<Buffer*> free_[class_count];
  std::vector<Local*> locals_;
  size_t idle_[class_count] = {};  // how many were not taken since the last look
  size_t cached_ = 0;
  size_t capacity_ = default_capacity();
  bool watched_ = false;
};

bool (*pool_holds_much)() = nullptr;

thread_local BufferPool::Local* BufferPool::local_ = nullptr;
thread_local bool BufferPool::ending_ = false;

Buffer* Buffer::allocate(size_t bytes) { return BufferPool::allocate(bytes); }

Buffer* Buffer::borrow(void* data, size_t bytes, void* owner, Release release) {
  Buffer* b = new Buffer;
  b->data_ = static_cast<char*>(data);
  b->capacity_ = bytes;
  b->owner_ = owner;
  b->release_ = release;
  return b;
}

void Buffer::destroy() {
  if (release_ != nullptr) {
    release_(owner_);
    delete this;
  } else {
    BufferPool::recycle(this);
  }
}

PoolStats pool_stats() {
  size_t cached = BufferPool::global().cached();
  if (const BufferPool::Local* local = BufferPool::local())
    for (int c = 0; c < local_classes; ++c) cached += local->free[c].size() * class_bytes(c);
  return {BufferPool::global().in_use(), cached};
}

bool trim_idle_pool() {
  const size_t before = BufferPool::global().cached();
  const bool more = BufferPool::global().trim_idle();
#ifdef __GLIBC__
  if (BufferPool::global().cached() < before) malloc_trim(0);
#else
  static_cast<void>(before);
#endif
  return more;
}

void trim_pool() {
  if (BufferPool::Local* cache = BufferPool::local()) {
    for (auto& list : cache->free) {
      for (Buffer* b : list) BufferPool::release_memory(b);
      list.clear();
    }
  }
  BufferPool::global().trim();
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

OrdinaryPages::OrdinaryPages() : before_(std::exchange(ordinary_pages, true)) {}
OrdinaryPages::~OrdinaryPages() { ordinary_pages = before_; }

bool fail_allocation(int64_t n) { return allocations_left.exchange(n) >= 0; }

size_t pool_capacity() { return BufferPool::global().capacity(); }

void set_pool_capacity(size_t bytes) { BufferPool::global().set_capacity(bytes); }

}  // namespace tapegrad
