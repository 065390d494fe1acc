#include "tapegrad/emit/assembler.h"

#include <cstdlib>

namespace tapegrad::emit {
namespace {

uint8_t number(General g) { return static_cast<uint8_t>(g); }
uint8_t low(uint8_t n) { return n & 7; }
// The bit of a register's number, inverted, at this place of a byte.
uint8_t absent(uint8_t n, int bit, int at) { return static_cast<uint8_t>((~n >> bit & 1) << at); }

const char* stem(Arithmetic op) {
  switch (op) {
    case Arithmetic::add:
      return "vadd";
    case Arithmetic::multiply:
      return "vmul";
    case Arithmetic::subtract:
      return "vsub";
    case Arithmetic::divide:
      return "vdiv";
  }
  return "";
}

const char* stem(Logical op) {
  switch (op) {
    case Logical::both:
      return "vand";
    case Logical::not_and:
      return "vandn";
    case Logical::either:
      return "vor";
    case Logical::differ:
      return "vxor";
  }
  return "";
}

const char* stem(Compare how) {
  switch (how) {
    case Compare::equal:
      return "vcmpeq";
    case Compare::unordered:
      return "vcmpunord";
    case Compare::not_equal:
      return "vcmpneq";
    case Compare::ordered:
      return "vcmpord";
    case Compare::less:
      return "vcmplt_oq";
    case Compare::less_equal:
      return "vcmple_oq";
    case Compare::not_less_equal:
      return "vcmpnle_uq";
    case Compare::not_greater_equal:
      return "vcmpnge_uq";
    case Compare::greater_equal:
      return "vcmpge_oq";
    case Compare::greater:
      return "vcmpgt_oq";
  }
  return "";
}

}  // namespace

void Assembler::put32(uint32_t x) {
  for (int k = 0; k < 4; ++k) put(static_cast<uint8_t>(x >> 8 * k));
}

// The prefix holds the high bits of the registers (inverted), the second operand (inverted), the
// map and the old prefixes. Two bytes do where the last operand needs none of its bits and the map
// is the first.
void Assembler::put_vex(Opcode op, uint8_t reg, uint8_t second, const Operand& last) {
  const uint8_t r = absent(reg, 3, 7);
  const auto v = static_cast<uint8_t>((~second & 15) << 3);
  const uint8_t length = width_ == Width::bytes_32 ? 4 : 0;
  const auto tail = static_cast<uint8_t>(v | length | op.prefix);
  uint8_t x = 0x40, b = 0x20;
  if (!last.is_memory()) {
    b = absent(last.vector().number, 3, 5);
  } else if (last.memory().base != General::none) {
    b = absent(number(last.memory().base), 3, 5);
    if (last.memory().index != General::none) x = absent(number(last.memory().index), 3, 6);
  }
  const bool wide = op.wide && f64();
  if (op.map == 1 && x && b && !wide) {
    put(0xc5);
    put(r | tail);
  } else {
    put(0xc4);
    put(r | x | b | op.map);
    put(static_cast<uint8_t>((wide ? 0x80 : 0) | tail));
  }
}

// Four bytes, with a fifth bit for registers, the mask, and whether one number is for all lanes.
void Assembler::put_evex(Opcode op, uint8_t reg, uint8_t second, const Operand& last, Mask mask,
                         bool zeroes) {
  uint8_t x = 0x40, b = 0x20;
  bool spread = false;
  if (!last.is_memory()) {
    x = absent(last.vector().number, 4, 6);
    b = absent(last.vector().number, 3, 5);
  } else {
    const Memory& m = last.memory();
    spread = m.spread;
    if (m.base != General::none) b = absent(number(m.base), 3, 5);
    if (m.index != General::none) x = absent(number(m.index), 3, 6);
  }
  put(0x62);
  put(absent(reg, 3, 7) | x | b | absent(reg, 4, 4) | op.map);
  put(static_cast<uint8_t>((f64() ? 0x80 : 0) | (~second & 15) << 3 | 4 | op.prefix));
  put(static_cast<uint8_t>((zeroes ? 0x80 : 0) | 0x40 | (spread ? 0x10 : 0) | absent(second, 4, 3) |
                           mask.number));
}

void Assembler::put_operand(uint8_t reg, const Operand& last, size_t immediates, int32_t unit) {
  const auto field = static_cast<uint8_t>(low(reg) << 3);
  if (!last.is_memory()) {
    put(static_cast<uint8_t>(0xc0 | field | low(last.vector().number)));
    return;
  }
  const Memory& m = last.memory();
  if (m.base == General::none) {  // counted from the next instruction on
    put(static_cast<uint8_t>(field | 5));
    put32(static_cast<uint32_t>(m.offset) - static_cast<uint32_t>(bytes_.size() + 4 + immediates));
    return;
  }
  const uint8_t base = low(number(m.base));
  const bool none = m.offset == 0 && base != 5;
  const bool byte = m.offset % unit == 0 && m.offset / unit >= -128 && m.offset / unit < 128;
  const auto mode = static_cast<uint8_t>(none ? 0 : byte ? 0x40 : 0x80);
  if (m.index != General::none || base == 4) {
    const uint8_t index = m.index == General::none ? 4 : low(number(m.index));
    put(static_cast<uint8_t>(mode | field | 4));
    put(static_cast<uint8_t>(index << 3 | base));
  } else {
    put(static_cast<uint8_t>(mode | field | base));
  }
  if (none) return;
  if (byte) {
    put(static_cast<uint8_t>(m.offset / unit));
  } else {
    put32(static_cast<uint32_t>(m.offset));
  }
}

void Assembler::encode(Opcode op, uint8_t reg, uint8_t second, const Operand& last,
                       size_t immediates, Mask mask, bool zeroes) {
  begin();
  if (width_ == Width::bytes_64) {
    put_evex(op, reg, second, last, mask, zeroes);
  } else {
    put_vex(op, reg, second, last);
  }
  put(op.code);
  size_t unit = 1;
  if (width_ == Width::bytes_64 && last.is_memory())
    unit = last.memory().spread ? size_of(precision_) : size_of(width_);
  put_operand(reg, last, immediates, static_cast<int32_t>(unit));
}

void Assembler::arithmetic(Arithmetic op, Vector out, Vector a, Operand b, Mask lanes) {
  const bool zeroes = lanes.number != 0;
  encode({1, static_cast<uint8_t>(op), one()}, out.number, a.number, b, 0, lanes, zeroes);
  if (lists_)
    list(name(stem(op), false) + text(out) + text(lanes, zeroes) + ", " + text(a) + ", " + text(b));
}

// Of one number the upper lanes of the result come from the second operand: one that is at hand
// anyway.
void Assembler::root(Vector out, Operand x) {
  const bool pads = width_ == Width::number;
  const Vector second = !pads ? Vector{0} : x.is_memory() ? out : x.vector();
  encode({1, 0x51, one()}, out.number, second.number, x);
  if (lists_)
    list(name("vsqrt", false) + text(out) + ", " + (pads ? text(second) + ", " : "") + text(x));
}

void Assembler::load(Vector out, Memory from) {
  encode({1, 0x10, one()}, out.number, 0, from);
  if (lists_)
    list(name(width_ == Width::number ? "vmov" : "vmovu", false) + text(out) + ", " + text(from));
}

void Assembler::store(Memory to, Vector x) {
  encode({1, 0x11, one()}, x.number, 0, to);
  if (lists_)
    list(name(width_ == Width::number ? "vmov" : "vmovu", false) + text(to) + ", " + text(x));
}

void Assembler::spread(Vector out, Memory from, Mask lanes) {
  const bool zeroes = lanes.number != 0;
  from.spread = width_ == Width::bytes_64;  // offsets are in numbers
  encode({2, static_cast<uint8_t>(f64() ? 0x19 : 0x18), 1}, out.number, 0, from, 0, lanes, zeroes);
  // The operand is one number by the instruction's name, not by the bit.
  if (from.spread) bytes_[begun_ + 3] &= static_cast<uint8_t>(~0x10);
  from.spread = false;
  if (lists_)
    list(std::string(f64() ? "vbroadcastsd " : "vbroadcastss ") + text(out) + text(lanes, zeroes) +
         ", " + text(from));
}

void Assembler::add_product(Vector out, Vector a, Operand b) {
  encode({2, 0xb8, 1, true}, out.number, a.number, b);
  if (lists_) list(name("vfmadd231", false) + text(out) + ", " + text(a) + ", " + text(b));
}

void Assembler::compare(Compare how, Vector out, Vector a, Operand b) {
  encode({1, 0xc2, one()}, out.number, a.number, b, 1);
  put(static_cast<uint8_t>(how));
  if (lists_) list(name(stem(how), false) + text(out) + ", " + text(a) + ", " + text(b));
}

void Assembler::compare(Compare how, Mask out, Vector a, Operand b, Mask lanes) {
  encode({1, 0xc2, one()}, out.number, a.number, b, 1, lanes);
  put(static_cast<uint8_t>(how));
  if (lists_)
    list(name(stem(how), false) + "k" + std::to_string(out.number) + text(lanes, false) + ", " +
         text(a) + ", " + text(b));
}

void Assembler::logical(Logical op, Vector out, Vector a, Operand b) {
  encode({1, static_cast<uint8_t>(op), many()}, out.number, a.number, b);
  if (lists_) list(name(stem(op), true) + text(out) + ", " + text(a) + ", " + text(b));
}

void Assembler::blend(Vector out, Vector a, Vector b, Vector mask) {
  encode({3, static_cast<uint8_t>(f64() ? 0x4b : 0x4a), 1}, out.number, a.number, b, 1);
  put(static_cast<uint8_t>(mask.number << 4));
  if (lists_)
    list(name("vblendv", true) + text(out) + ", " + text(a) + ", " + text(b) + ", " + text(mask));
}

void Assembler::blend(Vector out, Vector a, Operand b, Mask mask) {
  encode({2, 0x65, 1}, out.number, a.number, b, 0, mask);
  if (lists_)
    list(name("vblendm", true) + text(out) + text(mask, false) + ", " + text(a) + ", " + text(b));
}

void Assembler::move(Vector out, Vector x) {
  encode({1, 0x28, many()}, out.number, 0, x);
  if (lists_) list(name("vmova", true) + text(out) + ", " + text(x));
}

void Assembler::clear_upper() {
  begin();
  put(0xc5);
  put(0xf8);
  put(0x77);
  if (lists_) list("vzeroupper");
}

void Assembler::data(std::span<const uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

std::string Assembler::name(const char* stem, bool whole) const {
  const bool packed = whole || width_ != Width::number;
  return std::string(stem) + (packed ? "p" : "s") + (f64() ? "d " : "s ");
}

std::string Assembler::text(Vector v) const {
  const char* kind = width_ == Width::number ? "xmm" : width_ == Width::bytes_32 ? "ymm" : "zmm";
  return kind + std::to_string(v.number);
}

std::string Assembler::text(Mask mask, bool zeroes) {
  if (mask.number == 0) return "";
  return "{k" + std::to_string(mask.number) + (zeroes ? "}{z}" : "}");
}

std::string Assembler::text(const Operand& x) const {
  if (!x.is_memory()) return text(x.vector());
  const Memory& m = x.memory();
  std::string inside = m.base == General::none ? "code" : name_of(m.base);
  if (m.index != General::none) inside += "+" + std::string(name_of(m.index));
  if (m.offset != 0) inside += (m.offset < 0 ? "-" : "+") + std::to_string(std::abs(m.offset));
  const size_t lanes = size_of(width_) / size_of(precision_);
  return "[" + inside + (m.spread ? "]{1to" + std::to_string(lanes) + "}" : "]");
}

}  // namespace tapegrad::emit
