// Discrete Fourier transforms along one axis of arrays, float32 or float64, with any strides.
// Complex arrays are pairs of arrays. Results are packed. Input is cut or filled up with zeros to
// the length that is asked for; its other axes are those of the result.
#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

struct FourierAxis {
  int axis;         // not negative
  int64_t n;        // points, positive
  bool is_inverse;  // exp(+2 pi i j k / n) in place of exp(-...)
  double scale;     // of the result
};

// Which elements of a real array's transform are written down. Those from n / 2 + 1 on are the
// conjugates of the others, which leaves it open how the others count.
enum class Spectrum : uint8_t {
  half,     // n / 2 + 1 elements, as they are
  doubled,  // n / 2 + 1 elements; those that stand for two count twice
  whole     // all n
};

inline int64_t spectrum_length(Spectrum spectrum, int64_t n) {
  return spectrum == Spectrum::whole ? n : n / 2 + 1;
}

void fourier_values(const Value& re, const Value& im, const FourierAxis& along, Value& out_re,
                    Value& out_im);

// Of real arrays: sum_j x_j exp(-+2 pi i j k / n), times 2 where the element is doubled.
void real_fourier_values(const Value& x, Spectrum spectrum, const FourierAxis& along, Value& out_re,
                         Value& out_im);

// The transpose of that: the real part of sum_k c_k exp(+-2 pi i j k / n), once or twice where the
// element is doubled. With `doubled` it is the inverse transform of a real array, but for n.
void real_fourier_back_values(const Value& re, const Value& im, Spectrum spectrum,
                              const FourierAxis& along, Value& out);

}  // namespace tapegrad
