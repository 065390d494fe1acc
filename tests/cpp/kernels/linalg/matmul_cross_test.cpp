#include "tapegrad/kernels/linalg/matmul_cross.h"

#include <array>
#include <limits>

#include "check.h"
#include "kernels/array_cases.h"

using namespace tapegrad;
using namespace cases;

namespace {

// x, y and z of vector `i` in a stack of vectors.
std::array<double, 3> vector_at(const Value& v, int64_t i) {
  const int64_t length = v.dim(v.ndim() - 1);
  if (length == 1) return {0, 0, v.at(i)};
  return {v.at(i * length), v.at(i * length + 1), length == 3 ? v.at(i * length + 2) : 0};
}

double wrong_components(const Value& a, const Value& b, const Dims& shape, int64_t keep) {
  const Value out = cross_vectors(a, b, shape, keep);
  CHECK(out.shape() == shape && out.dtype() == a.dtype());
  const Dims stack(shape.data(), shape.size() - 1);
  const Value x = a.contiguous(), y = b.contiguous();
  const auto place = [&](const Value& v, const Dims& index) {
    int64_t flat = 0;
    for (int k = 0; k + 1 < v.ndim(); ++k) {
      const size_t at = index.size() - static_cast<size_t>(v.ndim() - 1 - k);
      flat = flat * v.dim(k) + (v.dim(k) == 1 ? 0 : index[at]);
    }
    return flat;
  };
  double wrong = 0;
  for (int64_t i = 0; i < element_count(stack); ++i) {
    const Dims index = index_of(i, stack);
    const auto p = vector_at(x, place(x, index)), q = vector_at(y, place(y, index));
    for (int64_t c = 0; c < keep; ++c) {
      const size_t axis = keep == 1 ? 2 : static_cast<size_t>(c), j = (axis + 1) % 3,
                   k = (axis + 2) % 3;
      wrong = std::fmax(wrong, std::abs(out.at(i * keep + c) - (p[j] * q[k] - p[k] * q[j])));
    }
  }
  return wrong;
}

}  // namespace

TEST(vectors_of_every_length_and_layout) {
  for (const DType d : {DType::float64, DType::float32})
    for (const int64_t m : {1, 2, 3})
      for (const int64_t n : {1, 2, 3})
        for (const int64_t keep : {1, 2, 3})
          for (int layout = 0; layout < layouts; ++layout) {
            const double tolerance = d == DType::float64 ? 1e-15 : 1e-6;
            CHECK(wrong_components(laid_out({4, 5, m}, layout, d), laid_out({4, 5, n}, 0, d),
                                   {4, 5, keep}, keep) < tolerance);
            CHECK(wrong_components(laid_out({4, 1, m}, layout, d), laid_out({5, n}, layout, d),
                                   {4, 5, keep}, keep) < tolerance);
          }
}

TEST(one_vector_and_none) {
  const double a[] = {1, 2, 3}, b[] = {4, 5, 6};
  const Value out = cross_vectors(Value::from(a, Dims{3}), Value::from(b, Dims{3}), Dims{3}, 3);
  CHECK(out.at(0) == -3 && out.at(1) == 6 && out.at(2) == -3);
  CHECK(cross_vectors(random_array({0, 3}), random_array({3}), Dims{0, 3}, 3).size() == 0);
}

// A z that is not there is zero even beside an infinity; one that is there and zero is not.
TEST(missing_components_make_no_nan) {
  const double inf = std::numeric_limits<double>::infinity();
  const double plane[] = {1, 2}, space[] = {1, 2, 0}, far[] = {inf, 5, 7};
  const Value b = Value::from(far, Dims{3});
  const Value flat = cross_vectors(Value::from(plane, Dims{2}), b, Dims{3}, 3);
  CHECK(flat.at(0) == 14 && flat.at(1) == -7 && flat.at(2) == -inf);
  CHECK(std::isnan(cross_vectors(Value::from(space, Dims{3}), b, Dims{3}, 3).at(1)));
}

TEST(same_bits_for_any_number_of_threads) {
  const Value a = laid_out({5000, 3}, 3), b = laid_out({5000, 3}, 1);
  CHECK(same_for_any_threads([&] { return cross_vectors(a, b, Dims{5000, 3}, 3); }));
}
