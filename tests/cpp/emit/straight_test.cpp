// Programs over a file of registers, compiled and run against what each line says.
#include "tapegrad/emit/straight.h"

#include "check.h"
#include "emit/line_values.h"
#include "kernels/random_values.h"
#include "tapegrad/emit/machine_code.h"

using namespace tapegrad::emit;
using tapegrad::Random;

namespace {

// Functions that are called. Whatever they leave in the vector registers must not matter.
template <class T>
[[gnu::noinline]] T spoil(T x) {
#ifdef __x86_64__
  asm volatile(""
               :
               :
               : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                 "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
#endif
  return x;
}
template <class T>
T halved(T a, T, T) {
  return spoil(a / 2);
}
template <class T>
T difference_of_double(T a, T b, T) {
  return spoil(a + a - b);
}
template <class T>
T mixed(T a, T b, T c) {
  return spoil(a * b - c);
}

constexpr uint8_t last_function = static_cast<uint8_t>(Function::call);

template <class T>
Line call_of(uint8_t arity, uint32_t out, uint32_t a, uint32_t b, uint32_t c) {
  T (*const functions[])(T, T, T) = {halved<T>, difference_of_double<T>, mixed<T>};
  return {Function::call,
          arity,
          out,
          a,
          b,
          c,
          reinterpret_cast<const void*>(functions[arity - 1]),
          "f"};
}

// A line for each, then the whole file is compared.
template <class T>
bool agrees(const std::vector<Line>& lines, std::vector<T> file) {
  constexpr auto precision = sizeof(T) == 8 ? Precision::float64 : Precision::float32;
  const Compiled made = compile_straight(lines, static_cast<uint32_t>(file.size()), precision);
  const MachineCode code = MachineCode::place(made.code.bytes());
  CHECK(bool(code));
  if (!code) return false;
  std::vector<T> wanted = file;
  for (const Line& line : lines)
    wanted[line.out] = value_of(line, wanted[line.a], wanted[line.b], wanted[line.c]);
  reinterpret_cast<void (*)(T*)>(reinterpret_cast<uintptr_t>(code.at(made.entry)))(file.data());
  return same(file, wanted);
}

template <class T>
void check_each_function() {
  Random random(3);
  for (uint8_t k = 0; k <= last_function; ++k) {
    const auto f = static_cast<Function>(k);
    for (uint8_t arity = 1; arity <= 3; ++arity) {
      if (f != Function::call && arity != arity_of(f)) continue;
      // The result in a place of its own, and in that of each operand; operands that are the same.
      for (const auto& [out, a, b, c] : {std::array<uint32_t, 4>{3, 0, 1, 2},
                                         {0, 0, 1, 2},
                                         {1, 0, 1, 2},
                                         {2, 0, 1, 2},
                                         {3, 0, 0, 0},
                                         {0, 0, 0, 0},
                                         {3, 1, 0, 0},
                                         {2, 1, 2, 1}}) {
        const Line line = f == Function::call ? call_of<T>(arity, out, a, b, c)
                                              : Line{f, arity, out, a, b, c, nullptr, ""};
        for (int round = 0; round < 60; ++round) {
          std::vector<T> file(4);
          for (T& x : file) x = static_cast<T>(random.wild());
          CHECK(agrees<T>({line}, file));
        }
      }
    }
  }
}

template <class T>
void check_random_programs() {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    Random random(seed);
    const auto any = [&](uint64_t n) { return static_cast<uint32_t>(random.bits() % n); };
    const uint32_t registers = 3 + any(seed % 2 ? 10 : 60);
    const uint32_t calls = any(4) ? 40 : 3;  // one line in so many
    std::vector<Line> lines;
    for (uint32_t i = 0, n = any(200); i < n; ++i) {
      const uint32_t out = any(registers), a = any(registers), b = any(registers),
                     c = any(registers);
      if (any(calls) == 0) {
        lines.push_back(call_of<T>(static_cast<uint8_t>(1 + any(3)), out, a, b, c));
      } else {
        const auto f = static_cast<Function>(any(last_function));
        lines.push_back({f, arity_of(f), out, a, b, c, nullptr, ""});
      }
    }
    std::vector<T> file(registers);
    for (T& x : file) x = static_cast<T>(random.wild());
    const bool ok = agrees<T>(lines, file);
    CHECK(ok);
    if (!ok) std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  }
}

}  // namespace

TEST(each_function_gives_the_bits_of_its_formula) {
  if (when() == When::never) return;
  check_each_function<double>();
  check_each_function<float>();
}

TEST(random_programs_leave_the_file_that_their_lines_say) {
  if (when() == When::never) return;
  check_random_programs<double>();
  check_random_programs<float>();
}

TEST(no_lines_leave_the_file_alone) {
  if (when() == When::never) return;
  CHECK(agrees<double>({}, {1, 2, 3}));
}

TEST(a_listing_has_every_byte_of_the_code) {
  const std::vector<Line> lines = {{Function::multiply, 2, 2, 0, 1, 0, nullptr, ""},
                                   call_of<double>(1, 3, 2, 0, 0)};
  const Compiled made = compile_straight(lines, 4, Precision::float64, true);
  size_t at = made.entry;
  for (const ListedInstruction& i : made.code.listing()) {
    CHECK(i.at == at);
    at += i.length;
  }
  CHECK(at == made.code.bytes().size());
  const std::string text = listing_of(made);
  CHECK(text.find("vmulsd xmm1, xmm0, [rbx+8]") != std::string::npos);
  CHECK(text.find("mov rax, f") != std::string::npos);
}
