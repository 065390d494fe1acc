// Every instruction, with the bytes that the GNU assembler gives for the same text.
#include "tapegrad/emit/assembler.h"

#include "check.h"

using namespace tapegrad::emit;

namespace {

constexpr Vector x0{0}, x1{1}, x2{2}, x3{3}, x4{4}, x7{7}, x8{8}, x9{9}, x10{10}, x11{11}, x12{12},
    x13{13}, x14{14}, x15{15};

std::string hex(std::span<const uint8_t> bytes) {
  std::string all;
  for (uint8_t b : bytes) {
    char two[4];
    std::snprintf(two, sizeof two, "%02x", b);
    all += two;
  }
  return all;
}

// The instructions that `write` gives to an assembler are these bytes and this text.
template <class F>
void expect(Precision precision, F&& write, const std::string& bytes, const std::string& text) {
  Assembler a(precision, true);
  write(a);
  std::string listed;
  size_t at = 0;
  for (const ListedInstruction& i : a.listing()) {
    CHECK(i.at == at);
    at += i.length;
    listed += (listed.empty() ? "" : "; ") + i.text;
  }
  CHECK(at == a.bytes().size());
  if (hex(a.bytes()) != bytes || listed != text)
    std::printf("%s: %s, wanted %s: %s\n", listed.c_str(), hex(a.bytes()).c_str(), text.c_str(),
                bytes.c_str());
  CHECK(hex(a.bytes()) == bytes);
  CHECK(listed == text);
  Assembler silent(precision);
  write(silent);
  CHECK(hex(silent.bytes()) == bytes && silent.listing().empty());
}

constexpr Precision f64 = Precision::float64, f32 = Precision::float32;

Memory at_rdi(int32_t offset) { return {General::rdi, offset}; }
Memory at_rbx(int32_t offset) { return {General::rbx, offset}; }

}  // namespace

TEST(arithmetic_has_its_bytes) {
  const auto op = [](Arithmetic o, Vector out, Vector a, Operand b) {
    return [=](Assembler& to) { to.arithmetic(o, out, a, b); };
  };
  expect(f64, op(Arithmetic::add, x0, x1, x2), "c5f358c2", "vaddsd xmm0, xmm1, xmm2");
  expect(f64, op(Arithmetic::multiply, x9, x8, x15), "c4413b59cf", "vmulsd xmm9, xmm8, xmm15");
  expect(f64, op(Arithmetic::subtract, x3, x12, at_rdi(0)), "c59b5c1f",
         "vsubsd xmm3, xmm12, [rdi]");
  expect(f64, op(Arithmetic::divide, x3, x12, at_rbx(16)), "c59b5e5b10",
         "vdivsd xmm3, xmm12, [rbx+16]");
  expect(f32, op(Arithmetic::add, x10, x1, at_rdi(1024)), "c572589700040000",
         "vaddss xmm10, xmm1, [rdi+1024]");
  expect(f32, op(Arithmetic::multiply, x1, x2, at_rdi(-128)), "c5ea594f80",
         "vmulss xmm1, xmm2, [rdi-128]");
  expect(f64, op(Arithmetic::divide, x1, x14, in_code(0)), "c58b5e0df8ffffff",
         "vdivsd xmm1, xmm14, [code]");
}

TEST(roots_moves_and_choices_have_their_bytes) {
  expect(f64, [](Assembler& a) { a.root(x4, Vector{5}); }, "c5d351e5", "vsqrtsd xmm4, xmm5, xmm5");
  expect(f32, [](Assembler& a) { a.root(x14, x13); }, "c4411251f5", "vsqrtss xmm14, xmm13, xmm13");
  expect(
      f64, [](Assembler& a) { a.root(x4, at_rdi(8)); }, "c5db516708",
      "vsqrtsd xmm4, xmm4, [rdi+8]");
  expect(
      f64, [](Assembler& a) { a.load(x7, at_rdi(127)); }, "c5fb107f7f", "vmovsd xmm7, [rdi+127]");
  expect(
      f64, [](Assembler& a) { a.store(at_rbx(128), x11); }, "c57b119b80000000",
      "vmovsd [rbx+128], xmm11");
  expect(f32, [](Assembler& a) { a.store(at_rdi(0), x2); }, "c5fa1117", "vmovss [rdi], xmm2");
  expect(f64, [](Assembler& a) { a.move(x0, x13); }, "c4c17928c5", "vmovapd xmm0, xmm13");
  expect(f32, [](Assembler& a) { a.move(x9, x1); }, "c57828c9", "vmovaps xmm9, xmm1");
  expect(
      f64, [](Assembler& a) { a.blend(x1, x2, x3, x14); }, "c4e3694bcbe0",
      "vblendvpd xmm1, xmm2, xmm3, xmm14");
  expect(
      f32, [](Assembler& a) { a.blend(x12, x13, x9, x15); }, "c443114ae1f0",
      "vblendvps xmm12, xmm13, xmm9, xmm15");
}

TEST(comparisons_and_masks_have_their_bytes) {
  const auto compare = [](Compare how, Vector out, Vector a, Operand b) {
    return [=](Assembler& to) { to.compare(how, out, a, b); };
  };
  expect(f64, compare(Compare::equal, x14, x3, x2), "c563c2f200", "vcmpeqsd xmm14, xmm3, xmm2");
  expect(f32, compare(Compare::greater, x1, x9, x10), "c4c132c2ca1e",
         "vcmpgt_oqss xmm1, xmm9, xmm10");
  expect(f64, compare(Compare::unordered, x15, x0, x0), "c57bc2f803",
         "vcmpunordsd xmm15, xmm0, xmm0");
  expect(f64, compare(Compare::equal, x1, x14, in_code(0)), "c58bc20df7ffffff00",
         "vcmpeqsd xmm1, xmm14, [code]");
  const auto logical = [](Logical o, Vector out, Vector a, Operand b) {
    return [=](Assembler& to) { to.logical(o, out, a, b); };
  };
  expect(f64, logical(Logical::not_and, x2, x14, x2), "c58955d2", "vandnpd xmm2, xmm14, xmm2");
  expect(f32, logical(Logical::both, x2, x1, x11), "c4c17054d3", "vandps xmm2, xmm1, xmm11");
  expect(f64, logical(Logical::either, x14, x14, x15), "c4410956f7", "vorpd xmm14, xmm14, xmm15");
  expect(f32, logical(Logical::differ, x8, x0, x1), "c57857c1", "vxorps xmm8, xmm0, xmm1");
}

TEST(calls_have_their_bytes) {
  const auto function = reinterpret_cast<const void*>(uintptr_t{0x1122334455667788});
  expect(
      f64,
      [&](Assembler& a) {
        a.push(General::rbx);
        a.move(General::rbx, General::rdi);
        a.call(function, "f");
        a.pop(General::rbx);
        a.ret();
      },
      "534889fb48b88877665544332211ffd05bc3",
      "push rbx; mov rbx, rdi; mov rax, f; call rax; pop rbx; ret");
}
