#include "tapegrad/tape/tape.h"

#include <sys/mman.h>

#include <atomic>
#include <memory>
#include <new>

#include "tapegrad/base/error.h"
#include "tapegrad/base/value_order.h"

namespace tapegrad {

thread_local Tape* Tape::current_ = nullptr;
std::string (*current_location)() = nullptr;
uint64_t (*fingerprint_of)(const Value& value) = nullptr;

// Closes the thread's tape when the thread ends.
struct TapeOwner {
  Tape* tape = nullptr;
  ~TapeOwner() {
    if (tape) tape->close();
  }
};

namespace {

thread_local TapeOwner owner;

constexpr size_t extras_of_slab = 4096, extras_of_first = 256;

}  // namespace

Tape::Tape() {
  // The directory is reserved as a whole and never moves, so that other threads may read values.
  void* directory = mmap(nullptr, max_slabs * sizeof(Node*), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (directory == MAP_FAILED) throw_error<MemoryError>("could not reserve a tape");
  slabs_ = static_cast<Node**>(directory);
}

Tape::~Tape() {
  drop_slabs();
  munmap(slabs_, max_slabs * sizeof(Node*));
}

Tape& Tape::create() {
  current_ = new Tape;
  owner.tape = current_;
  return *current_;
}

uint32_t Tape::grow() {
  const uint32_t slot = next_fresh_;
  if ((slot >> slab_shift) >= slab_count_) {
    if (slab_count_ == max_slabs)
      throw_error<MemoryError>("the tape holds 2^32 nodes; nothing more can be recorded");
    slabs_[slab_count_] = new Node[slab_size];
    ++slab_count_;
  }
  ++next_fresh_;
  return slot;
}

void Tape::drop_slabs() {
  for (uint32_t i = 0; i < slab_count_; ++i) delete[] std::exchange(slabs_[i], nullptr);
  slab_count_ = 0;
  for (NodeExtra* slab : extra_slabs_) ::operator delete(slab);
  extra_slabs_.clear();
  free_extra_ = nullptr;
}

void Tape::grow_extras() {
  const size_t n = extra_slabs_.empty() ? extras_of_first : extras_of_slab;
  extra_slabs_.reserve(extra_slabs_.size() + 1);
  auto* const slab = static_cast<NodeExtra*>(::operator new(n * sizeof(NodeExtra)));
  extra_slabs_.push_back(slab);
  for (size_t k = n; k-- > 0;) {
    void* const at = slab + k;
    *static_cast<void**>(at) = std::exchange(free_extra_, at);
  }
}

void Tape::delete_extra(NodeExtra* extra) {
  if (extra == nullptr) return;
  std::destroy_at(extra);
  void* const at = extra;
  *static_cast<void**>(at) = std::exchange(free_extra_, at);
}

void Tape::trim() {
  drain_releases();
  if (live_ != 0 || collecting_) return;
  drop_slabs();
  next_fresh_ = 1;
  free_head_ = 0;
  for (LeafEntry& e : leaf_entries_) e = LeafEntry();
}

uint32_t Tape::constant(Value value) {
  // Memory may run out up to the node's being made, and not after.
  std::unique_ptr<NodeExtra::Rare> rare;
  const bool foreign = value.buffer() != nullptr && value.buffer()->is_foreign();
  const bool by_reference = foreign && value.byte_count() >= hold_by_reference_bytes;
  if (by_reference) {
    rare = std::make_unique<NodeExtra::Rare>();
    if (current_location) rare->where = current_location();
    rare->fingerprint = fingerprint_of(value);
  } else if (foreign) {
    if (tracing()) {
      rare = std::make_unique<NodeExtra::Rare>();
      rare->origin = value;
    }
    value = copy_as_it_lies(value);
  }
  if (rare && free_extra_ == nullptr) grow_extras();
  const uint32_t slot = new_node(NodeKind::constant, 0);
  Node& n = node(slot);
  n.n_in = 0;
  n.origin = ~uint32_t{0};
  n.value = std::move(value);
  if (rare) {
    n.extra = new_extra();
    n.extra->rare = std::move(rare);
  }
  if (in_rule_) n.flags |= Node::made_by_rule;
  if (by_reference) n.flags |= Node::held_by_reference;
  return slot;
}

uint32_t Tape::leaf(Leaf* leaf, const Value& value) {
  const uint32_t slot = new_node(NodeKind::leaf, 0);
  Node& n = node(slot);
  n.refs = 0;
  n.value_refs = tracing() ? 1 : 0;  // a program may need what it was
  n.n_in = 0;
  n.origin = origin_of(*leaf);
  n.value = value;
  n.leaf = leaf;
  leaf->retain_name();
  return slot;
}

uint32_t Tape::argument(uint32_t input, Value value) {
  const uint32_t slot = new_node(NodeKind::argument, 0);
  Node& n = node(slot);
  n.value = std::move(value);
  n.origin = innermost_scope();
  n.n_in = 0;
  if (input != 0) {
    n.n_in = 1;
    n.in[0] = input;
    n.origin = std::min(n.origin, node(input).origin);
    retain_node(input);
  }
  return slot;
}

void Tape::collect(uint32_t first) {
  work_.push_back(first);
  if (collecting_) return;  // releasing a value came back here: the loop below goes on with it
  collecting_ = true;
  while (!work_.empty()) {
    const uint32_t slot = work_.back();
    work_.pop_back();
    Node& n = node(slot);
    const std::span<const uint32_t> inputs = n.inputs();
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == 0) continue;
      Node& input = node(inputs[i]);
      if (n.reads_input(i)) release_value(input);
      if (--input.refs == 0) work_.push_back(inputs[i]);
    }
    NodeExtra* extra = n.extra;
    Leaf* leaf = n.kind == NodeKind::leaf ? n.leaf : nullptr;
    n.extra = nullptr;
    n.flags = 0;
    n.n_in = 0;
    Value().swap(n.value);
    n.mark = free_head_;
    free_head_ = slot;
    --live_;
    delete_extra(extra);
    if (leaf) leaf->drop_name();
  }
  collecting_ = false;
  if (live_ == 0) {  // slots are given out from the first on again: neighbours stay neighbours
    next_fresh_ = 1;
    free_head_ = 0;
  }
}

void Tape::free_recording(uint32_t slot) {
  Node& n = node(slot);
  if (n.kind != NodeKind::op) return;
  const std::span<const uint32_t> inputs = n.inputs();
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i] != 0 && n.reads_input(i)) release_value(node(inputs[i]));
  if (n.flags & Node::reads_output) release_value(n);
  n.flags = Node::freed;
  if (n.extra) {
    for (Value& v : n.extra->outs) v.drop_data();
    if (n.n_in == Node::many_inputs) n.extra->read_mask = 0;
  }
}

uint32_t Tape::open_scope(ScopeKind kind) {
  static std::atomic<uint64_t> births{0};
  drain_releases();
  // Serials start again where nobody can still know an old one.
  constexpr uint32_t many = uint32_t{1} << 31;
  if (last_scope_ >= many && scopes_.empty() && live_ == 0) last_scope_ = 0;
  if (last_scope_ == ~uint32_t{0} - 1)
    throw_error<RuntimeError>(
        "2^32 derivatives were taken on this thread while a recorded Variable was kept; let go of "
        "it, or go on in another thread");
  const uint64_t birth = kind == ScopeKind::tracer
                             ? (scopes_.empty() ? 0 : scopes_.back().birth)
                             : births.fetch_add(1, std::memory_order_relaxed) + 1;
  scopes_.push_back({last_scope_ + 1, kind, birth});
  return ++last_scope_;
}

void Tape::close_scope(uint32_t serial) {
  while (!scopes_.empty() && scopes_.back().serial >= serial) scopes_.pop_back();
}

// The innermost open scope in which the leaf was made. One that outlived its scope belongs to the
// next around it, and to none when all are closed: then it is like a leaf made outside.
uint32_t Tape::origin_of(const Leaf& leaf) const {
  const Leaf::Birth& birth = leaf.birth();
  if (birth.scope == 0 || birth.tape != this) return 0;
  for (size_t k = scopes_.size(); k-- > 0;)
    if (scopes_[k].kind == ScopeKind::differentiation && scopes_[k].birth <= birth.scope)
      return scopes_[k].serial;
  return 0;
}

void Tape::release_elsewhere(uint32_t slot) {
  std::unique_lock lock(mutex_);
  queued_.push_back(slot);
  if (closed()) {
    reap(lock);
  } else {
    pending_.store(true, std::memory_order_release);
  }
}

// The owner is gone: whoever lets go of something cleans up, one thread at a time and without the
// lock, because what a value lets go of may come back here. With the last node goes the tape.
void Tape::reap(std::unique_lock<std::mutex>& lock) {
  if (reaping_) return;  // who reaps goes on with the queue
  reaping_ = true;
  while (!queued_.empty()) {
    std::vector<uint32_t> slots;
    slots.swap(queued_);
    lock.unlock();
    for (uint32_t slot : slots) {
      Node& n = node(slot);
      release_value(n);
      if (--n.refs == 0) collect(slot);
    }
    lock.lock();
  }
  reaping_ = false;
  const bool last = live_ == 0;
  lock.unlock();
  if (last) delete this;
}

void Tape::drain() {
  std::vector<uint32_t> slots;
  {
    std::lock_guard lock(mutex_);
    slots.swap(queued_);
    pending_.store(false, std::memory_order_release);
  }
  for (uint32_t slot : slots) release(slot);
}

void Tape::close() {
  drain();
  current_ = nullptr;
  std::unique_lock lock(mutex_);
  closed_.store(true, std::memory_order_release);
  reap(lock);
}

void throw_wrong_thread(const Tape& tape, const char* operation) {
  if (tape.closed())
    throw_error<RuntimeError>(
        operation,
        ": the Variable was recorded on a thread that has ended, so its recording is gone; ",
        "differentiate on the thread that records, or pass plain values between threads with "
        "tg.value(v)");
  throw_error<RuntimeError>(
      operation,
      ": the Variable was recorded on another thread, whose tape only that thread may extend or "
      "sweep; pass tg.value(v), or a leaf Variable (leaves may be read on any thread)");
}

}  // namespace tapegrad
