#include "tapegrad/emit/straight.h"

#include <array>
#include <utility>

#include "tapegrad/emit/function.h"
#include "tapegrad/emit/vector_file.h"

namespace tapegrad::emit {
namespace {

// The file of registers is at `base_`: a general register that calls preserve, where there are any.
class Compiler final : VectorFile {
 public:
  Compiler(std::span<const Line> lines, uint32_t registers, Precision precision, bool lists)
      : VectorFile(FunctionWriter::holders(Width::number), registers),
        lines_(lines),
        registers_(registers),
        size_(static_cast<int32_t>(size_of(precision))),
        code_(precision, lists),
        writer_(code_) {
    for (const Line& line : lines) calls_ |= line.function == Function::call;
    base_ = calls_ ? General::rbx : General::rdi;
  }

  Compiled compile() {
    writer_.put_constants();
    const size_t entry = code_.bytes().size();
    if (calls_) {
      code_.push(General::rbx);
      code_.move(General::rbx, General::rdi);
    }
    const std::vector<NextReaders> next = next_readers(lines_, registers_, at_the_end);
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i].function == Function::call) {
        call(lines_[i], next[i]);
      } else {
        write_function(writer_, lines_[i], next[i]);
      }
    }
    for (uint8_t v = 0; v < holders(); ++v) store(v);
    if (calls_) code_.pop(General::rbx);
    code_.ret();
    return {std::move(code_), entry};
  }

 private:
  Memory memory_of(uint32_t reg) override { return {base_, static_cast<int32_t>(reg) * size_}; }
  void write_back(uint32_t reg, Vector from) override { code_.store(memory_of(reg), from); }
  void read(Vector to, uint32_t reg) override { code_.load(to, memory_of(reg)); }

  // Arguments go in the first vectors. What lives on is stored before, and so is an argument in a
  // vector that another one needs.
  void call(const Line& line, const NextReaders& next) {
    const std::array<uint32_t, 3> operands = operands_of(line);
    for (size_t k = 0; k < line.arity; ++k) {
      const uint8_t v = vector_of(operands[k]);
      if (v == no_vector) continue;
      set_next(v, next.of_operands[k]);
      if (v < line.arity && v != k) {
        store(v);
        drop(v);
      }
    }
    for (uint8_t v = 0; v < holders(); ++v)
      if (next_of(v) != never) store(v);
    for (uint8_t k = 0; k < line.arity; ++k) {
      const uint8_t v = vector_of(operands[k]);
      if (v == no_vector) {
        code_.load({k}, memory_of(operands[k]));
      } else if (v != k) {
        code_.move({k}, {v});
      }
    }
    for (uint8_t v = 0; v < holders(); ++v) drop(v);
    code_.call(line.called, line.name);
    if (next.of_result != never) hold(0, line.out, next.of_result, true);
  }

  const std::span<const Line> lines_;
  const uint32_t registers_;
  const int32_t size_;
  Assembler code_;
  FunctionWriter writer_;
  bool calls_ = false;
  General base_ = General::rdi;
};

}  // namespace

Compiled compile_straight(std::span<const Line> lines, uint32_t registers, Precision precision,
                          bool lists) {
  return Compiler(lines, registers, precision, lists).compile();
}

}  // namespace tapegrad::emit
