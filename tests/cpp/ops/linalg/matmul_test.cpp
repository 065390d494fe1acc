#include "tapegrad/ops/linalg/matmul.h"

#include <array>

#include "check.h"
#include "kernels/array_cases.h"
#include "tapegrad/ops/registry.h"

namespace tapegrad {
namespace {

using cases::laid_out;
using cases::random_array;

Value product(const Value& a, const Value& b) {
  register_all_ops();
  return matmul(Ref(a), Ref(b)).value();
}

double dot_of(const Value& a, const Dims& from, int a_axis, const Value& b, const Dims& with,
              int b_axis) {
  double sum = 0;
  Dims p = from, q = with;
  for (int64_t i = 0; i < a.dim(a_axis); ++i) {
    p[static_cast<size_t>(a_axis)] = i;
    q[static_cast<size_t>(b_axis)] = i;
    sum += a.at(cases::flat_of(p, a.shape())) * b.at(cases::flat_of(q, b.shape()));
  }
  return sum;
}

// NumPy's rule, element by element.
void check_product(const Value& a, const Value& b, const Dims& expected, double tol = 1e-13) {
  const Value c = product(a, b);
  CHECK(c.shape() == expected);
  const bool a_vector = a.ndim() == 1, b_vector = b.ndim() == 1;
  const int a_axis = a.ndim() - 1, b_axis = b_vector ? 0 : b.ndim() - 2;
  const int stack = expected.ndim() - !a_vector - !b_vector;
  double worst = 0;
  for (int64_t flat = 0; flat < c.size(); ++flat) {
    const Dims index = cases::index_of(flat, expected);
    Dims p(static_cast<size_t>(a.ndim())), q(static_cast<size_t>(b.ndim()));
    const auto fill = [&](Dims& to, const Value& v) {
      for (int i = 0; i + 2 < v.ndim(); ++i) {
        const int from = stack - (v.ndim() - 2) + i;
        to[static_cast<size_t>(i)] = v.dim(i) == 1 ? 0 : index[static_cast<size_t>(from)];
      }
    };
    fill(p, a);
    fill(q, b);
    if (!a_vector) p[static_cast<size_t>(a.ndim() - 2)] = index[static_cast<size_t>(stack)];
    if (!b_vector) q[static_cast<size_t>(b.ndim() - 1)] = index.back();
    worst = std::max(worst, std::abs(c.at(flat) - dot_of(a, p, a_axis, b, q, b_axis)));
  }
  CHECK(worst <= tol);
}

TEST(shapes_follow_numpy) {
  check_product(random_array({5}), random_array({5}), {});
  check_product(random_array({4, 5}), random_array({5}), {4});
  check_product(random_array({5}), random_array({5, 6}), {6});
  check_product(random_array({2, 4, 5}), random_array({5}), {2, 4});
  check_product(random_array({5}), random_array({3, 5, 6}), {3, 6});
  check_product(random_array({4, 5}), random_array({5, 6}), {4, 6});
  check_product(random_array({2, 1, 4, 5}), random_array({3, 5, 6}), {2, 3, 4, 6});
  check_product(random_array({7, 4, 5}), random_array({5, 6}), {7, 4, 6});
  check_product(random_array({4, 5}), random_array({7, 5, 6}), {7, 4, 6});
  check_product(random_array({1, 1}), random_array({1, 1}), {1, 1});
  check_product(random_array({0, 3}), random_array({3, 2}), {0, 2});
  check_product(random_array({2, 0}), random_array({0, 3}), {2, 3});
  check_product(random_array({0}), random_array({0}), {});
  check_product(random_array({0, 2, 3}), random_array({3, 2}), {0, 2, 2});
  check_product(random_array({2, 3, 2, 3}), random_array({3}), {2, 3, 2});
}

// Given where the arrays lie, again and again.
TEST(products_like_others) {
  register_all_ops();
  for (int left = 0; left < cases::layouts; ++left) {
    for (int right = 0; right < cases::layouts; ++right) {
      for (const auto& [m, k, n] : {std::array<int64_t, 3>{9, 17, 10},
                                    {3, 2, 4},
                                    {8, 8, 1},
                                    {600, 3, 2},
                                    {7, 1, 9},
                                    {30, 20, 1},
                                    {1, 20, 30},
                                    {2, 0, 3}}) {
        const Value a = laid_out({m, k}, left), b = laid_out({k, n}, right);
        const auto like = product_like(a, b);
        if (!like) continue;  // matmul copies one of them
        const Value want = product(a, b);
        Value got = Value::empty(DType::float64, want.shape());
        for (int round = 0; round < 2; ++round) {
          like->run(a.raw(), b.raw(), got.raw());
          CHECK(same_bits(got, want));
        }
      }
    }
  }
  CHECK(product_like(random_array({4, 5}), random_array({5})) != nullptr);
  CHECK(product_like(random_array({2, 4, 5}), random_array({5, 3})) == nullptr);
  CHECK(product_like(random_array({4, 5}), random_array({5, 4}).cast(DType::float32)) == nullptr);
  CHECK(product_like(Value(1.0), random_array({5})) == nullptr);
}

TEST(any_layout) {
  for (int left = 0; left < cases::layouts; ++left) {
    for (int right = 0; right < cases::layouts; ++right) {
      check_product(laid_out({9, 17}, left), laid_out({17, 10}, right), {9, 10});
      check_product(laid_out({3, 9, 17}, left), laid_out({3, 17, 10}, right), {3, 9, 10});
      check_product(laid_out({17}, left), laid_out({17, 10}, right), {10});
      check_product(laid_out({9, 17}, left), laid_out({17}, right), {9});
      check_product(laid_out({6}, left), laid_out({6}, right), {});
      check_product(laid_out({30, 2, 3}, left), laid_out({3, 4}, right), {30, 2, 4});
    }
  }
}

TEST(dtypes_promote) {
  const Value f = random_array({3, 9}, DType::float32), d = random_array({9, 4});
  CHECK(product(f, f.view(Dims{9, 3}, Dims{1, 9}, 0)).dtype() == DType::float32);
  CHECK(product(f, d).dtype() == DType::float64);
  check_product(f, d, {3, 4});
  check_product(f, random_array({9, 4}, DType::float32), {3, 4}, 1e-5);
  CHECK(product(f, random_array({9, 4}, DType::int32)).dtype() == DType::float64);
  CHECK(product(random_array({2, 2}, DType::int32), random_array({2, 2}, DType::int64)).dtype() ==
        DType::int64);
}

TEST(errors_name_shapes_and_a_remedy) {
  CHECK_THROWS_SAYING(ValueError, "(2, 3) and (4, 5)",
                      product(random_array({2, 3}), random_array({4, 5})));
  CHECK_THROWS_SAYING(ValueError, "np.swapaxes",
                      product(random_array({2, 3}), random_array({4, 3})));
  CHECK_THROWS_SAYING(ValueError, "a * b", product(Value(2.0), random_array({4, 5})));
  CHECK_THROWS(ValueError, product(random_array({2, 2, 3}), random_array({3, 3, 4})));
}

Value apply_named(const char* name, Attrs attrs, const Value& a, const Value& b) {
  register_all_ops();
  return apply(*find_op(name), attrs, {Ref(a), Ref(b)}).value();
}

using List = std::vector<int64_t>;

TEST(other_products_have_numpys_shapes) {
  const auto shape = [](const char* name, const Dims& a, const Dims& b, Attrs attrs = {}) {
    return apply_named(name, attrs, random_array(a), random_array(b)).shape();
  };
  CHECK(shape("dot", {2, 3, 4}, {5, 4, 6}) == Dims{2, 3, 5, 6});
  CHECK(shape("dot", {}, {3, 2}) == Dims{3, 2});
  CHECK(shape("dot", {4}, {5, 4, 6}) == Dims{5, 6});
  CHECK(shape("inner", {2, 3, 4}, {5, 4}) == Dims{2, 3, 5});
  CHECK(shape("inner", {4}, {4}).empty());
  CHECK(shape("outer", {2, 3}, {4}) == Dims{6, 4});
  CHECK(shape("vdot", {2, 3}, {3, 2}).empty());
  CHECK(shape("tensordot", {2, 3, 4}, {3, 4, 5}) == Dims{2, 5});
  CHECK(shape("tensordot", {2, 3}, {4}, {int64_t{0}}) == Dims{2, 3, 4});
  CHECK(shape("tensordot", {2, 3, 4}, {4, 2, 5}, {List{0, 2}, List{1, 0}}) == Dims{3, 5});
  CHECK(shape("cross", {4, 3}, {5, 1, 3}) == Dims{5, 4, 3});
  CHECK(shape("cross", {3, 4}, {4, 3}, {int64_t{0}, int64_t{1}, int64_t{0}}) == Dims{3, 4});
  CHECK(shape("cross", {4, 2}, {4, 2}) == Dims{4});
  CHECK(shape("cross", {4, 2}, {3}) == Dims{4, 3});
  CHECK(shape("vecdot", {2, 1, 3}, {4, 3}) == Dims{2, 4});
  CHECK(shape("matvec", {2, 5, 3}, {4, 1, 3}) == Dims{4, 2, 5});
  CHECK(shape("vecmat", {4, 1, 3}, {2, 3, 5}) == Dims{4, 2, 5});
  CHECK(shape("kron", {2, 3}, {4}) == Dims{2, 12});
}

TEST(cross_products_of_vectors) {
  const Value a = Value::from(std::vector<double>{1, 2, 3}, Dims{3}),
              b = Value::from(std::vector<double>{4, 5, 6}, Dims{3});
  const Value c = apply_named("cross", {}, a, b);
  CHECK(c.at(0) == -3 && c.at(1) == 6 && c.at(2) == -3);
  const Value xy = Value::from(std::vector<double>{1, 2}, Dims{2});
  const Value d = apply_named("cross", {}, xy, b);
  CHECK(d.at(0) == 12 && d.at(1) == -6 && d.at(2) == -3);
  CHECK(apply_named("cross", {}, xy, Value::from(std::vector<double>{3, 4}, Dims{2})).as_double() ==
        -2);
  // A missing z is zero even beside an infinity.
  const Value inf = Value::from(std::vector<double>{1, 1, INFINITY}, Dims{3});
  CHECK(apply_named("cross", {}, xy, inf).at(2) == -1);
  CHECK_THROWS_SAYING(ValueError, "dimension must be 2 or 3",
                      apply_named("cross", {}, a, random_array({4})));
}

TEST(other_products_complain_by_their_name) {
  CHECK_THROWS_SAYING(ValueError,
                      "dot: ", apply_named("dot", {}, random_array({2, 3}), random_array({4, 5})));
  CHECK_THROWS_SAYING(
      ValueError, "inner: ", apply_named("inner", {}, random_array({2, 3}), random_array({4, 5})));
  CHECK_THROWS_SAYING(ValueError,
                      "vdot: ", apply_named("vdot", {}, random_array({2, 3}), random_array({5})));
  CHECK_THROWS_SAYING(ValueError, "tensordot: ",
                      apply_named("tensordot", {}, random_array({2, 3}), random_array({4, 5})));
  CHECK_THROWS_SAYING(ValueError, "vecdot: ",
                      apply_named("vecdot", {}, random_array({2, 3}), random_array({2, 1})));
  CHECK_THROWS_SAYING(
      ValueError, "matvec: ", apply_named("matvec", {}, random_array({2, 3}), random_array({2})));
}

}  // namespace
}  // namespace tapegrad
