// Transforms of a few complex numbers in registers, each in place and in natural order, for the
// files of rows/isa only: everything is in an anonymous namespace, so that each instruction-set
// level keeps its own copies.
#pragma once

namespace tapegrad {
namespace {

template <class T>
struct Complex {
  T re, im;
};

template <class T>
inline Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
inline Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
inline Complex<T> operator*(T a, Complex<T> b) {
  return {a * b.re, a * b.im};
}
template <class T>
inline Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
// -i a
template <class T>
inline Complex<T> turned(Complex<T> a) {
  return {a.im, -a.re};
}

template <class T>
inline void transform2(Complex<T>& a, Complex<T>& b) {
  const Complex<T> sum = a + b;
  b = a - b;
  a = sum;
}

template <class T>
inline void transform3(Complex<T>& a, Complex<T>& b, Complex<T>& c) {
  constexpr T half = static_cast<T>(0.5), sine = static_cast<T>(0.866025403784438646763723170753);
  const Complex<T> sum = b + c, apart = turned(sine * (b - c));
  const Complex<T> middle = a - half * sum;
  a = a + sum;
  b = middle + apart;
  c = middle - apart;
}

template <class T>
inline void transform4(Complex<T>& a, Complex<T>& b, Complex<T>& c, Complex<T>& d) {
  const Complex<T> even = a + c, even_apart = a - c;
  const Complex<T> odd = b + d, odd_apart = turned(b - d);
  a = even + odd;
  b = even_apart + odd_apart;
  c = even - odd;
  d = even_apart - odd_apart;
}

template <class T>
inline void transform5(Complex<T>& a, Complex<T>& b, Complex<T>& c, Complex<T>& d, Complex<T>& e) {
  constexpr T cos1 = static_cast<T>(0.309016994374947424102293417183);
  constexpr T cos2 = static_cast<T>(-0.809016994374947424102293417183);
  constexpr T sin1 = static_cast<T>(0.951056516295153572116439333379);
  constexpr T sin2 = static_cast<T>(0.587785252292473129168705954639);
  const Complex<T> sum1 = b + e, sum2 = c + d, apart1 = b - e, apart2 = c - d;
  const Complex<T> near = a + cos1 * sum1 + cos2 * sum2, far = a + cos2 * sum1 + cos1 * sum2;
  const Complex<T> near_turn = turned(sin1 * apart1 + sin2 * apart2);
  const Complex<T> far_turn = turned(sin2 * apart1 - sin1 * apart2);
  a = a + sum1 + sum2;
  b = near + near_turn;
  e = near - near_turn;
  c = far + far_turn;
  d = far - far_turn;
}

template <class T>
inline void transform8(Complex<T>& a, Complex<T>& b, Complex<T>& c, Complex<T>& d, Complex<T>& e,
                       Complex<T>& f, Complex<T>& g, Complex<T>& h) {
  constexpr T half_root = static_cast<T>(0.707106781186547524400844362105);
  transform4(a, c, e, g);
  transform4(b, d, f, h);
  const Complex<T> turn1 = half_root * Complex<T>{d.re + d.im, d.im - d.re};
  const Complex<T> turn2 = turned(f);
  const Complex<T> turn3 = half_root * Complex<T>{h.im - h.re, -h.re - h.im};
  const Complex<T> even0 = a, even1 = c, even2 = e, even3 = g, odd0 = b;
  a = even0 + odd0;
  b = even1 + turn1;
  c = even2 + turn2;
  d = even3 + turn3;
  e = even0 - odd0;
  f = even1 - turn1;
  g = even2 - turn2;
  h = even3 - turn3;
}

}  // namespace
}  // namespace tapegrad
