#include "tapegrad/lanes/block/block_machine.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "tapegrad/emit/machine_code.h"
#include "tapegrad/lanes/block/block_lines.h"
#include "tapegrad/lanes/machine_function.h"
#include "tapegrad/rows/cpu.h"

namespace tapegrad {
namespace {

// What compiling costs, in lanes of a step: so many have to be run before. Beside its lanes a step
// has a fixed cost, that of some of them.
constexpr int64_t cost_of_pages = 200'000, cost_of_step = 10'000, fixed_cost = 32;
constexpr size_t code_alignment = 64;

template <class T>
emit::Compiled compile(const BlockPiece& piece, bool lists) {
  const emit::Width width =
      isa_level() == IsaLevel::v4 ? emit::Width::bytes_64 : emit::Width::bytes_32;
  return emit::compile_rows(piece.program, machine_precision<T>, width, lists);
}

// Below, vectors are those of the level, and products that are added up are not rounded once.
bool can_compile() { return isa_level() >= IsaLevel::v3; }

}  // namespace

template <class T>
struct BlockMachine<T>::Made {
  BlockCode<T> code;  // of a piece `run` is all that counts
  emit::MachineCode machine_code;
};

template <class T>
const BlockCode<T>& BlockMachine<T>::code_of(const Made& made) {
  return made.code;
}

template <class T>
const BlockCode<T>& BlockMachine<T>::compile_if_due(const BlockCode<T>& code, int64_t n) const {
  if (settled_.load(std::memory_order_relaxed)) return code;
  const emit::When when = emit::when();
  if (when == emit::When::never) return code;
  if (when == emit::When::earned) {
    const auto steps = static_cast<int64_t>(code.steps.size());
    int64_t left = left_.load(std::memory_order_relaxed);
    if (left == 0) left = cost_of_pages + steps * cost_of_step;
    left -= steps * (n + fixed_cost);
    left_.store(left > 0 ? left : 1, std::memory_order_relaxed);
    if (left > 0) return code;
  }
  if (settled_.exchange(true) || !can_compile()) return code;

  BlockPieces<T> from = pieces_of(code);
  if (from.pieces.empty()) return code;
  std::vector<uint8_t> bytes;
  std::vector<size_t> entries;
  for (const BlockPiece& piece : from.pieces) {
    bytes.resize((bytes.size() + code_alignment - 1) / code_alignment * code_alignment);
    const emit::Compiled compiled = compile<T>(piece, false);
    entries.push_back(bytes.size() + compiled.entry);
    bytes.insert(bytes.end(), compiled.code.bytes().begin(), compiled.code.bytes().end());
  }
  auto made = std::make_unique<Made>();
  made->machine_code = emit::MachineCode::place(bytes);
  if (!made->machine_code) return code;
  std::vector<LaneStep<T>> steps;
  const auto append = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) steps.push_back(from.code.steps[i]);
  };
  size_t next = 0;
  for (size_t k = 0; k < from.pieces.size(); ++k) {
    append(next, from.pieces[k].begin);
    next = from.pieces[k].end;
    LaneStep<T> step{};
    step.run = reinterpret_cast<LaneHandler<T>>(
        reinterpret_cast<uintptr_t>(made->machine_code.at(entries[k])));
    steps.push_back(step);
  }
  append(next, from.code.steps.size());
  made->code = std::move(from.code);
  made->code.steps = std::move(steps);
  const Made* const done = made.release();
  made_.store(done, std::memory_order_release);
  return done->code;
}

template <class T>
void BlockMachine<T>::reset() {
  delete made_.exchange(nullptr, std::memory_order_acquire);
  left_.store(0, std::memory_order_relaxed);
  settled_.store(false, std::memory_order_relaxed);
}

template <class T>
uint32_t spare_rows(const BlockCode<T>& code) {
  if (emit::when() == emit::When::never || !can_compile()) return 0;
  // More would not be worth it: where rows are many they lie in the second-level cache, or beyond.
  return std::min(static_cast<uint32_t>(code.steps.size() / 2), 16U);
}

template <class T>
std::string listing_of(const BlockCode<T>& code) {
  const BlockPieces<T> from = pieces_of(code);
  std::string all;
  for (const BlockPiece& piece : from.pieces) {
    all += "steps " + std::to_string(piece.begin + 1) + " to " + std::to_string(piece.end) +
           " of " + std::to_string(code.steps.size()) + ", for each vector of lanes:\n";
    all += emit::listing_of(compile<T>(piece, true));
  }
  return all;
}

template uint32_t spare_rows(const BlockCode<float>&);
template uint32_t spare_rows(const BlockCode<double>&);
template class BlockMachine<float>;
template class BlockMachine<double>;
template std::string listing_of(const BlockCode<float>&);
template std::string listing_of(const BlockCode<double>&);

}  // namespace tapegrad
