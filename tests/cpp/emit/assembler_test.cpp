// Every instruction, with the bytes that the GNU assembler gives for the same text.
#include "tapegrad/emit/assembler.h"

#include "check.h"

using namespace tapegrad::emit;

namespace {

constexpr Vector x0{0}, x1{1}, x2{2}, x3{3}, x4{4}, x7{7}, x8{8}, x9{9}, x10{10}, x11{11}, x12{12},
    x13{13}, x14{14}, x15{15}, x17{17}, x30{30}, x31{31};

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
void expect(Precision precision, F&& write, const std::string& bytes, const std::string& text,
            Width width = Width::number) {
  Assembler a(precision, true, width);
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
  Assembler silent(precision, false, width);
  write(silent);
  CHECK(hex(silent.bytes()) == bytes && silent.listing().empty());
}

constexpr Precision f64 = Precision::float64, f32 = Precision::float32;

Memory at_rdi(int32_t offset) { return {General::rdi, offset}; }
Memory at_rbx(int32_t offset) { return {General::rbx, offset}; }
Memory lanes_of(General base, int32_t offset) { return {base, offset, General::rdi}; }
Memory shared(General base, int32_t offset) { return {base, offset, General::none, true}; }

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

TEST(vectors_of_32_bytes_have_their_bytes) {
  expect(
      f64, [](Assembler& a) { a.arithmetic(Arithmetic::add, x0, x9, x15); }, "c4c13558c7",
      "vaddpd ymm0, ymm9, ymm15", Width::bytes_32);
  expect(
      f32, [](Assembler& a) { a.arithmetic(Arithmetic::divide, x3, x1, lanes_of(General::r8, 0)); },
      "c4c1745e1c38", "vdivps ymm3, ymm1, [r8+rdi]", Width::bytes_32);
  expect(
      f64, [](Assembler& a) { a.root(x9, x2); }, "c57d51ca", "vsqrtpd ymm9, ymm2", Width::bytes_32);
  expect(
      f64, [](Assembler& a) { a.load(x1, lanes_of(General::r13, 0)); }, "c4c17d104c3d00",
      "vmovupd ymm1, [r13+rdi]", Width::bytes_32);
  expect(
      f32, [](Assembler& a) { a.store({General::rsp, 32}, x14); }, "c57c11742420",
      "vmovups [rsp+32], ymm14", Width::bytes_32);
  expect(
      f64, [](Assembler& a) { a.spread(x2, {General::rcx, 8}); }, "c4e27d195108",
      "vbroadcastsd ymm2, [rcx+8]", Width::bytes_32);
  expect(
      f32, [](Assembler& a) { a.spread(x15, {General::rcx, -400}); }, "c4627d18b970feffff",
      "vbroadcastss ymm15, [rcx-400]", Width::bytes_32);
  expect(
      f64, [](Assembler& a) { a.add_product(x1, x2, x9); }, "c4c2edb8c9",
      "vfmadd231pd ymm1, ymm2, ymm9", Width::bytes_32);
  expect(
      f32, [](Assembler& a) { a.add_product(x1, x2, lanes_of(General::rax, 32)); },
      "c4e26db84c3820", "vfmadd231ps ymm1, ymm2, [rax+rdi+32]", Width::bytes_32);
  expect(
      f64, [](Assembler& a) { a.compare(Compare::less, x1, x2, x3); }, "c5edc2cb11",
      "vcmplt_oqpd ymm1, ymm2, ymm3", Width::bytes_32);
  expect(
      f32, [](Assembler& a) { a.blend(x1, x2, x3, x14); }, "c4e36d4acbe0",
      "vblendvps ymm1, ymm2, ymm3, ymm14", Width::bytes_32);
}

TEST(vectors_of_64_bytes_have_their_bytes) {
  expect(
      f64, [](Assembler& a) { a.arithmetic(Arithmetic::add, x0, x9, x31); }, "6291b54858c7",
      "vaddpd zmm0, zmm9, zmm31", Width::bytes_64);
  expect(
      f64,
      [](Assembler& a) { a.arithmetic(Arithmetic::multiply, x30, x17, shared(General::rcx, 24)); },
      "6261f550597103", "vmulpd zmm30, zmm17, [rcx+24]{1to8}", Width::bytes_64);
  expect(
      f32,
      [](Assembler& a) { a.arithmetic(Arithmetic::subtract, x1, x2, shared(General::rcx, 4096)); },
      "62f16c585c8900100000", "vsubps zmm1, zmm2, [rcx+4096]{1to16}", Width::bytes_64);
  expect(
      f64, [](Assembler& a) { a.arithmetic(Arithmetic::multiply, x1, x2, x3, Mask{1}); },
      "62f1edc959cb", "vmulpd zmm1{k1}{z}, zmm2, zmm3", Width::bytes_64);
  expect(
      f64, [](Assembler& a) { a.root(x31, x17); }, "6221fd4851f9", "vsqrtpd zmm31, zmm17",
      Width::bytes_64);
  expect(
      f64, [](Assembler& a) { a.load(x17, lanes_of(General::r12, 64)); }, "62c1fd48104c3c01",
      "vmovupd zmm17, [r12+rdi+64]", Width::bytes_64);
  expect(
      f32, [](Assembler& a) { a.store({General::rsp, 8128}, x1); }, "62f17c48114c247f",
      "vmovups [rsp+8128], zmm1", Width::bytes_64);
  expect(
      f64, [](Assembler& a) { a.spread(x2, {General::rcx, 1024}); }, "62f2fd48199100040000",
      "vbroadcastsd zmm2, [rcx+1024]", Width::bytes_64);
  expect(
      f32, [](Assembler& a) { a.spread(x2, {General::rcx, 4}, Mask{1}); }, "62f27dc9185101",
      "vbroadcastss zmm2{k1}{z}, [rcx+4]", Width::bytes_64);
  expect(
      f64, [](Assembler& a) { a.add_product(x17, x2, shared(General::rcx, 8)); }, "62e2ed58b84901",
      "vfmadd231pd zmm17, zmm2, [rcx+8]{1to8}", Width::bytes_64);
  expect(
      f64, [](Assembler& a) { a.compare(Compare::not_greater_equal, Mask{1}, x17, x3); },
      "62f1f540c2cb19", "vcmpnge_uqpd k1, zmm17, zmm3", Width::bytes_64);
  expect(
      f32, [](Assembler& a) { a.compare(Compare::ordered, Mask{1}, x2, x2, Mask{1}); },
      "62f16c49c2ca07", "vcmpordps k1{k1}, zmm2, zmm2", Width::bytes_64);
  expect(
      f64, [](Assembler& a) { a.blend(x1, x17, x31, Mask{1}); }, "6292f54165cf",
      "vblendmpd zmm1{k1}, zmm17, zmm31", Width::bytes_64);
  expect(
      f32, [](Assembler& a) { a.logical(Logical::differ, x1, x2, shared(General::rcx, 0)); },
      "62f16c585709", "vxorps zmm1, zmm2, [rcx]{1to16}", Width::bytes_64);
  expect(
      f64, [](Assembler& a) { a.move(x31, x0); }, "6261fd4828f8", "vmovapd zmm31, zmm0",
      Width::bytes_64);
  expect(f64, [](Assembler& a) { a.clear_upper(); }, "c5f877", "vzeroupper", Width::bytes_64);
}

TEST(general_registers_have_their_bytes) {
  expect(
      f64,
      [](Assembler& a) {
        a.push(General::r12);
        a.pop(General::r15);
      },
      "4154415f", "push r12; pop r15");
  expect(
      f64,
      [](Assembler& a) {
        a.move(General::rbp, General::rsp);
        a.move(General::r9, General::rax);
      },
      "4889e54989c1", "mov rbp, rsp; mov r9, rax");
  expect(
      f64,
      [](Assembler& a) {
        a.load(General::rax, {General::rsi, 800});
        a.load(General::r15, {General::r12, 8});
      },
      "488b86200300004d8b7c2408", "mov rax, [rsi+800]; mov r15, [r12+8]");
  expect(
      f64,
      [](Assembler& a) {
        a.add(General::rdi, 64);
        a.add(General::rsp, -4096);
      },
      "4883c7404881c400f0ffff", "add rdi, 64; add rsp, -4096");
  expect(
      f64,
      [](Assembler& a) {
        a.keep_bits(General::rsp, -64);
        a.shift_left(General::rdx, 3);
        a.clear(General::rdi);
      },
      "4883e4c048c1e2034831ff", "and rsp, -64; shl rdx, 3; xor rdi, rdi");
}

TEST(jumps_go_back_to_where_they_are_told) {
  expect(
      f64,
      [](Assembler& a) {
        a.ret();
        a.jump_if_below(General::rdi, General::rdx, 0);
        a.jump(1);
      },
      "c34839d70f82f6ffffffe9f2ffffff", "ret; cmp rdi, rdx; jb 0; jmp 1");
}
