// How long the random tests run: a few rounds as tests, `test_fuzz --seconds N --seed S` longer.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>

#include "check.h"
#include "sanitized.h"

namespace fuzz {

inline double seconds = 0;  // for each test; 0: a fixed number of rounds
inline uint64_t first_seed = 0;

// `for (Rounds r(100); r.next();) ... r.seed()`; stops at the first failure and tells its seed.
class Rounds {
 public:
  explicit Rounds(uint64_t n) : n_(check::sanitized ? n / 4 + 1 : n), failures_(check::failures) {}

  bool next() {
    if (check::failures != failures_) {
      std::printf("seed %llu\n", static_cast<unsigned long long>(seed()));
      return false;
    }
    const std::chrono::duration<double> t = std::chrono::steady_clock::now() - start_;
    ++done_;
    return seconds > 0 ? t.count() < seconds : done_ <= n_;
  }
  uint64_t seed() const { return first_seed + done_ - 1; }

 private:
  uint64_t n_, done_ = 0;
  int failures_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace fuzz
