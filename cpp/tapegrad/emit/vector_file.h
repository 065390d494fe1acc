// Which value is in which vector register while a program is compiled, line by line. A vector that
// is wanted for something else is taken from the value whose next reader is furthest away (Belady's
// rule).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "tapegrad/emit/function.h"

namespace tapegrad::emit {

// When a value is read next: the number of a line, or one of these. A value that is there at the
// end is read at the end.
constexpr uint32_t never = ~uint32_t{0}, at_the_end = never - 1;

struct NextReaders {
  uint32_t of_result;
  std::array<uint32_t, 3> of_operands;
};

// `last`: of what a line has written and no line reads, `never` or `at_the_end`.
inline std::vector<NextReaders> next_readers(std::span<const Line> lines, size_t values,
                                             uint32_t last) {
  std::vector<NextReaders> next(lines.size());
  std::vector<uint32_t> reader(values, last);
  for (size_t i = lines.size(); i-- > 0;) {
    const Line& line = lines[i];
    next[i].of_result = std::exchange(reader[line.out], never);
    const std::array<uint32_t, 3> operands = operands_of(line);
    for (size_t k = 0; k < line.arity; ++k) next[i].of_operands[k] = reader[operands[k]];
    for (size_t k = 0; k < line.arity; ++k) reader[operands[k]] = static_cast<uint32_t>(i);
  }
  return next;
}

class VectorFile {
 protected:
  static constexpr uint8_t no_vector = 255;

  VectorFile(uint8_t holders, size_t values) : holders_(holders), vector_of_(values, no_vector) {}
  ~VectorFile() = default;

  // Instructions between a vector and the memory that a value has, and where that is.
  virtual void write_back(uint32_t value, Vector from) = 0;
  virtual void read(Vector to, uint32_t value) = 0;
  virtual Memory memory_of(uint32_t value) = 0;
  // Whether instructions can read it where it lies.
  virtual bool can_be_operand(uint32_t) const { return true; }

  uint8_t holders() const { return holders_; }
  bool is_in_vector(uint32_t value) const { return vector_of_[value] != no_vector; }

  // The value in a vector, which stays until release(). `next`: who reads it after this line.
  Vector in_vector(uint32_t value, uint32_t next) {
    uint8_t v = vector_of_[value];
    if (v == no_vector) {
      v = take();
      read({v}, value);
      hold(v, value, next, false);
    }
    held_[v].pinned = true;
    return {v};
  }

  // The same, or where it lies in memory if no line after this one reads it.
  Operand where_it_is(uint32_t value, uint32_t next) {
    if (!is_in_vector(value) && next >= at_the_end && can_be_operand(value))
      return memory_of(value);
    return in_vector(value, next);
  }

  // After the operands were read: those that nobody reads again make room.
  void release(const Line& line, const NextReaders& next) {
    const std::array<uint32_t, 3> operands = operands_of(line);
    for (size_t k = 0; k < line.arity; ++k) {
      const uint8_t v = vector_of_[operands[k]];
      if (v == no_vector) continue;
      held_[v].pinned = false;
      held_[v].next = next.of_operands[k];
      if (held_[v].next == never) drop(v);
    }
  }

  // The vector of the line's result. It may be that of an operand.
  Vector result(const Line& line, const NextReaders& next) {
    const uint8_t old = vector_of_[line.out];
    if (old != no_vector) drop(old);  // a value that was never read
    const uint8_t v = take();
    if (next.of_result != never) hold(v, line.out, next.of_result, true);
    return {v};
  }

  // The line's function, and the vector of its result. Where either order of two operands gives the
  // same bits, the one in a vector comes first: the last may lie in memory, and finding it there
  // may take a register.
  Vector write_function(FunctionWriter& writer, const Line& line, const NextReaders& next) {
    std::array<uint32_t, 3> operands = operands_of(line);
    std::array<uint32_t, 3> readers = next.of_operands;
    if (FunctionWriter::commutes(line.function) && !is_in_vector(line.a) && is_in_vector(line.b)) {
      std::swap(operands[0], operands[1]);
      std::swap(readers[0], readers[1]);
    }
    std::array<Vector, 2> first{};
    const size_t last = line.arity - size_t{1};
    for (size_t k = 0; k < last; ++k) first[k] = in_vector(operands[k], readers[k]);
    const Operand x = writer.takes_memory(line.function)
                          ? where_it_is(operands[last], readers[last])
                          : in_vector(operands[last], readers[last]);
    release(line, next);
    const Vector out = result(line, next);
    writer.write(line.function, out, first[0], first[1], x);
    return out;
  }

  // A vector that holds nothing.
  uint8_t take() {
    uint8_t chosen = no_vector;
    for (uint8_t v = 0; v < holders_; ++v) {
      const Held& held = held_[v];
      if (held.value == no_value) return v;
      if (held.pinned) continue;
      if (chosen == no_vector || held.next > held_[chosen].next ||
          (held.next == held_[chosen].next && !held.only_here && held_[chosen].only_here))
        chosen = v;
    }
    store(chosen);
    drop(chosen);
    return chosen;
  }

  void hold(uint8_t v, uint32_t value, uint32_t next, bool only_here) {
    held_[v] = {value, next, only_here, false};
    vector_of_[value] = v;
  }

  void store(uint8_t v) {
    Held& held = held_[v];
    if (held.value == no_value || !held.only_here) return;
    write_back(held.value, {v});
    held.only_here = false;
  }

  void drop(uint8_t v) {
    if (held_[v].value != no_value) vector_of_[held_[v].value] = no_vector;
    held_[v] = Held();
  }

  uint8_t vector_of(uint32_t value) const { return vector_of_[value]; }
  uint32_t next_of(uint8_t v) const { return held_[v].next; }
  void set_next(uint8_t v, uint32_t next) { held_[v].next = next; }

 private:
  static constexpr uint32_t no_value = ~uint32_t{0};

  struct Held {
    uint32_t value = no_value;
    uint32_t next = never;  // its next reader
    bool only_here = false;
    bool pinned = false;  // an operand of the line at work
  };

  const uint8_t holders_;
  std::vector<uint8_t> vector_of_;  // by value
  std::array<Held, 32> held_{};
};

}  // namespace tapegrad::emit
