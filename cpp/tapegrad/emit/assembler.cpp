#include "tapegrad/emit/assembler.h"

#include <cstdlib>
#include <cstring>

namespace tapegrad::emit {
namespace {

std::string text(Vector v) { return "xmm" + std::to_string(v.number); }

std::string text(General g) {
  switch (g) {
    case General::rax:
      return "rax";
    case General::rcx:
      return "rcx";
    case General::rdx:
      return "rdx";
    case General::rbx:
      return "rbx";
    case General::rsi:
      return "rsi";
    case General::rdi:
      return "rdi";
    case General::none:
      break;
  }
  return "code";
}

std::string text(const Operand& x) {
  if (!x.is_memory()) return text(x.vector());
  const int32_t offset = x.memory().offset;
  std::string inside = text(x.memory().base);
  if (offset != 0) inside += (offset < 0 ? "-" : "+") + std::to_string(std::abs(offset));
  return "[" + inside + "]";
}

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
    case Compare::less:
      return "vcmplt_oq";
    case Compare::less_equal:
      return "vcmple_oq";
    case Compare::greater_equal:
      return "vcmpge_oq";
    case Compare::greater:
      return "vcmpgt_oq";
  }
  return "";
}

}  // namespace

std::string Assembler::name(const char* stem, bool whole) const {
  return std::string(stem) + (whole ? "p" : "s") + (precision_ == Precision::float64 ? "d " : "s ");
}

void Assembler::put32(uint32_t x) {
  for (int k = 0; k < 4; ++k) put(static_cast<uint8_t>(x >> 8 * k));
}

// VEX: the prefix holds the high bits of the registers (inverted), the second operand (inverted),
// the map and the old prefixes. Two bytes do where the last operand needs none of its bits and the
// map is the first.
void Assembler::encode(Opcode op, Vector reg, Vector second, const Operand& last,
                       size_t immediates) {
  const auto low = [](uint8_t n) { return static_cast<uint8_t>(n & 7); };
  const uint8_t r = reg.number < 8 ? 0x80 : 0;
  const auto v = static_cast<uint8_t>((~second.number & 15) << 3);
  const bool high = !last.is_memory() && last.vector().number >= 8;
  begin();
  if (op.map == 1 && !high) {
    put(0xc5);
    put(static_cast<uint8_t>(r | v | op.prefix));
  } else {
    put(0xc4);
    put(static_cast<uint8_t>(r | 0x40 | (high ? 0 : 0x20) | op.map));
    put(static_cast<uint8_t>(v | op.prefix));
  }
  put(op.code);
  const auto field = static_cast<uint8_t>(low(reg.number) << 3);
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
  const auto base = static_cast<uint8_t>(m.base);
  if (m.offset == 0) {
    put(static_cast<uint8_t>(field | base));
  } else if (m.offset >= -128 && m.offset < 128) {
    put(static_cast<uint8_t>(0x40 | field | base));
    put(static_cast<uint8_t>(m.offset));
  } else {
    put(static_cast<uint8_t>(0x80 | field | base));
    put32(static_cast<uint32_t>(m.offset));
  }
}

void Assembler::arithmetic(Arithmetic op, Vector out, Vector a, Operand b) {
  encode({1, static_cast<uint8_t>(op), one()}, out, a, b);
  if (lists_) list(name(stem(op), false) + text(out) + ", " + text(a) + ", " + text(b));
}

// The upper lanes of the result come from the second operand: one that is at hand anyway.
void Assembler::root(Vector out, Operand x) {
  const Vector second = x.is_memory() ? out : x.vector();
  encode({1, 0x51, one()}, out, second, x);
  if (lists_) list(name("vsqrt", false) + text(out) + ", " + text(second) + ", " + text(x));
}

void Assembler::load(Vector out, Memory from) {
  encode({1, 0x10, one()}, out, {0}, from);
  if (lists_) list(name("vmov", false) + text(out) + ", " + text(from));
}

void Assembler::store(Memory to, Vector x) {
  encode({1, 0x11, one()}, x, {0}, to);
  if (lists_) list(name("vmov", false) + text(to) + ", " + text(x));
}

void Assembler::compare(Compare how, Vector out, Vector a, Operand b) {
  encode({1, 0xc2, one()}, out, a, b, 1);
  put(static_cast<uint8_t>(how));
  if (lists_) list(name(stem(how), false) + text(out) + ", " + text(a) + ", " + text(b));
}

void Assembler::logical(Logical op, Vector out, Vector a, Operand b) {
  encode({1, static_cast<uint8_t>(op), many()}, out, a, b);
  if (lists_) list(name(stem(op), true) + text(out) + ", " + text(a) + ", " + text(b));
}

void Assembler::blend(Vector out, Vector a, Vector b, Vector mask) {
  const bool f64 = precision_ == Precision::float64;
  encode({3, static_cast<uint8_t>(f64 ? 0x4b : 0x4a), 1}, out, a, b, 1);
  put(static_cast<uint8_t>(mask.number << 4));
  if (lists_)
    list(name("vblendv", true) + text(out) + ", " + text(a) + ", " + text(b) + ", " + text(mask));
}

void Assembler::move(Vector out, Vector x) {
  encode({1, 0x28, many()}, out, {0}, x);
  if (lists_) list(name("vmova", true) + text(out) + ", " + text(x));
}

void Assembler::call(const void* function, const std::string& function_name) {
  begin();
  put(0x48);
  put(0xb8);
  const auto address = reinterpret_cast<uintptr_t>(function);
  put32(static_cast<uint32_t>(address));
  put32(static_cast<uint32_t>(address >> 32));
  if (lists_) list("mov rax, " + function_name);
  begin();
  put(0xff);
  put(0xd0);
  if (lists_) list("call rax");
}

void Assembler::push(General x) {
  begin();
  put(static_cast<uint8_t>(0x50 | static_cast<uint8_t>(x)));
  if (lists_) list("push " + text(x));
}

void Assembler::pop(General x) {
  begin();
  put(static_cast<uint8_t>(0x58 | static_cast<uint8_t>(x)));
  if (lists_) list("pop " + text(x));
}

void Assembler::move(General out, General x) {
  begin();
  put(0x48);
  put(0x89);
  put(static_cast<uint8_t>(0xc0 | static_cast<uint8_t>(x) << 3 | static_cast<uint8_t>(out)));
  if (lists_) list("mov " + text(out) + ", " + text(x));
}

void Assembler::ret() {
  begin();
  put(0xc3);
  if (lists_) list("ret");
}

void Assembler::data(std::span<const uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

}  // namespace tapegrad::emit
