#include "tapegrad/emit/rows/rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tapegrad/emit/function.h"
#include "tapegrad/emit/rows/interleave.h"
#include "tapegrad/emit/vector_file.h"

namespace tapegrad::emit {
namespace {

using Kind = RowValue::Kind;

constexpr General table = General::rsi, end = General::rdx, lane = General::rdi,
                  numbers = General::rcx, scratch = General::rax, frame = General::rbp;
// They hold the rows that are read and written most; calls preserve those from rbx on.
constexpr std::array pointers{General::r8,  General::r9,  General::r10, General::r11, General::rbx,
                              General::r12, General::r13, General::r14, General::r15};
constexpr size_t free_pointers = 4;
constexpr int32_t page = 4096;

Memory place_in_table(uint32_t place) {
  return {table, static_cast<int32_t>(place * sizeof(void*))};
}

// The body of a loop over the lanes: all lines, on one vector or several.
class Body final : VectorFile {
 public:
  // Places may have a pointer in a register.
  Body(const RowProgram& program, std::span<const General> pointer_of, Assembler& code)
      : VectorFile(FunctionWriter::holders(code.width()), program.values.size()),
        program_(program),
        pointer_of_(pointer_of),
        code_(code),
        writer_(code),
        slot_of_(program.values.size(), no_slot) {}

  // Gives the vectors that it needs of the stack.
  uint32_t write() {
    const std::vector<NextReaders> next =
        next_readers(program_.lines, program_.values.size(), never);
    for (size_t i = 0; i < program_.lines.size(); ++i) compute(program_.lines[i], next[i]);
    return slots_;
  }

 private:
  static constexpr uint32_t no_slot = ~uint32_t{0};

  const RowValue& value(uint32_t v) const { return program_.values[v]; }

  Memory memory_of(uint32_t v) override {
    const RowValue& x = value(v);
    if (x.kind == Kind::number)
      return {numbers, x.at * static_cast<int32_t>(size_of(code_.precision())), General::none,
              code_.width() == Width::bytes_64};
    if (x.kind == Kind::temporary)
      return {General::rsp, static_cast<int32_t>(slot_of_[v] * size_of(code_.width()))};
    const auto place = static_cast<uint32_t>(x.at);
    const auto offset = static_cast<int32_t>(x.vector * size_of(code_.width()));
    if (pointer_of_[place] != General::none) return {pointer_of_[place], offset, lane};
    code_.load(scratch, place_in_table(place));
    return {scratch, offset, lane};
  }

  bool can_be_operand(uint32_t v) const override {
    return value(v).kind != Kind::number || code_.width() == Width::bytes_64;
  }

  void read(Vector to, uint32_t v) override {
    if (value(v).kind == Kind::number) return code_.spread(to, memory_of(v));
    code_.load(to, memory_of(v));
  }

  void write_back(uint32_t v, Vector from) override {
    if (value(v).kind == Kind::temporary) slot_of_[v] = take_slot();
    code_.store(memory_of(v), from);
  }

  uint32_t take_slot() {
    if (free_slots_.empty()) return slots_++;
    const uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
  }

  void compute(const Line& line, const NextReaders& next) {
    const Vector out = line.function == Function::add_product ? add_product(line, next)
                                                              : write_function(writer_, line, next);
    if (value(line.out).kind == Kind::row) {
      if (is_in_vector(line.out)) {
        store(out.number);
      } else {
        write_back(line.out, out);
      }
    }
    const std::array<uint32_t, 3> operands = operands_of(line);
    for (size_t k = 0; k < line.arity; ++k)
      if (next.of_operands[k] == never && slot_of_[operands[k]] != no_slot)
        free_slots_.push_back(std::exchange(slot_of_[operands[k]], no_slot));
  }

  // The sum stands where what is added to stood, or else a copy of it.
  Vector add_product(const Line& line, const NextReaders& next) {
    uint32_t a = line.a, b = line.b, reader_a = next.of_operands[0], reader_b = next.of_operands[1];
    if (!is_in_vector(a) && is_in_vector(b)) {
      std::swap(a, b);
      std::swap(reader_a, reader_b);
    }
    const Vector before = in_vector(line.c, next.of_operands[2]), x = in_vector(a, reader_a);
    const Operand y = where_it_is(b, reader_b);
    Vector out = before;
    if (next.of_operands[2] != never) {
      out = {take()};
      code_.move(out, before);
    }
    code_.add_product(out, x, y);
    release(line, next);
    if (next.of_result != never) hold(out.number, line.out, next.of_result, true);
    return out;
  }

  const RowProgram& program_;
  const std::span<const General> pointer_of_;  // by place
  Assembler& code_;
  FunctionWriter writer_;
  std::vector<uint32_t> slot_of_;  // by value: where on the stack it is
  std::vector<uint32_t> free_slots_;
  uint32_t slots_ = 0;
};

class Compiler {
 public:
  Compiler(const RowProgram& program, Precision precision, Width width, bool lists)
      : program_(program), code_(precision, lists, width) {}

  // How much of the stack is needed is known at the end: the loops stand before the entry.
  Compiled compile() {
    FunctionWriter(code_).put_constants();
    choose_pointers();
    const size_t rest = code_.bytes().size();
    uint32_t slots = Body(program_, pointer_of_, code_).write();
    step(1);
    size_t begin = code_.bytes().size();
    code_.jump_if_below(lane, end, rest);
    leave();
    const uint32_t at_once = vectors_at_once(program_, FunctionWriter::holders(code_.width()));
    if (at_once > 1) {
      const size_t loop = code_.bytes().size(), behind = begin;
      const RowProgram several = side_by_side(program_, at_once);
      slots = std::max(slots, Body(several, pointer_of_, code_).write());
      step(at_once);
      begin = code_.bytes().size();
      code_.move(scratch, lane);
      code_.add(scratch, static_cast<int32_t>((at_once - 1) * vector_bytes()));
      code_.jump_if_below(scratch, end, loop);
      code_.jump(behind);
    }
    const size_t entry = code_.bytes().size();
    enter(slots, begin);
    return {std::move(code_), entry};
  }

 private:
  size_t vector_bytes() const { return size_of(code_.width()); }
  void step(uint32_t vectors) { code_.add(lane, static_cast<int32_t>(vectors * vector_bytes())); }

  void choose_pointers() {
    std::vector<uint32_t> uses, places;  // by place; those that are used
    const auto use = [&](uint32_t v) {
      const RowValue& value = program_.values[v];
      if (value.kind == Kind::number) has_numbers_ = true;
      if (value.kind != Kind::row) return;
      const auto place = static_cast<uint32_t>(value.at);
      if (uses.size() <= place) uses.resize(place + 1);
      if (uses[place]++ == 0) places.push_back(place);
    };
    for (const Line& line : program_.lines) {
      const std::array<uint32_t, 3> operands = operands_of(line);
      for (size_t k = 0; k < line.arity; ++k) use(operands[k]);
      use(line.out);
    }
    pointer_of_.assign(uses.size(), General::none);
    const size_t kept = std::min(places.size(), pointers.size());
    std::partial_sort(
        places.begin(), places.begin() + static_cast<std::ptrdiff_t>(kept), places.end(),
        [&](uint32_t a, uint32_t b) { return std::pair(uses[b], a) < std::pair(uses[a], b); });
    kept_.assign(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(kept));
    for (size_t k = 0; k < kept; ++k) pointer_of_[kept_[k]] = pointers[k];
  }

  void enter(uint32_t slots, size_t begin) {
    code_.push(frame);
    for (size_t k = free_pointers; k < kept_.size(); ++k) code_.push(pointers[k]);
    code_.move(frame, General::rsp);
    if (slots > 0) {
      const auto vector = static_cast<int32_t>(vector_bytes());
      code_.add(General::rsp, -vector * static_cast<int32_t>(slots));
      code_.keep_bits(General::rsp, static_cast<int8_t>(-vector));
      // From above, so that where the stack ends the first page behind it is met.
      for (int32_t at = vector * static_cast<int32_t>(slots) - page; at > 0; at -= page)
        code_.load(scratch, {General::rsp, at});
    }
    code_.shift_left(end, code_.precision() == Precision::float64 ? 3 : 2);  // in bytes
    code_.clear(lane);
    if (has_numbers_) code_.load(numbers, place_in_table(program_.numbers));
    for (size_t k = 0; k < kept_.size(); ++k) code_.load(pointers[k], place_in_table(kept_[k]));
    code_.jump(begin);
  }

  void leave() {
    code_.move(General::rsp, frame);
    for (size_t k = kept_.size(); k-- > free_pointers;) code_.pop(pointers[k]);
    code_.pop(frame);
    code_.clear_upper();
    code_.ret();
  }

  const RowProgram& program_;
  Assembler code_;
  bool has_numbers_ = false;
  std::vector<General> pointer_of_;  // by place
  std::vector<uint32_t> kept_;       // places that have one
};

}  // namespace

Compiled compile_rows(const RowProgram& program, Precision precision, Width width, bool lists) {
  return Compiler(program, precision, width, lists).compile();
}

}  // namespace tapegrad::emit
