#include "tapegrad/kernels/fourier/fourier.h"

#include "tapegrad/kernels/fourier/lines.h"

// A real transform of an even number of points is a complex one of half as many, of which the even
// elements are the real and the odd ones the imaginary parts. An inverse transform is one with real
// and imaginary parts exchanged, before and after.

namespace tapegrad {
namespace {

Dims with_length(const Dims& shape, int axis, int64_t n) {
  Dims changed = shape;
  changed[static_cast<size_t>(axis)] = n;
  return changed;
}

template <class T>
Split<T> exchanged(Split<T> x) {
  return {x.im, x.re};
}

template <class T>
void read_filled(const Strands<const T>& from, const Bundle& b, int64_t length, int64_t n, T* to) {
  const int64_t taken = std::min(length, n);
  read_lines(from, b, 0, 1, taken, to);
  std::fill(to + taken * b.lanes, to + n * b.lanes, T{0});
}

template <class T>
void multiply_by(T factor, T* begin, T* end) {
  for (T* x = begin; x < end; ++x) *x *= factor;
}

template <class T>
void run_complex(const Value& re, const Value& im, const FourierAxis& along, Value& out_re,
                 Value& out_im) {
  const int64_t n = along.n, length = re.dim(along.axis);
  const Lines lines(re.shape(), along.axis);
  const auto plan = fourier_plan<T>(n);
  const T scale = static_cast<T>(along.scale);
  const bool is_row = lines.inner == 1, is_read_there = is_row && length >= n;
  over_lines<T>(lines, *plan, 3, n, [&](const Bundle& b, const FourierScratch<T>& scratch) {
    const Strands<const T> from_re(re.data<const T>(), length, lines, b);
    const Strands<const T> from_im(im.data<const T>(), length, lines, b);
    const Strands<T> to_re(out_re.data<T>(), n, lines, b), to_im(out_im.data<T>(), n, lines, b);
    ConstSplit<T> x = scratch[0];
    if (b.lanes == 1 && is_read_there) {
      x = {from_re.data, from_im.data};
    } else {
      read_filled(from_re, b, length, n, scratch[0].re);
      read_filled(from_im, b, length, n, scratch[0].im);
    }
    const bool is_written_there = b.lanes == 1 && is_row;
    const Split<T> y = is_written_there ? Split<T>{to_re.data, to_im.data} : scratch[2];
    if (along.is_inverse) {
      plan->transform(b.lanes, ConstSplit<T>(x.im, x.re), scratch[1], exchanged(y));
    } else {
      plan->transform(b.lanes, x, scratch[1], y);
    }
    if (!is_written_there) {
      write_lines(to_re, b, 0, 1, n, scale, y.re);
      write_lines(to_im, b, 0, 1, n, scale, y.im);
    } else if (scale != 1) {
      fourier_loops<T>().copy(n, scale, y.re, y.re);
      fourier_loops<T>().copy(n, scale, y.im, y.im);
    }
  });
}

// Elements that stand for two: all but the first and, where n is even, the last.
template <class T>
void weigh_pairs(T factor, int64_t n, int64_t lanes, Split<T> half) {
  const int64_t end = (n + 1) / 2 * lanes;
  multiply_by(factor, half.re + lanes, half.re + end);
  multiply_by(factor, half.im + lanes, half.im + end);
}

// The first half of the transform of the real lines that x holds as read_real leaves them; in one
// of the other two.
template <class T>
Split<T> transform_real(const FourierPlan<T>& plan, int64_t n, int64_t lanes, Split<T> x,
                        Split<T> work, Split<T> z) {
  plan.transform(lanes, x, work, z);
  if (n % 2 == 0) {
    fourier_loops<T>().untangle(n / 2, lanes, plan.half_roots(), z, work);
    return work;
  }
  std::fill(z.im, z.im + lanes, T{0});
  return z;
}

int64_t points_of_plan(int64_t n) { return n % 2 == 0 ? n / 2 : n; }

// Where n is even the even elements become the real and the odd ones the imaginary parts.
template <class T>
void read_real(const Strands<const T>& from, const Bundle& b, int64_t length, int64_t n, Split<T> x,
               T* spare) {
  if (n % 2 != 0) {
    read_filled(from, b, length, n, x.re);
    std::fill(x.im, x.im + n * b.lanes, T{0});
    return;
  }
  const int64_t taken = std::min(length, n), h = n / 2, pairs = taken / 2;
  const int64_t even = (taken + 1) / 2;
  if (b.lanes == 1 && from.step == 1) {
    fourier_loops<T>().deal(pairs, from.data, x.re, x.im);
    if (even > pairs) x.re[pairs] = from.data[2 * pairs];
  } else if (b.lanes > 1 && from.step == 1) {
    // Turned as they are, and then dealt out.
    read_lines(from, b, 0, 1, taken, spare);
    const Strands<const T> turned{spare, b.lanes};
    const Bundle rows{0, 0, b.lanes, b.lanes};
    read_lines(turned, rows, 0, 2, even, x.re);
    read_lines(turned, rows, 1, 2, pairs, x.im);
  } else {
    read_lines(from, b, 0, 2, even, x.re);
    read_lines(from, b, 1, 2, pairs, x.im);
  }
  std::fill(x.re + even * b.lanes, x.re + h * b.lanes, T{0});
  std::fill(x.im + pairs * b.lanes, x.im + h * b.lanes, T{0});
}

template <class T>
void run_real(const Value& in, Spectrum spectrum, const FourierAxis& along, Value& out_re,
              Value& out_im) {
  const int64_t n = along.n, length = in.dim(along.axis), half = n / 2 + 1;
  const int64_t kept = spectrum_length(spectrum, n), points = n % 2 == 0 ? half : n;
  const Lines lines(in.shape(), along.axis);
  const auto plan = fourier_plan<T>(points_of_plan(n));
  over_lines<T>(lines, *plan, 3, points, [&](const Bundle& b, const FourierScratch<T>& scratch) {
    const Split<T> x = scratch[0];
    read_real<T>({in.data<const T>(), length, lines, b}, b, length, n, x, scratch[1].re);
    const Split<T> y = transform_real(*plan, n, b.lanes, x, scratch[1], scratch[2]);
    if (spectrum == Spectrum::doubled) weigh_pairs(T{2}, n, b.lanes, y);
    const T scale = static_cast<T>(along.scale), im_scale = along.is_inverse ? -scale : scale;
    const Strands<T> re(out_re.data<T>(), kept, lines, b), im(out_im.data<T>(), kept, lines, b);
    write_lines<T>(re, b, 0, 1, half, scale, y.re);
    write_lines<T>(im, b, 0, 1, half, im_scale, y.im);
    if (spectrum != Spectrum::whole) return;
    // Element n - k is the conjugate of element k.
    write_lines<T>(re, b, n - 1, -1, n - half, scale, y.re + b.lanes);
    write_lines<T>(im, b, n - 1, -1, n - half, -im_scale, y.im + b.lanes);
  });
}

// Reads the first half of the transform of a real array: of a whole one the mean of each element
// and the conjugate of its partner.
template <class T>
void read_spectrum(const Strands<const T>& re, const Strands<const T>& im, Spectrum spectrum,
                   const Bundle& b, int64_t length, int64_t n, Split<T> y, Split<T> work) {
  const int64_t half = n / 2 + 1, end = half * b.lanes;
  read_filled(re, b, std::min(length, half), half, y.re);
  read_filled(im, b, std::min(length, half), half, y.im);
  if (spectrum == Spectrum::half) weigh_pairs(static_cast<T>(0.5), n, b.lanes, y);
  if (spectrum == Spectrum::whole) {
    // Elements from n - 1 down stand beside those from 1 on; what the input lacks is zero.
    const int64_t pairs = (n - 1) / 2, lacking = std::clamp<int64_t>(n - length, 0, pairs);
    for (const auto& [from, to] : {std::pair{&re, work.re}, std::pair{&im, work.im}}) {
      std::fill(to, to + lacking * b.lanes, T{0});
      if (lacking < pairs)
        read_lines(*from, b, n - 1 - lacking, -1, pairs - lacking, to + lacking * b.lanes);
    }
    const T middle = static_cast<T>(0.5);
    for (int64_t i = 0; i < pairs * b.lanes; ++i) {
      y.re[b.lanes + i] = middle * (y.re[b.lanes + i] + work.re[i]);
      y.im[b.lanes + i] = middle * (y.im[b.lanes + i] - work.im[i]);
    }
  }
  std::fill(y.im, y.im + b.lanes, T{0});
  if (n % 2 == 0) std::fill(y.im + end - b.lanes, y.im + end, T{0});
}

template <class T>
void run_back(const Value& in_re, const Value& in_im, Spectrum spectrum, const FourierAxis& along,
              Value& out) {
  const int64_t n = along.n, length = in_re.dim(along.axis), half = n / 2 + 1;
  const Lines lines(in_re.shape(), along.axis);
  const auto plan = fourier_plan<T>(points_of_plan(n));
  const int64_t points = n % 2 == 0 ? half : n;
  over_lines<T>(lines, *plan, 3, points, [&](const Bundle& b, const FourierScratch<T>& scratch) {
    const Split<T> y = scratch[0], z = scratch[1], x = scratch[2];
    read_spectrum<T>({in_re.data<const T>(), length, lines, b},
                     {in_im.data<const T>(), length, lines, b}, spectrum, b, length, n, y, z);
    if (along.is_inverse) multiply_by(T{-1}, y.im, y.im + half * b.lanes);
    const Strands<T> to(out.data<T>(), n, lines, b);
    const T scale = static_cast<T>(along.scale);
    if (n % 2 == 0) {
      fourier_loops<T>().tangle(n / 2, b.lanes, plan->half_roots(), y, z);
      plan->transform(b.lanes, exchanged(z), y, exchanged(x));
      if (b.lanes == 1 && to.step == 1) {
        fourier_loops<T>().interleave(n / 2, scale, x.re, x.im, to.data);
      } else if (b.lanes > 1 && to.step == 1) {
        T* all = scratch[0].re;
        fourier_loops<T>().copy_rows(n / 2, b.lanes, scale, x.re, b.lanes, all, 2 * b.lanes);
        fourier_loops<T>().copy_rows(n / 2, b.lanes, scale, x.im, b.lanes, all + b.lanes,
                                     2 * b.lanes);
        write_lines<T>(to, b, 0, 1, n, T{1}, all);
      } else {
        write_lines<T>(to, b, 0, 2, n / 2, scale, x.re);
        write_lines<T>(to, b, 1, 2, n / 2, scale, x.im);
      }
      return;
    }
    for (int64_t k = 1; k < half; ++k)
      for (int64_t l = 0; l < b.lanes; ++l) {
        y.re[(n - k) * b.lanes + l] = y.re[k * b.lanes + l];
        y.im[(n - k) * b.lanes + l] = -y.im[k * b.lanes + l];
      }
    plan->transform(b.lanes, exchanged(y), z, exchanged(x));
    write_lines<T>(to, b, 0, 1, n, scale, x.re);
  });
}

}  // namespace

void fourier_values(const Value& re, const Value& im, const FourierAxis& along, Value& out_re,
                    Value& out_im) {
  const Value a = re.contiguous(), b = im.contiguous();
  const Dims shape = with_length(a.shape(), along.axis, along.n);
  out_re = Value::empty(a.dtype(), shape);
  out_im = Value::empty(a.dtype(), shape);
  if (out_re.size() == 0) return;
  if (a.dtype() == DType::float32) {
    run_complex<float>(a, b, along, out_re, out_im);
  } else {
    run_complex<double>(a, b, along, out_re, out_im);
  }
}

void real_fourier_values(const Value& x, Spectrum spectrum, const FourierAxis& along, Value& out_re,
                         Value& out_im) {
  const Value a = x.contiguous();
  const Dims shape = with_length(a.shape(), along.axis, spectrum_length(spectrum, along.n));
  out_re = Value::empty(a.dtype(), shape);
  out_im = Value::empty(a.dtype(), shape);
  if (out_re.size() == 0) return;
  if (a.dtype() == DType::float32) {
    run_real<float>(a, spectrum, along, out_re, out_im);
  } else {
    run_real<double>(a, spectrum, along, out_re, out_im);
  }
}

void real_fourier_back_values(const Value& re, const Value& im, Spectrum spectrum,
                              const FourierAxis& along, Value& out) {
  const Value a = re.contiguous(), b = im.contiguous();
  out = Value::empty(a.dtype(), with_length(a.shape(), along.axis, along.n));
  if (out.size() == 0) return;
  if (a.dtype() == DType::float32) {
    run_back<float>(a, b, spectrum, along, out);
  } else {
    run_back<double>(a, b, spectrum, along, out);
  }
}

}  // namespace tapegrad
