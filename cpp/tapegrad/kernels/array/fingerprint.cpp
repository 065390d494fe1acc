#include "tapegrad/kernels/array/fingerprint.h"

#include <algorithm>
#include <atomic>

#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/cpu.h"
#include "tapegrad/rows/elementwise_operands.h"
#include "tapegrad/rows/fingerprint_hash.h"

namespace tapegrad {

namespace isa_v1 {
uint64_t hash_bytes(const char* data, size_t n, uint64_t seed);
}
namespace isa_v3 {
uint64_t hash_bytes(const char* data, size_t n, uint64_t seed);
}
namespace isa_v4 {
uint64_t hash_bytes(const char* data, size_t n, uint64_t seed);
}

namespace {

// These are odd 64-bit constants: the fractional parts of the golden ratio and of some square
// roots, made odd.
constexpr uint64_t multiplier = 0x9e3779b97f4a7c15u;
constexpr uint64_t finisher = 0x6a09e667f3bcc909u;

constexpr uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 32)) * multiplier;
  x = (x ^ (x >> 29)) * finisher;
  return x ^ (x >> 32);
}

HashBytes choose_hash() {
  switch (isa_level()) {
#if TAPEGRAD_HIGHEST_ISA >= 4
    case IsaLevel::v4:
      return isa_v4::hash_bytes;
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
    case IsaLevel::v3:
      return isa_v3::hash_bytes;
#endif
    default:
      return isa_v1::hash_bytes;
  }
}

}  // namespace

uint64_t fingerprint_part(const void* data, int64_t elements, size_t item_bytes, int64_t begin) {
  static const HashBytes hash = choose_hash();
  const char* bytes = static_cast<const char*>(data);
  uint64_t sum = 0;
  for (int64_t i = 0; i < elements; i += fingerprint_chunk) {
    const auto n = static_cast<size_t>(std::min(fingerprint_chunk, elements - i)) * item_bytes;
    const auto position = static_cast<uint64_t>((begin + i) / fingerprint_chunk);
    sum += hash(bytes, n, mix(position + finisher));
    bytes += n;
  }
  return sum;
}

uint64_t fingerprint_finish(uint64_t sum, int64_t elements) {
  const uint64_t h = mix(sum ^ mix(static_cast<uint64_t>(elements)));
  return h != 0 ? h : 1;
}

uint64_t fingerprint(const Value& v) {
  if (v.is_scalar()) {
    const int64_t bits = v.bits().i;
    return fingerprint_finish(fingerprint_part(&bits, 1, sizeof bits, 0), 1);
  }
  std::atomic<uint64_t> sum{0};
  const int64_t n = v.size();
  const size_t item = item_size(v.dtype());
  if (v.is_contiguous()) {
    parallel_for(n, fingerprint_chunk, 0.05 * static_cast<double>(item),
                 [&](int64_t begin, int64_t end) {
                   const char* data = v.data<char>() + begin * static_cast<int64_t>(item);
                   sum.fetch_add(fingerprint_part(data, end - begin, item, begin),
                                 std::memory_order_relaxed);
                 });
  } else {
    visit_dtype(v.dtype(), [&](auto tag) {
      using T = decltype(tag);
      const Value* operands[] = {&v};
      const Operands<T> reader(operands, v.shape());
      parallel_for(n, fingerprint_chunk, 1, [&](int64_t begin, int64_t end) {
        T packed[fingerprint_chunk];
        uint64_t part = 0;
        for (int64_t i = begin; i < end; i += fingerprint_chunk) {
          const int64_t length = std::min(fingerprint_chunk, end - i);
          reader.pack(0, i, length, packed);
          part += fingerprint_part(packed, length, sizeof(T), i);
        }
        sum.fetch_add(part, std::memory_order_relaxed);
      });
    });
  }
  return fingerprint_finish(sum.load(), n);
}

}  // namespace tapegrad
