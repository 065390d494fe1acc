// Machine code beside the steps of a block: which have run how often, and from when on pieces of
// them are run by instructions, with the same bits. What the pieces consist of is in block_lines.h.
// A block that several threads run is compiled once, by the one that finds it due.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace tapegrad {

template <class T>
struct BlockCode;

template <class T>
class BlockMachine {
 public:
  BlockMachine() = default;
  // It belongs to the code that it stands beside. Another one begins anew.
  BlockMachine(const BlockMachine&) {}
  BlockMachine& operator=(const BlockMachine&) {
    reset();
    return *this;
  }
  ~BlockMachine() { reset(); }

  // What runs on n lanes instead of `code`, whose own this is: the same, or other steps, some of
  // which are machine code. To be asked before each run.
  const BlockCode<T>& get(const BlockCode<T>& code, int64_t n) const {
    const Made* made = made_.load(std::memory_order_acquire);
    return made ? code_of(*made) : compile_if_due(code, n);
  }
  bool is_compiled() const { return made_.load(std::memory_order_acquire) != nullptr; }

 private:
  struct Made;
  static const BlockCode<T>& code_of(const Made& made);
  const BlockCode<T>& compile_if_due(const BlockCode<T>& code, int64_t n) const;
  void reset();

  mutable std::atomic<const Made*> made_{nullptr};
  // What has to be run yet until the code has earned its compilation, 0: not counted yet. Threads
  // that run it at the same time may lose some.
  mutable std::atomic<int64_t> left_{0};
  mutable std::atomic<bool> settled_{false};  // compiled, being compiled, or never to be
};

// How many rows more than its steps a block may need as machine code, as good as always: what is
// computed early, so that pieces are long, is kept longer.
template <class T>
uint32_t spare_rows(const BlockCode<T>& code);

// The instructions that pieces of `code` are compiled to, a line each.
template <class T>
std::string listing_of(const BlockCode<T>& code);

}  // namespace tapegrad
