// Truncated Taylor series, for derivatives by parameters of functions that are sums and continued
// fractions: arithmetic on jets follows the algorithm term by term.
#pragma once

namespace tapegrad::vm {
namespace {

// f, f', f''/2!, f'''/3! by one parameter.
struct Jet {
  static constexpr int terms = 4;
  double c[terms] = {};

  static constexpr Jet constant(double x) { return {{x}}; }
  static constexpr Jet parameter(double x) { return {{x, 1}}; }
  double derivative(int n) const {
    double found = n >= 0 && n < terms ? c[n] : __builtin_nan("");
    for (int k = 2; k <= n; ++k) found *= k;
    return found;
  }
  friend Jet operator+(Jet a, const Jet& b) {
    for (int i = 0; i < terms; ++i) a.c[i] += b.c[i];
    return a;
  }
  friend Jet operator-(Jet a, const Jet& b) {
    for (int i = 0; i < terms; ++i) a.c[i] -= b.c[i];
    return a;
  }
  friend Jet operator*(const Jet& a, const Jet& b) {
    Jet r;
    for (int i = 0; i < terms; ++i)
      for (int k = 0; k <= i; ++k) r.c[i] += a.c[k] * b.c[i - k];
    return r;
  }
  friend Jet operator/(const Jet& a, const Jet& b) {
    Jet r;
    for (int i = 0; i < terms; ++i) {
      double x = a.c[i];
      for (int k = 1; k <= i; ++k) x -= b.c[k] * r.c[i - k];
      r.c[i] = x / b.c[0];
    }
    return r;
  }
  // `value` is exp(c[0]).
  Jet exponential(double value) const {
    Jet r = constant(value);
    for (int i = 1; i < terms; ++i) {
      for (int k = 1; k <= i; ++k) r.c[i] += k * c[k] * r.c[i - k];
      r.c[i] /= i;
    }
    return r;
  }
};

// f and its first and second derivatives by two parameters.
struct Jet2 {
  double f = 0, a = 0, b = 0, aa = 0, ab = 0, bb = 0;

  static constexpr Jet2 constant(double x) { return {x}; }
  friend Jet2 operator+(const Jet2& x, const Jet2& y) {
    return {x.f + y.f, x.a + y.a, x.b + y.b, x.aa + y.aa, x.ab + y.ab, x.bb + y.bb};
  }
  friend Jet2 operator-(const Jet2& x, const Jet2& y) {
    return {x.f - y.f, x.a - y.a, x.b - y.b, x.aa - y.aa, x.ab - y.ab, x.bb - y.bb};
  }
  friend Jet2 operator*(const Jet2& x, const Jet2& y) {
    return {x.f * y.f,
            x.a * y.f + x.f * y.a,
            x.b * y.f + x.f * y.b,
            x.aa * y.f + 2 * x.a * y.a + x.f * y.aa,
            x.ab * y.f + x.a * y.b + x.b * y.a + x.f * y.ab,
            x.bb * y.f + 2 * x.b * y.b + x.f * y.bb};
  }
  friend Jet2 operator/(const Jet2& x, const Jet2& y) {
    const double i = 1 / y.f;
    return x * Jet2{i,
                    -y.a * i * i,
                    -y.b * i * i,
                    (2 * y.a * y.a * i - y.aa) * i * i,
                    (2 * y.a * y.b * i - y.ab) * i * i,
                    (2 * y.b * y.b * i - y.bb) * i * i};
  }
};

}  // namespace
}  // namespace tapegrad::vm
