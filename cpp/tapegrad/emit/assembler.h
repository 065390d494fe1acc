// Instructions of x86-64 as bytes: those of AVX on numbers and vectors that compiled programs need,
// in their VEX or EVEX encoding (Intel's manual, volume 2, sections 2.3 and 2.7), and a handful of
// others. With a listing each is also written down as text, in Intel's order: the result first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tapegrad::emit {

enum class General : uint8_t {
  rax,
  rcx,
  rdx,
  rbx,
  rsp,
  rbp,
  rsi,
  rdi,
  r8,
  r9,
  r10,
  r11,
  r12,
  r13,
  r14,
  r15,
  none = 255
};
const char* name_of(General g);

struct Vector {
  uint8_t number;  // of 16, of 32 at 64 bytes
  friend bool operator==(Vector, Vector) = default;
};

// A bit for each lane, at 64 bytes. Number 0 stands for all lanes.
struct Mask {
  uint8_t number;  // of 8
};
constexpr Mask all_lanes{0};

// [base + index + offset]; without a base it is the byte `offset` of the code itself.
struct Memory {
  General base;
  int32_t offset;
  General index = General::none;
  bool spread = false;  // one number that stands for all lanes, at 64 bytes
};
constexpr Memory in_code(size_t offset, bool spread = false) {
  return {General::none, static_cast<int32_t>(offset), General::none, spread};
}

// The last operand of an instruction.
class Operand {
 public:
  Operand(Vector v) : vector_(v), is_memory_(false) {}
  Operand(Memory m) : memory_(m), is_memory_(true) {}
  bool is_memory() const { return is_memory_; }
  Vector vector() const { return vector_; }
  const Memory& memory() const { return memory_; }

 private:
  Vector vector_{0};
  Memory memory_{General::none, 0};
  bool is_memory_;
};

enum class Precision : uint8_t { float64, float32 };
constexpr size_t size_of(Precision p) { return p == Precision::float64 ? 8 : 4; }

// What an instruction works on: one number, the lowest of a vector, or whole vectors.
enum class Width : uint8_t { number, bytes_32, bytes_64 };
constexpr size_t size_of(Width w) { return w == Width::bytes_64 ? 64 : 32; }

enum class Arithmetic : uint8_t { add = 0x58, multiply = 0x59, subtract = 0x5c, divide = 0x5e };
enum class Logical : uint8_t { both = 0x54, not_and = 0x55, either = 0x56, differ = 0x57 };
// None of them signals where an operand is a quiet NaN.
enum class Compare : uint8_t {
  equal = 0x00,
  unordered = 0x03,
  not_equal = 0x04,  // or unordered
  ordered = 0x07,
  less = 0x11,
  less_equal = 0x12,
  not_less_equal = 0x16,     // or unordered
  not_greater_equal = 0x19,  // or unordered
  greater_equal = 0x1d,
  greater = 0x1e,
};
struct ListedInstruction {
  size_t at, length;  // bytes
  std::string text;
};

class Assembler {
 public:
  explicit Assembler(Precision precision, bool lists = false, Width width = Width::number)
      : precision_(precision), width_(width), lists_(lists) {}

  // With a mask the other lanes are 0.
  void arithmetic(Arithmetic op, Vector out, Vector a, Operand b, Mask lanes = all_lanes);
  void root(Vector out, Operand x);
  void load(Vector out, Memory from);
  void store(Memory to, Vector x);
  // On vectors alone: the number at `from` in all lanes; out += a * b, rounded once.
  void spread(Vector out, Memory from, Mask lanes = all_lanes);
  void add_product(Vector out, Vector a, Operand b);

  // `out` has all bits set where it holds, and none where it does not.
  void compare(Compare how, Vector out, Vector a, Operand b);
  // out = mask ? b : a, by the signs of the mask's lanes.
  void blend(Vector out, Vector a, Vector b, Vector mask);
  // The same at 64 bytes, with masks. A comparison holds within `lanes` alone.
  void compare(Compare how, Mask out, Vector a, Operand b, Mask lanes = all_lanes);
  void blend(Vector out, Vector a, Operand b, Mask mask);

  // On whole vectors, of 16 bytes where the width is one number; so many are read where the operand
  // is in memory.
  void logical(Logical op, Vector out, Vector a, Operand b);
  void move(Vector out, Vector x);
  void clear_upper();  // halves of all vectors, before code that knows smaller ones

  void call(const void* function, const std::string& name);  // overwrites rax
  void push(General x);
  void pop(General x);
  void move(General out, General x);
  void load(General out, Memory from);
  void clear(General x);
  void add(General x, int32_t number);
  void keep_bits(General x, int8_t bits);  // x &= bits
  void shift_left(General x, uint8_t bits);
  void jump(size_t target);  // a byte of the code
  void jump_if_below(General a, General b, size_t target);
  void ret();

  // Bytes that are no instruction.
  void data(std::span<const uint8_t> bytes);

  Precision precision() const { return precision_; }
  Width width() const { return width_; }
  std::span<const uint8_t> bytes() const { return bytes_; }
  const std::vector<ListedInstruction>& listing() const { return listing_; }

 private:
  struct Opcode {
    uint8_t map;  // 1: 0F, 2: 0F 38, 3: 0F 3A
    uint8_t code;
    uint8_t prefix;     // 0: none, 1: 66, 2: F3, 3: F2
    bool wide = false;  // whether the bit W says the precision in VEX too
  };
  // The prefix of an instruction on one number or all, and on vectors.
  uint8_t one() const { return static_cast<uint8_t>(many() + (width_ == Width::number ? 2 : 0)); }
  uint8_t many() const { return f64() ? 1 : 0; }
  bool f64() const { return precision_ == Precision::float64; }
  // `immediates` bytes follow. With a mask, `zeroes` the other lanes.
  void encode(Opcode op, uint8_t reg, uint8_t second, const Operand& last, size_t immediates = 0,
              Mask mask = all_lanes, bool zeroes = false);
  void put_vex(Opcode op, uint8_t reg, uint8_t second, const Operand& last);
  void put_evex(Opcode op, uint8_t reg, uint8_t second, const Operand& last, Mask mask,
                bool zeroes);
  // `unit`: one-byte offsets are multiples of it.
  void put_operand(uint8_t reg, const Operand& last, size_t immediates, int32_t unit);
  void put_general(uint8_t code, General reg, General rm);  // on 64 bits
  void put(uint8_t byte) { bytes_.push_back(byte); }
  void put32(uint32_t x);
  void begin() { begun_ = bytes_.size(); }

  void list(const std::string& text) { listing_.push_back({begun_, bytes_.size() - begun_, text}); }
  std::string name(const char* stem, bool whole) const;
  std::string text(Vector v) const;
  std::string text(const Operand& x) const;
  static std::string text(Mask mask, bool zeroes);

  const Precision precision_;
  const Width width_;
  const bool lists_;
  size_t begun_ = 0;
  std::vector<uint8_t> bytes_;
  std::vector<ListedInstruction> listing_;
};

}  // namespace tapegrad::emit
