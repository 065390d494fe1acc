#include <vector>

#include "check.h"
#include "tapegrad/kernels/linalg/linalg.h"

using namespace tapegrad;

namespace {

Value diagonal(const std::vector<double>& d, DType dtype = DType::float64) {
  const auto n = static_cast<int64_t>(d.size());
  Value v = Value::zeros(dtype, Dims{n, n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i * (n + 1), d[static_cast<size_t>(i)]);
  return v;
}

// [[a, rows], [columns, 0]] for one matrix of a stack.
Value bordered(const Value& a, const Border& border, int64_t item) {
  const int64_t n = a.dim(a.ndim() - 1), w = border.width, size = n + w;
  Value m = Value::zeros(DType::float64, Dims{size, size});
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) m.set_at(i * size + j, a.at((item * n + i) * n + j));
    for (int64_t j = 0; j < w; ++j) {
      m.set_at(i * size + n + j, border.rows.at((item * n + i) * w + j));
      m.set_at((n + j) * size + i, border.columns.at((item * w + j) * n + i));
    }
  }
  return m;
}

}  // namespace

TEST(regular_matrices_need_no_border) {
  CHECK(border_of(diagonal({3, 1, 2})).width == 0);
  CHECK(border_of(Value::empty(DType::float64, Dims{2, 0, 0})).width == 0);
  CHECK(border_of(Value::empty(DType::float32, Dims{0, 3, 3})).width == 0);
}

// The pivots that were served last are bordered: unit vectors at rows and columns 0 and 2.
TEST(the_unit_vectors_stand_where_the_zero_pivots_are) {
  for (const DType d : {DType::float64, DType::float32}) {
    const Border border = border_of(diagonal({0, 5, 0}, d));
    CHECK(border.width == 2 && border.rows.dtype() == d && border.columns.dtype() == d);
    CHECK(border.rows.shape() == (Dims{3, 2}) && border.columns.shape() == (Dims{2, 3}));
    for (int64_t i = 0; i < 3; ++i) {
      const double there = i != 1;
      CHECK(border.rows.at(2 * i) + border.rows.at(2 * i + 1) == there);
      CHECK(border.columns.at(i) + border.columns.at(3 + i) == there);
    }
    for (int64_t j = 0; j < 2; ++j)
      CHECK(border.rows.at(j) + border.rows.at(2 + j) + border.rows.at(4 + j) == 1);
  }
}

TEST(a_stack_gets_the_border_of_its_worst_matrix) {
  const double items[] = {1, 2, 3, 2, 4, 6, -1, -2, -3,  // of rank one
                          0, 1, 0, 0, 0, 2, 0,  0,  0,   // of rank two
                          2, 0, 0, 0, 2, 0, 0,  0,  2};
  const Value a = Value::from(items, Dims{3, 3, 3});
  const Border border = border_of(a);
  CHECK(border.width == 2);
  CHECK(border.rows.shape() == (Dims{3, 3, 2}) && border.columns.shape() == (Dims{3, 2, 3}));
  for (int64_t item = 0; item < 3; ++item)
    CHECK(std::abs(det_values(bordered(a, border, item)).as_double()) > 0.5);
}

TEST(views_are_read_through_their_strides) {
  const Value a = diagonal({0, 5, 1, 0});
  const Value backwards = a.view(Dims{4, 4}, Dims{-4, -1}, 15);
  const Border there = border_of(a), back = border_of(backwards);
  CHECK(there.width == 2 && back.width == 2);
  CHECK(std::abs(det_values(bordered(backwards, back, 0)).as_double()) == 5);
}

TEST(small_pivots_are_bordered_while_they_are_few) {
  CHECK(border_of(diagonal({1, 1e-2})).width == 0);
  CHECK(border_of(diagonal({1, 1e-4, 1e-4})).width == 2);
  CHECK(border_of(diagonal({1, 1e-2, 1e-2}, DType::float32)).width == 2);
  std::vector<double> many(10, 1e-4);
  many[0] = many[1] = 1;
  CHECK(border_of(diagonal(many)).width == 6);
  for (double& x : many) x = x == 1 ? 1 : 1e-12;
  CHECK(border_of(diagonal(many)).width == 8);
}
