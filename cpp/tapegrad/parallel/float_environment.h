#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace tapegrad {

// Holds how a thread rounds and whether it flushes subnormals. On x86-64 the control register alone
// is enough: it holds all that SSE and AVX obey, and fegetenv costs twenty times as much.
class FloatEnvironment {
 public:
  static FloatEnvironment current() {
    FloatEnvironment environment;
#if defined(__x86_64__)
    environment.state_ = _mm_getcsr();
#else
    std::fegetenv(&environment.state_);
#endif
    return environment;
  }

  void apply() const {
#if defined(__x86_64__)
    _mm_setcsr(state_);
#else
    std::fesetenv(&state_);
#endif
  }

 private:
#if defined(__x86_64__)
  unsigned state_;
#else
  std::fenv_t state_;
#endif
};

}  // namespace tapegrad
