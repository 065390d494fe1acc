#include "tapegrad/emit/straight.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <utility>

namespace tapegrad::emit {
namespace {

constexpr uint32_t none = ~uint32_t{0};

// When the value that a register of the file holds is read next: the number of a line, or one of
// these. A value that is there at the end is read at the end.
constexpr uint32_t never = ~uint32_t{0}, at_the_end = never - 1;

struct NextReaders {
  uint32_t of_result;
  std::array<uint32_t, 3> of_operands;
};

std::array<uint32_t, 3> operands_of(const Line& line) { return {line.a, line.b, line.c}; }

std::vector<NextReaders> next_readers(std::span<const Line> lines, size_t registers) {
  std::vector<NextReaders> next(lines.size());
  std::vector<uint32_t> reader(registers, at_the_end);
  for (size_t i = lines.size(); i-- > 0;) {
    const Line& line = lines[i];
    next[i].of_result = std::exchange(reader[line.out], never);
    const std::array<uint32_t, 3> operands = operands_of(line);
    for (size_t k = 0; k < line.arity; ++k) next[i].of_operands[k] = reader[operands[k]];
    for (size_t k = 0; k < line.arity; ++k) reader[operands[k]] = static_cast<uint32_t>(i);
  }
  return next;
}

// Constants stand before the code, 16 bytes each.
enum class Constant : uint8_t { sign, magnitude, one, zero };
constexpr size_t constants = 4, constant_bytes = 16;

template <class Bits>
void put_constants(Assembler& to, Bits one) {
  constexpr Bits sign = Bits{1} << (8 * sizeof(Bits) - 1);
  for (Bits x : {sign, static_cast<Bits>(~sign), one, Bits{0}}) {
    std::array<Bits, constant_bytes / sizeof(Bits)> row;
    row.fill(x);
    to.data(std::bit_cast<std::array<uint8_t, constant_bytes>>(row));
  }
}

// The file of registers is at `base_`: a general register that calls preserve, where there are any.
class Compiler {
 public:
  Compiler(std::span<const Line> lines, uint32_t registers, Precision precision, bool lists)
      : lines_(lines),
        size_(static_cast<int32_t>(size_of(precision))),
        code_(precision, lists),
        vector_of_(registers, no_vector) {
    for (const Line& line : lines) calls_ |= line.function == Function::call;
    base_ = calls_ ? General::rbx : General::rdi;
  }

  Straight compile() {
    if (code_.precision() == Precision::float64) {
      put_constants(code_, std::bit_cast<uint64_t>(1.0));
    } else {
      put_constants(code_, std::bit_cast<uint32_t>(1.0f));
    }
    if (calls_) {
      code_.push(General::rbx);
      code_.move(General::rbx, General::rdi);
    }
    const std::vector<NextReaders> next = next_readers(lines_, vector_of_.size());
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i].function == Function::call) {
        call(lines_[i], next[i]);
      } else {
        compute(lines_[i], next[i]);
      }
    }
    for (uint8_t v = 0; v < holders; ++v) store(v);
    if (calls_) code_.pop(General::rbx);
    code_.ret();
    return {std::move(code_), constants * constant_bytes};
  }

 private:
  // Vector registers that hold values; the last two are for what lies between.
  static constexpr uint8_t holders = 14, no_vector = 255;
  static constexpr Vector first_spare{14}, second_spare{15};

  struct Held {
    uint32_t reg = none;    // of the file, whose value it is
    uint32_t next = never;  // its next reader
    bool only_here = false;
    bool pinned = false;  // an operand of the line at work
  };

  Memory home(uint32_t reg) const { return {base_, static_cast<int32_t>(reg) * size_}; }
  static Memory constant(Constant c) { return in_code(static_cast<size_t>(c) * constant_bytes); }

  void store(uint8_t v) {
    Held& held = held_[v];
    if (held.reg == none || !held.only_here) return;
    code_.store(home(held.reg), {v});
    held.only_here = false;
  }

  void drop(uint8_t v) {
    if (held_[v].reg != none) vector_of_[held_[v].reg] = no_vector;
    held_[v] = Held();
  }

  uint8_t take() {
    uint8_t chosen = no_vector;
    for (uint8_t v = 0; v < holders; ++v) {
      const Held& held = held_[v];
      if (held.reg == none) return v;
      if (held.pinned) continue;
      if (chosen == no_vector || held.next > held_[chosen].next ||
          (held.next == held_[chosen].next && !held.only_here && held_[chosen].only_here))
        chosen = v;
    }
    store(chosen);
    drop(chosen);
    return chosen;
  }

  void hold(uint8_t v, uint32_t reg, uint32_t next, bool only_here) {
    held_[v] = {reg, next, only_here, false};
    vector_of_[reg] = v;
  }

  // The register's value in a vector.
  Vector in_vector(uint32_t reg, uint32_t next) {
    uint8_t v = vector_of_[reg];
    if (v == no_vector) {
      v = take();
      code_.load({v}, home(reg));
      hold(v, reg, next, false);
    }
    held_[v].pinned = true;
    return {v};
  }

  // The same, or where it lies in memory if no line after this one reads it.
  Operand where_it_is(uint32_t reg, uint32_t next) {
    if (vector_of_[reg] == no_vector && next >= at_the_end) return home(reg);
    return in_vector(reg, next);
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

  // The vector of the result. It may be that of an operand.
  Vector result(const Line& line, const NextReaders& next) {
    const uint8_t old = vector_of_[line.out];
    if (old != no_vector) drop(old);  // a value that was never read
    const uint8_t v = take();
    if (next.of_result != never) hold(v, line.out, next.of_result, true);
    return {v};
  }

  void compute(const Line& line, const NextReaders& next) {
    uint32_t a = line.a, b = line.b, next_a = next.of_operands[0], next_b = next.of_operands[1];
    switch (line.function) {
      case Function::add:
      case Function::multiply:
        // Either order gives the same bits, and the second operand may lie in memory.
        if (vector_of_[a] == no_vector && vector_of_[b] != no_vector) {
          std::swap(a, b);
          std::swap(next_a, next_b);
        }
        [[fallthrough]];
      case Function::subtract:
      case Function::divide: {
        const Vector x = in_vector(a, next_a);
        const Operand y = where_it_is(b, next_b);
        release(line, next);
        return code_.arithmetic(arithmetic_of(line.function), result(line, next), x, y);
      }
      case Function::reciprocal: {
        const Operand x = where_it_is(a, next_a);
        release(line, next);
        code_.load(first_spare, constant(Constant::one));
        return code_.arithmetic(Arithmetic::divide, result(line, next), first_spare, x);
      }
      case Function::select:
        return select(line, next);
      case Function::square:
      case Function::negative:
      case Function::absolute:
      case Function::root: {
        const Vector x = in_vector(a, next_a);
        release(line, next);
        const Vector out = result(line, next);
        if (line.function == Function::square)
          return code_.arithmetic(Arithmetic::multiply, out, x, x);
        if (line.function == Function::root) return code_.root(out, x);
        if (line.function == Function::negative)
          return code_.logical(Logical::differ, out, x, constant(Constant::sign));
        return code_.logical(Logical::both, out, x, constant(Constant::magnitude));
      }
      default: {
        const Vector x = in_vector(a, next_a), y = in_vector(b, next_b);
        release(line, next);
        return of_two(line.function, result(line, next), x, y);
      }
    }
  }

  static Arithmetic arithmetic_of(Function f) {
    switch (f) {
      case Function::add:
        return Arithmetic::add;
      case Function::subtract:
        return Arithmetic::subtract;
      case Function::multiply:
        return Arithmetic::multiply;
      default:
        return Arithmetic::divide;
    }
  }

  // `out` may be x or y: it is written where neither is read any more.
  void of_two(Function f, Vector out, Vector x, Vector y) {
    switch (f) {
      case Function::strong_product:
        code_.compare(Compare::equal, first_spare, x, constant(Constant::zero));
        code_.arithmetic(Arithmetic::multiply, out, x, y);
        return code_.logical(Logical::not_and, out, first_spare, out);
      case Function::zero_product:
        code_.compare(Compare::equal, first_spare, x, constant(Constant::zero));
        code_.compare(Compare::equal, second_spare, y, constant(Constant::zero));
        code_.logical(Logical::either, first_spare, first_spare, second_spare);
        code_.arithmetic(Arithmetic::multiply, out, x, y);
        return code_.logical(Logical::not_and, out, first_spare, out);
      case Function::maximum:
      case Function::minimum:
        code_.compare(f == Function::maximum ? Compare::greater_equal : Compare::less_equal,
                      first_spare, x, y);
        code_.compare(Compare::unordered, second_spare, x, x);
        code_.logical(Logical::either, first_spare, first_spare, second_spare);
        return code_.blend(out, y, x, first_spare);
      default:
        code_.compare(compare_of(f), out, x, y);
        return code_.logical(Logical::both, out, out, constant(Constant::one));
    }
  }

  static Compare compare_of(Function f) {
    switch (f) {
      case Function::less:
        return Compare::less;
      case Function::less_equal:
        return Compare::less_equal;
      case Function::greater:
        return Compare::greater;
      case Function::greater_equal:
        return Compare::greater_equal;
      case Function::equal:
        return Compare::equal;
      default:
        return Compare::not_equal;
    }
  }

  void select(const Line& line, const NextReaders& next) {
    const Vector mask = in_vector(line.a, next.of_operands[0]);
    const Vector yes = in_vector(line.b, next.of_operands[1]);
    const Vector no = in_vector(line.c, next.of_operands[2]);
    release(line, next);
    code_.compare(Compare::not_equal, first_spare, mask, constant(Constant::zero));
    code_.blend(result(line, next), no, yes, first_spare);
  }

  // Arguments go in the first vectors. What lives on is stored before, and so is an argument in a
  // vector that another one needs.
  void call(const Line& line, const NextReaders& next) {
    const std::array<uint32_t, 3> operands = operands_of(line);
    for (size_t k = 0; k < line.arity; ++k) {
      const uint8_t v = vector_of_[operands[k]];
      if (v == no_vector) continue;
      held_[v].next = next.of_operands[k];
      if (v < line.arity && v != k) {
        store(v);
        drop(v);
      }
    }
    for (uint8_t v = 0; v < holders; ++v)
      if (held_[v].next != never) store(v);
    for (uint8_t k = 0; k < line.arity; ++k) {
      const uint8_t v = vector_of_[operands[k]];
      if (v == no_vector) {
        code_.load({k}, home(operands[k]));
      } else if (v != k) {
        code_.move({k}, {v});
      }
    }
    for (uint8_t v = 0; v < holders; ++v) drop(v);
    code_.call(line.called, line.name);
    if (next.of_result != never) hold(0, line.out, next.of_result, true);
  }

  const std::span<const Line> lines_;
  const int32_t size_;
  Assembler code_;
  std::vector<uint8_t> vector_of_;  // by register of the file
  std::array<Held, holders> held_{};
  bool calls_ = false;
  General base_ = General::rdi;
};

}  // namespace

Straight compile_straight(std::span<const Line> lines, uint32_t registers, Precision precision,
                          bool lists) {
  return Compiler(lines, registers, precision, lists).compile();
}

std::string listing_of(const Straight& made) {
  std::string all;
  for (const ListedInstruction& i : made.code.listing()) {
    char place[16];
    std::snprintf(place, sizeof place, "%6zx  ", i.at);
    std::string bytes;
    for (uint8_t b : made.code.bytes().subspan(i.at, i.length)) {
      char two[4];
      std::snprintf(two, sizeof two, "%02x", b);
      bytes += two;
    }
    bytes.resize(std::max<size_t>(bytes.size(), 22), ' ');
    all += place + bytes + i.text + "\n";
  }
  return all;
}

}  // namespace tapegrad::emit
