#include "tapegrad/kernels/fourier/fourier.h"

#include <cmath>
#include <numbers>

#include "check.h"
#include "kernels/matrix_cases.h"
#include "tapegrad/kernels/fourier/plan.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

Value random_array(const Dims& shape, unsigned seed, DType d = DType::float64) {
  return Value::from(random_matrix<double>(element_count(shape), seed), shape).cast(d);
}

struct Pair {
  Value re, im;
};

// One element by its definition: the sum over the axis of (re + i im) exp(-+2 pi i j k / n).
struct Sum {
  double re = 0, im = 0;
};
Sum by_definition(const Value& re, const Value& im, int64_t first, int64_t step,
                  const FourierAxis& along, int64_t k) {
  Sum sum;
  for (int64_t j = 0; j < std::min(re.dim(along.axis), along.n); ++j) {
    const double turn = (along.is_inverse ? 2 : -2) * std::numbers::pi *
                        static_cast<double>(j * k % along.n) / static_cast<double>(along.n);
    const double a = re.at(first + j * step), b = im.at(first + j * step);
    sum.re += along.scale * (a * std::cos(turn) - b * std::sin(turn));
    sum.im += along.scale * (a * std::sin(turn) + b * std::cos(turn));
  }
  return sum;
}

// Whether the transform, of which some elements were left out at the end, is the definition's.
void check_definition(const Pair& out, const Value& re, const Value& im, const FourierAxis& along,
                      double tolerance) {
  int64_t inner = 1;
  for (int i = along.axis + 1; i < re.ndim(); ++i) inner *= re.dim(i);
  const int64_t kept = out.re.dim(along.axis), length = re.dim(along.axis);
  for (int64_t flat = 0; flat < out.re.size(); ++flat) {
    const int64_t outer = flat / (inner * kept), k = flat / inner % kept, i = flat % inner;
    const Sum expected = by_definition(re, im, outer * length * inner + i, inner, along, k);
    CHECK_CLOSE(out.re.at(flat), expected.re, tolerance);
    CHECK_CLOSE(out.im.at(flat), expected.im, tolerance);
  }
}

double dot(const Value& a, const Value& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i) sum += a.at(i) * b.at(i);
  return sum;
}

const std::vector<int64_t> lengths = {1,  2,  3,  4,  5,  6,  7,  8,  9,   11,  12,  13, 16,
                                      25, 30, 31, 32, 37, 64, 74, 96, 100, 101, 128, 202};

}  // namespace

TEST(transforms_are_the_sums_of_their_definition) {
  for (const int64_t n : lengths)
    for (const DType d : {DType::float64, DType::float32})
      for (const Dims& shape : {Dims{n}, Dims{9, n}, Dims{n, 19}, Dims{n, 2}}) {
        const int axis = shape.ndim() == 2 && shape[0] != n ? 1 : 0;
        const Value re = random_array(shape, 1, d), im = random_array(shape, 2, d);
        const double tolerance = d == DType::float32 ? 4e-5 : 2e-13;
        for (const bool is_inverse : {false, true}) {
          const FourierAxis along{axis, n, is_inverse, is_inverse ? 0.5 : 1.0};
          Pair out;
          fourier_values(re, im, along, out.re, out.im);
          CHECK(out.re.dtype() == d);
          check_definition(out, re, im, along, tolerance);
          Pair half;
          real_fourier_values(re, Spectrum::half, along, half.re, half.im);
          check_definition(half, re, Value::zeros(d, shape), along, tolerance);
          Pair whole;
          real_fourier_values(re, Spectrum::whole, along, whole.re, whole.im);
          check_definition(whole, re, Value::zeros(d, shape), along, tolerance);
        }
      }
}

TEST(input_is_cut_or_filled_with_zeros) {
  for (const int64_t n : {1, 4, 5, 8, 70, 74})
    for (const int64_t length : {1, 3, 4, 7, 9, 71, 80}) {
      const Value re = random_array({length}, 1), im = random_array({length}, 2);
      const FourierAxis along{0, n, false, 1.0};
      Pair out, half;
      fourier_values(re, im, along, out.re, out.im);
      check_definition(out, re, im, along, 1e-12);
      real_fourier_values(re, Spectrum::half, along, half.re, half.im);
      check_definition(half, re, Value::zeros(DType::float64, Dims{length}), along, 1e-12);
    }
}

TEST(the_way_back_is_the_transpose) {
  for (const int64_t n : lengths)
    for (const Spectrum spectrum : {Spectrum::half, Spectrum::doubled, Spectrum::whole})
      for (const bool is_inverse : {false, true})
        for (const bool is_row : {false, true}) {
          const FourierAxis along{is_row ? 1 : 0, n, is_inverse, 0.75};
          const int64_t kept = spectrum_length(spectrum, n);
          const Value x = random_array(is_row ? Dims{3, n} : Dims{n, 11}, 3);
          const Dims spectra = is_row ? Dims{3, kept} : Dims{kept, 11};
          const Value re = random_array(spectra, 4), im = random_array(spectra, 5);
          Pair out;
          Value back;
          real_fourier_values(x, spectrum, along, out.re, out.im);
          real_fourier_back_values(re, im, spectrum, along, back);
          CHECK_CLOSE(dot(out.re, re) + dot(out.im, im), dot(back, x), 1e-10);
        }
}

// Too long for the sum: lines of a square, and a convolution with squares inside.
TEST(long_lines_come_back) {
  for (const int64_t n : {int64_t{1} << 15, int64_t{3} << 14, int64_t{40009}}) {
    const Value re = random_array({2, n}, 6), im = random_array({2, n}, 7);
    Pair out, back;
    fourier_values(re, im, {1, n, false, 1.0}, out.re, out.im);
    fourier_values(out.re, out.im, {1, n, true, 1 / static_cast<double>(n)}, back.re, back.im);
    for (int64_t i = 0; i < 2 * n; ++i) {
      CHECK_CLOSE(back.re.at(i), re.at(i), 1e-13);
      CHECK_CLOSE(back.im.at(i), im.at(i), 1e-13);
    }
    for (const int64_t k : {int64_t{0}, int64_t{1}, int64_t{77}, n / 2, n - 3}) {
      const Sum expected = by_definition(re, im, n, 1, {1, n, false, 1.0}, k);
      CHECK_CLOSE(out.re.at(n + k), expected.re, 1e-9);
      CHECK_CLOSE(out.im.at(n + k), expected.im, 1e-9);
    }
  }
  CHECK(fourier_plan<double>(1 << 15)->is_square());
  CHECK(!fourier_plan<double>(1 << 14)->is_square());
}

// A line gives the same bits alone, among others, along any axis and on any number of threads.
TEST(bits_depend_on_the_line_alone) {
  for (const int64_t n : {5, 12, 37, 64, 100, 256}) {
    const Value re = random_array({21, n}, 8), im = random_array({21, n}, 9);
    const FourierAxis along{1, n, false, 0.3};
    Pair rows;
    fourier_values(re, im, along, rows.re, rows.im);
    const auto turned = [](const Value& v) {
      return v.view(Dims{v.dim(1), v.dim(0)}, Dims{v.strides()[1], v.strides()[0]}, 0);
    };
    Pair columns;
    fourier_values(turned(re), turned(im), {0, n, false, 0.3}, columns.re, columns.im);
    CHECK(same_bits(turned(columns.re).contiguous(), rows.re));
    CHECK(same_bits(turned(columns.im).contiguous(), rows.im));
    const Value one = re.view(Dims{n}, Dims{1}, 20 * n), other = im.view(Dims{n}, Dims{1}, 20 * n);
    Pair line;
    fourier_values(one, other, {0, n, false, 0.3}, line.re, line.im);
    CHECK(same_bits(line.re, rows.re.view(Dims{n}, Dims{1}, 20 * n)));
    const double threshold = work_threshold_ns();
    set_work_threshold_ns(0);
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      Pair again;
      fourier_values(re, im, along, again.re, again.im);
      CHECK(same_bits(again.re, rows.re) && same_bits(again.im, rows.im));
    }
    set_num_threads(0);
    set_work_threshold_ns(threshold);
  }
}

TEST(nothing_along_other_axes_gives_nothing) {
  Pair out;
  fourier_values(Value::zeros(DType::float64, Dims{0, 4}), Value::zeros(DType::float64, Dims{0, 4}),
                 {1, 3, false, 1.0}, out.re, out.im);
  CHECK((out.re.shape() == Dims{0, 3}));
}

}  // namespace tapegrad
