#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tapegrad/base/value.h"
#include "tapegrad/tape/op.h"

// The record of one thread. Nodes live in slabs, are named by 32-bit slots that are recycled, and
// are ordered by a 64-bit sequence number (inputs come before consumers). Invariants:
//  - refs counts handles and consumers. At zero the node goes, through a worklist and never by
//    recursion.
//  - value_refs counts who may still read the value: handles, consumers whose rules read it, and
//    the node itself where its own rules read its output. At zero an array's data is dropped, and
//    dtype and shape stay.
//  - Leaves belong to no tape: a node of kind `leaf` holds a count on its Leaf and a copy of the
//    value that it had.
//  - Only the owning thread records, retains and sweeps. Another thread may read values, and what
//    it releases is queued.

namespace tapegrad {

class Tape;
class Tracer;

enum class NodeKind : uint8_t {
  op,        // an application of op_by_id(op)
  constant,  // a value that a rule reads
  leaf,      // a Variable's value at the time it was read
  argument,  // identity: an argument of a differentiation scope
  pick       // one output of an op with several
};

// What the tape needs to know of a Variable that belongs to no tape. Handles are counted apart from
// the nodes that name the leaf: with the last handle the content goes, which may hold such a node
// itself (v[0] = f(v)), and the object goes when no node names it any more.
class Leaf {
 public:
  virtual ~Leaf() = default;
  void retain() { counts_.fetch_add(one_handle, std::memory_order_relaxed); }
  void drop() {
    if (counts_.load(std::memory_order_acquire) == one_handle + 1) {
      delete this;
      return;
    }
    const int64_t before = counts_.fetch_sub(one_handle, std::memory_order_acq_rel);
    if (before == one_handle + 1) {
      delete this;
    } else if (before < 2 * one_handle) {
      let_go();
      drop_name();
    }
  }
  void retain_name() { counts_.fetch_add(1, std::memory_order_relaxed); }
  void drop_name() {
    if (counts_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  bool has_one_handle() const { return counts_.load(std::memory_order_acquire) < 2 * one_handle; }

  // The tape and the innermost differentiation scope in which the leaf was made (scope 0: in none).
  struct Birth {
    const Tape* tape = nullptr;
    uint64_t scope = 0;
  };
  const Birth& birth() const { return birth_; }

 protected:
  Leaf() = default;
  explicit Leaf(const Birth& birth) : birth_(birth) {}
  virtual void let_go() = 0;  // of the content; the destructor does the same

 private:
  static constexpr int64_t one_handle = int64_t{1} << 32;
  std::atomic<int64_t> counts_{one_handle + 1};  // all handles together hold one name
  Birth birth_;
};

// What a node has besides; see Tape::new_extra.
struct NodeExtra {
  // What few of them have.
  struct Rare {
    uint64_t fingerprint = 0;  // of a constant that is held by reference
    std::string where;         // the user's line, for errors found later
    Value origin;              // while tracing: the array that a copied constant was copied from
  };
  Attrs attrs;
  std::vector<uint32_t> inputs;  // of ops with more than two
  std::vector<Value> outs;       // of ops with several outputs: data only where a rule reads it
  std::unique_ptr<Rare> rare;
  ReadMask read_mask = 0;  // which of the inputs it holds a value_ref of

  const std::string& where() const {
    static const std::string nowhere;
    return rare ? rare->where : nowhere;
  }
};

struct Node {
  uint64_t seq = 0;
  Value value;
  union {
    uint32_t in[2] = {0, 0};  // n_in of them
    Leaf* leaf;               // of kind leaf
  };
  uint32_t refs = 0;
  uint32_t value_refs = 0;
  uint32_t origin = 0;  // serial of the oldest scope that it depends on; 0 for outer leaves
  uint32_t mark = 0;    // scratch of whoever walks the tape
  uint16_t op = 0;
  NodeKind kind = NodeKind::op;
  uint8_t n_in = 0;  // 255: see extra->inputs
  uint8_t flags = 0;
  NodeExtra* extra = nullptr;

  static constexpr uint8_t many_inputs = 255;
  static constexpr uint8_t reads_output = 1;       // one value_ref is its own
  static constexpr uint8_t held_by_reference = 2;  // a constant with a fingerprint
  static constexpr uint8_t reads_in0 = 4;          // holds a value_ref of in[0]
  static constexpr uint8_t reads_in1 = 8;          // and of in[1]
  static constexpr uint8_t freed = 16;          // no sweep may pass it: its rules' reads are gone
  static constexpr uint8_t held_constant = 32;  // no derivative passes: recorded for its value
  static constexpr uint8_t made_by_rule = 64;   // a constant that no user wrote

  std::span<const uint32_t> inputs() const {
    if (n_in == many_inputs) return extra->inputs;
    return {in, n_in};
  }
  bool reads_input(size_t i) const {
    if (n_in == many_inputs) return (extra->read_mask & reads_in(static_cast<int>(i))) != 0;
    return (flags & (i == 0 ? reads_in0 : reads_in1)) != 0;
  }
};

class Tape {
 public:
  static Tape& current() {
    Tape* t = current_;
    return t ? *t : create();
  }
  static Tape* current_if_any() { return current_; }
  static bool is_current(const Tape* t) { return t == current_; }

  Node& node(uint32_t slot) { return slabs_[slot >> slab_shift][slot & (slab_size - 1)]; }
  const Node& node(uint32_t slot) const {
    return slabs_[slot >> slab_shift][slot & (slab_size - 1)];
  }

  // A node with refs = value_refs = 1 and a fresh sequence number; the caller fills the rest.
  uint32_t new_node(NodeKind kind, uint16_t op) {
    drain_releases();
    uint32_t slot = free_head_;
    if (slot != 0) {
      free_head_ = node(slot).mark;
    } else {
      slot = grow();
    }
    Node& n = node(slot);
    n.seq = ++seq_;
    n.leaf = nullptr;
    n.kind = kind;
    n.op = op;
    n.refs = 1;
    n.value_refs = 1;
    ++live_;
    return slot;
  }
  uint32_t constant(Value value);
  // A leaf's node has no count at all: the caller takes one at once. It holds one on the leaf.
  uint32_t leaf(Leaf* leaf, const Value& value);
  uint32_t argument(uint32_t input_or_zero,
                    Value value);  // origin is the innermost scope, or the input's

  void retain(uint32_t slot) {
    Node& n = node(slot);
    ++n.refs;
    ++n.value_refs;
  }
  void retain_node(uint32_t slot) { ++node(slot).refs; }
  void retain_value(uint32_t slot) { ++node(slot).value_refs; }
  void release_value(Node& n) {
    if (--n.value_refs == 0) n.value.drop_data();
  }
  // Gives up what the node's rules would read: no sweep may pass it any more.
  void free_recording(uint32_t slot);
  // Gives back a handle's count; from another thread it joins the owner's queue.
  void release(uint32_t slot) {
    if (is_current(this)) {
      Node& n = node(slot);
      release_value(n);
      if (--n.refs == 0) collect(slot);
    } else {
      release_elsewhere(slot);
    }
  }
  void release_node(uint32_t slot) {
    if (--node(slot).refs == 0) collect(slot);
  }
  void drain_releases() {
    if (pending_.load(std::memory_order_acquire)) drain();
  }

  // A node's extra lies in slabs of this tape as well, and goes with the node.
  NodeExtra* new_extra() {
    if (free_extra_ == nullptr) grow_extras();
    void* const at = free_extra_;
    free_extra_ = *static_cast<void**>(at);
    return new (at) NodeExtra;
  }

  // Gives the memory of nodes back where none is live.
  void trim();

  uint64_t sequence() const { return seq_; }
  int64_t live_nodes() const { return live_; }
  bool closed() const { return closed_.load(std::memory_order_acquire); }

  bool recording() const { return recording_; }
  bool set_recording(bool on) {
    const bool before = recording_;
    recording_ = on;
    return before;
  }

  // Who records a whole function, if anyone: see tracer.h.
  Tracer* tracer() const { return tracer_; }
  bool tracing() const { return tracer_ != nullptr; }
  void set_tracer(Tracer* tracer) { tracer_ = tracer; }
  // Whether a rule of a sweep is at work.
  bool in_rule() const { return in_rule_; }
  bool set_in_rule(bool on) {
    const bool before = in_rule_;
    in_rule_ = on;
    return before;
  }

  // Which nodes are for a program alone, so that no sweep passes them and they hold no value: those
  // with at least this origin, as long as no further scope is open. None where it is 0.
  struct ProgramOnly {
    uint32_t origin = 0;
    uint32_t innermost_scope = 0;
  };
  bool is_program_only(uint32_t origin) const {
    return program_only_.origin != 0 && origin >= program_only_.origin &&
           innermost_scope() == program_only_.innermost_scope;
  }
  ProgramOnly set_program_only(ProgramOnly p) { return std::exchange(program_only_, p); }

  // Scopes: serials grow. A differentiation scope owns the leaves that are made in it; a tracer's
  // leaves them to the scopes around it.
  enum class ScopeKind : uint8_t { differentiation, tracer };
  uint32_t open_scope(ScopeKind kind = ScopeKind::differentiation);
  void close_scope(uint32_t serial);
  uint32_t innermost_scope() const { return scopes_.empty() ? 0 : scopes_.back().serial; }
  // What a leaf that is made now keeps.
  Leaf::Birth birth() const { return {this, scopes_.empty() ? 0 : scopes_.back().birth}; }
  bool is_innermost_but_for(uint32_t scope, uint32_t inner) const {
    return std::all_of(scopes_.begin(), scopes_.end(),
                       [&](const OpenScope& s) { return s.serial <= scope || s.serial == inner; });
  }

  // Remembers the node through which a leaf was last read, so that reading it again needs no new
  // one.
  struct LeafEntry {
    const Leaf* leaf = nullptr;
    uint64_t version = 0;
    uint64_t seq = 0;
    uint32_t slot = 0;
  };
  // The node of `leaf` at `version`: the last one if it is still there, else a new one, made as
  // leaf() says.
  uint32_t enter(Leaf* leaf, uint64_t version, const Value& value) {
    LeafEntry& e = leaf_entries_[(reinterpret_cast<uintptr_t>(leaf) >> 6) & (leaf_entry_count - 1)];
    if (e.leaf == leaf && e.version == version) {
      Node& n = node(e.slot);
      if (n.seq == e.seq && n.refs > 0) {
        if (!n.value.has_data()) n.value = value;
        return e.slot;
      }
    }
    const uint32_t slot = this->leaf(leaf, value);
    e = {leaf, version, node(slot).seq, slot};
    return slot;
  }

  static constexpr int slab_shift = 12;
  static constexpr uint32_t slab_size = 1u << slab_shift;

 private:
  friend struct TapeOwner;
  Tape();
  ~Tape();
  static Tape& create();
  uint32_t grow();
  void drop_slabs();
  void grow_extras();
  void delete_extra(NodeExtra* extra);
  void collect(uint32_t slot);
  void release_elsewhere(uint32_t slot);
  void drain();
  void close();
  void reap(std::unique_lock<std::mutex>& lock);

  // `birth` counts the differentiation scopes of all threads; a tracer's entry has the birth of the
  // one around it.
  struct OpenScope {
    uint32_t serial;
    ScopeKind kind;
    uint64_t birth;
  };
  uint32_t origin_of(const Leaf& leaf) const;

  static constexpr uint32_t max_slabs = 1u << (32 - slab_shift);
  static constexpr size_t leaf_entry_count = 64;
  static thread_local Tape* current_ __attribute__((tls_model("initial-exec")));

  Node** slabs_;
  uint32_t slab_count_ = 0;
  uint32_t next_fresh_ = 1;  // slot 0 means none
  uint32_t free_head_ = 0;
  std::vector<NodeExtra*> extra_slabs_;
  void* free_extra_ = nullptr;  // each holds the next one
  uint64_t seq_ = 0;
  int64_t live_ = 0;
  bool recording_ = true;
  bool collecting_ = false;
  bool in_rule_ = false;
  Tracer* tracer_ = nullptr;
  uint32_t last_scope_ = 0;
  ProgramOnly program_only_;
  std::vector<OpenScope> scopes_;
  std::vector<uint32_t> work_;
  LeafEntry leaf_entries_[leaf_entry_count];

  std::mutex mutex_;
  std::vector<uint32_t> queued_;
  bool reaping_ = false;
  std::atomic<bool> pending_{false};
  std::atomic<bool> closed_{false};
};

// Switches recording on this thread off or on for a block.
class RecordingGuard {
 public:
  explicit RecordingGuard(bool on) : tape_(Tape::current()), before_(tape_.set_recording(on)) {}
  ~RecordingGuard() { tape_.set_recording(before_); }
  RecordingGuard(const RecordingGuard&) = delete;
  RecordingGuard& operator=(const RecordingGuard&) = delete;

 private:
  Tape& tape_;
  bool before_;
};

// The tape knows for a block that the rules of a sweep run.
class RuleSection {
 public:
  explicit RuleSection(Tape& tape) : tape_(tape), before_(tape.set_in_rule(true)) {}
  ~RuleSection() { tape_.set_in_rule(before_); }
  RuleSection(const RuleSection&) = delete;
  RuleSection& operator=(const RuleSection&) = delete;

 private:
  Tape& tape_;
  bool before_;
};

// What is recorded in a block from this origin on (if it is not 0) is for a program alone.
class ProgramOnlySection {
 public:
  ProgramOnlySection(Tape& tape, uint32_t origin)
      : tape_(tape), before_(tape.set_program_only({origin, tape.innermost_scope()})) {}
  ~ProgramOnlySection() { tape_.set_program_only(before_); }
  ProgramOnlySection(const ProgramOnlySection&) = delete;
  ProgramOnlySection& operator=(const ProgramOnlySection&) = delete;

 private:
  Tape& tape_;
  Tape::ProgramOnly before_;
};

// Throws the error that explains why `tape` can't be used here.
[[noreturn]] void throw_wrong_thread(const Tape& tape, const char* operation);

// Where the user's program is, set by the bindings; empty without them.
extern std::string (*current_location)();
// A 64-bit hash of every byte of a value; set by the layer that has the kernel.
extern uint64_t (*fingerprint_of)(const Value& value);
// A constant array of at least this many bytes is held by reference with a fingerprint; smaller
// ones are copied.
inline constexpr size_t hold_by_reference_bytes = 32 * 1024;

}  // namespace tapegrad
