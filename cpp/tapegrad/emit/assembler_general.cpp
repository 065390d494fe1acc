// Instructions on general registers.
#include "tapegrad/emit/assembler.h"

#include <cstdio>

namespace tapegrad::emit {
namespace {

uint8_t number(General g) { return static_cast<uint8_t>(g); }
uint8_t low(General g) { return number(g) & 7; }
uint8_t high(General g) { return number(g) >> 3; }

// As listings have it.
std::string place(size_t at) {
  char text[24];
  std::snprintf(text, sizeof text, "%zx", at);
  return text;
}

}  // namespace

const char* name_of(General g) {
  static const char* const names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                      "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
  return g == General::none ? "" : names[number(g)];
}

void Assembler::put_general(uint8_t code, General reg, General rm) {
  put(static_cast<uint8_t>(0x48 | high(reg) << 2 | high(rm)));
  put(code);
  put(static_cast<uint8_t>(0xc0 | low(reg) << 3 | low(rm)));
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
  if (high(x)) put(0x41);
  put(0x50 | low(x));
  if (lists_) list(std::string("push ") + name_of(x));
}

void Assembler::pop(General x) {
  begin();
  if (high(x)) put(0x41);
  put(0x58 | low(x));
  if (lists_) list(std::string("pop ") + name_of(x));
}

void Assembler::move(General out, General x) {
  begin();
  put_general(0x89, x, out);
  if (lists_) list(std::string("mov ") + name_of(out) + ", " + name_of(x));
}

void Assembler::load(General out, Memory from) {
  begin();
  put(static_cast<uint8_t>(0x48 | high(out) << 2 | high(from.base)));
  put(0x8b);
  put_operand(number(out), from, 0, 1);
  if (lists_) list(std::string("mov ") + name_of(out) + ", " + text(from));
}

void Assembler::clear(General x) {
  begin();
  put_general(0x31, x, x);
  if (lists_) list(std::string("xor ") + name_of(x) + ", " + name_of(x));
}

void Assembler::add(General x, int32_t n) {
  begin();
  const bool byte = n >= -128 && n < 128;
  put(0x48 | high(x));
  put(byte ? 0x83 : 0x81);
  put(0xc0 | low(x));
  if (byte) {
    put(static_cast<uint8_t>(n));
  } else {
    put32(static_cast<uint32_t>(n));
  }
  if (lists_) list(std::string("add ") + name_of(x) + ", " + std::to_string(n));
}

void Assembler::keep_bits(General x, int8_t bits) {
  begin();
  put(0x48 | high(x));
  put(0x83);
  put(0xe0 | low(x));
  put(static_cast<uint8_t>(bits));
  if (lists_) list(std::string("and ") + name_of(x) + ", " + std::to_string(bits));
}

void Assembler::shift_left(General x, uint8_t bits) {
  begin();
  put(0x48 | high(x));
  put(0xc1);
  put(0xe0 | low(x));
  put(bits);
  if (lists_) list(std::string("shl ") + name_of(x) + ", " + std::to_string(bits));
}

void Assembler::jump(size_t target) {
  begin();
  put(0xe9);
  put32(static_cast<uint32_t>(target) - static_cast<uint32_t>(bytes_.size() + 4));
  if (lists_) list("jmp " + place(target));
}

void Assembler::jump_if_below(General a, General b, size_t target) {
  begin();
  put_general(0x39, b, a);
  if (lists_) list(std::string("cmp ") + name_of(a) + ", " + name_of(b));
  begin();
  put(0x0f);
  put(0x82);
  put32(static_cast<uint32_t>(target) - static_cast<uint32_t>(bytes_.size() + 4));
  if (lists_) list("jb " + place(target));
}

void Assembler::ret() {
  begin();
  put(0xc3);
  if (lists_) list("ret");
}

}  // namespace tapegrad::emit
