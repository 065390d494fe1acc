#include "tapegrad/rows/fingerprint_hash.h"

#ifdef __AVX2__
#include <immintrin.h>
#endif

// Eight sums of 64 bits take in stripes of eight words. A word w goes to two of them: as it is to
// its neighbour's, so that a change of one word always shows, and to its own as low32(w ^ key) *
// high32(w ^ key), whose key depends on the place, so that words cannot trade places.

namespace tapegrad {
namespace {

constexpr size_t stripe = 64;
constexpr uint64_t step = 0x9e3779b97f4a7c15u;  // golden ratio
constexpr uint64_t start[8] = {0x6a09e667f3bcc909u, 0xbb67ae8584caa73bu, 0x3c6ef372fe94f82bu,
                               0xa54ff53a5f1d36f1u, 0x510e527fade682d1u, 0x9b05688c2b3e6c1fu,
                               0x1f83d9abfb41bd6bu, 0x5be0cd19137e2179u};  // square roots of primes

[[gnu::always_inline]] inline uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 32)) * step;
  x = (x ^ (x >> 29)) * start[0];
  return x ^ (x >> 32);
}

#ifdef __AVX2__

class Sums {
 public:
  [[gnu::always_inline]] explicit Sums(uint64_t seed) {
    const __m256i add = _mm256_set1_epi64x(static_cast<long long>(seed));
    key_[0] = _mm256_add_epi64(load(start), add);
    key_[1] = _mm256_add_epi64(load(start + 4), add);
    sum_[0] = key_[1];
    sum_[1] = key_[0];
  }
  [[gnu::always_inline]] void take(const char* data) {
    const __m256i advance = _mm256_set1_epi64x(static_cast<long long>(step));
#pragma GCC unroll 2
    for (int k = 0; k < 2; ++k) {
      const __m256i word = load(data + 32 * k);
      const __m256i mixed = _mm256_xor_si256(word, key_[k]);
      const __m256i product = _mm256_mul_epu32(mixed, _mm256_srli_epi64(mixed, 32));
      const __m256i neighbour = _mm256_shuffle_epi32(word, 0x4e);
      sum_[k] = _mm256_add_epi64(_mm256_add_epi64(sum_[k], neighbour), product);
      key_[k] = _mm256_add_epi64(key_[k], advance);
    }
  }
  [[gnu::always_inline]] void store(uint64_t* to) const {
    for (int k = 0; k < 2; ++k)
      _mm256_storeu_si256(static_cast<__m256i*>(static_cast<void*>(to + 4 * k)), sum_[k]);
  }

 private:
  [[gnu::always_inline]] static __m256i load(const void* data) {
    return _mm256_loadu_si256(static_cast<const __m256i*>(data));
  }
  __m256i sum_[2], key_[2];
};

#else

class Sums {
 public:
  [[gnu::always_inline]] explicit Sums(uint64_t seed) {
    for (int i = 0; i < 8; ++i) {
      key_[i] = start[i] + seed;
      sum_[i] = start[(i + 4) % 8] + seed;
    }
  }
  [[gnu::always_inline]] void take(const char* data) {
    uint64_t words[8];
    __builtin_memcpy(words, data, stripe);
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      const uint64_t mixed = words[i] ^ key_[i];
      sum_[i] += words[i ^ 1] + (mixed & 0xffffffffu) * (mixed >> 32);
      key_[i] += step;
    }
  }
  [[gnu::always_inline]] void store(uint64_t* to) const { __builtin_memcpy(to, sum_, stripe); }

 private:
  uint64_t sum_[8], key_[8];
};

#endif

}  // namespace

uint64_t TAPEGRAD_ISA_NAMESPACE::hash_bytes(const char* data, size_t n, uint64_t seed) {
  Sums sums(seed);
  size_t at = 0;
  for (; at + stripe <= n; at += stripe) sums.take(data + at);
  if (at < n) {
    char rest[stripe] = {};
    __builtin_memcpy(rest, data + at, n - at);
    sums.take(rest);
  }
  uint64_t parts[8];
  sums.store(parts);
  uint64_t h = n;
  for (uint64_t part : parts) h = mix(h ^ part);
  return h;
}

}  // namespace tapegrad
