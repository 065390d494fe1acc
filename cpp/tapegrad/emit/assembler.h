// Instructions of x86-64 as bytes: those of AVX on numbers and vectors that straight-line programs
// need, in their VEX encoding (Intel's manual, volume 2, section 2.3), and a handful of others.
// With a listing each is also written down as text, in Intel's order: the result first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tapegrad::emit {

enum class General : uint8_t { rax = 0, rcx = 1, rdx = 2, rbx = 3, rsi = 6, rdi = 7, none = 255 };

struct Vector {
  uint8_t number;  // of 16
  friend bool operator==(Vector, Vector) = default;
};

// [base + offset]; without a base it is the byte `offset` of the code itself.
struct Memory {
  General base;
  int32_t offset;
};
constexpr Memory in_code(size_t offset) { return {General::none, static_cast<int32_t>(offset)}; }

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

enum class Arithmetic : uint8_t { add = 0x58, multiply = 0x59, subtract = 0x5c, divide = 0x5e };
enum class Logical : uint8_t { both = 0x54, not_and = 0x55, either = 0x56, differ = 0x57 };
// None of them signals where an operand is a quiet NaN.
enum class Compare : uint8_t {
  equal = 0x00,
  unordered = 0x03,
  not_equal = 0x04,  // or unordered
  less = 0x11,
  less_equal = 0x12,
  greater_equal = 0x1d,
  greater = 0x1e,
};

struct ListedInstruction {
  size_t at, length;  // bytes
  std::string text;
};

class Assembler {
 public:
  explicit Assembler(Precision precision, bool lists = false)
      : precision_(precision), lists_(lists) {}

  // On one number, in the lowest lane of a vector.
  void arithmetic(Arithmetic op, Vector out, Vector a, Operand b);
  void root(Vector out, Operand x);
  void load(Vector out, Memory from);
  void store(Memory to, Vector x);
  // `out` has all bits set where it holds, and none where it does not.
  void compare(Compare how, Vector out, Vector a, Operand b);

  // On 16 bytes; so many are read where the operand is in memory.
  void logical(Logical op, Vector out, Vector a, Operand b);
  // out = mask ? b : a, by the signs of the mask's lanes.
  void blend(Vector out, Vector a, Vector b, Vector mask);
  void move(Vector out, Vector x);

  void call(const void* function, const std::string& name);  // overwrites rax
  void push(General x);
  void pop(General x);
  void move(General out, General x);
  void ret();

  // Bytes that are no instruction.
  void data(std::span<const uint8_t> bytes);

  Precision precision() const { return precision_; }
  std::span<const uint8_t> bytes() const { return bytes_; }
  const std::vector<ListedInstruction>& listing() const { return listing_; }

 private:
  struct Opcode {
    uint8_t map;  // 1: 0F, 2: 0F 38, 3: 0F 3A
    uint8_t code;
    uint8_t prefix;  // 0: none, 1: 66, 2: F3, 3: F2
  };
  // The prefix of an instruction on one number, and on vectors.
  uint8_t one() const { return precision_ == Precision::float64 ? 3 : 2; }
  uint8_t many() const { return precision_ == Precision::float64 ? 1 : 0; }
  // `immediates` bytes follow.
  void encode(Opcode op, Vector reg, Vector second, const Operand& last, size_t immediates = 0);
  void put(uint8_t byte) { bytes_.push_back(byte); }
  void put32(uint32_t x);
  void begin() { begun_ = bytes_.size(); }
  void list(const std::string& text) { listing_.push_back({begun_, bytes_.size() - begun_, text}); }
  std::string name(const char* stem, bool whole) const;

  const Precision precision_;
  const bool lists_;
  size_t begun_ = 0;
  std::vector<uint8_t> bytes_;
  std::vector<ListedInstruction> listing_;
};

}  // namespace tapegrad::emit
