#include "tapegrad/ops/linalg/linalg.h"

#include "check.h"
#include "kernels/array_cases.h"
#include "tapegrad/ops/registry.h"

namespace tapegrad {
namespace {

Value run(const char* name, Attrs attrs, const std::vector<Value>& in) {
  register_all_ops();
  return apply(*find_op(name), attrs, std::vector<Ref>(in.begin(), in.end()))[0].value();
}

Value from(std::initializer_list<double> items, const Dims& shape) {
  return Value::from(std::vector<double>(items), shape);
}

const Value& small() {
  static const Value a = from({4, 1, 2, 3}, {2, 2});
  return a;
}

TEST(right_hand_sides_by_numpys_rule) {
  const Value stack = Value::zeros(DType::float64, Dims{3, 2, 2});
  copy_into(stack, small());
  CHECK(run("solve", {}, {small(), cases::random_array({2})}).shape() == Dims{2});
  CHECK(run("solve", {}, {small(), cases::random_array({2, 5})}).shape() == (Dims{2, 5}));
  CHECK(run("solve", {}, {stack, cases::random_array({2})}).shape() == (Dims{3, 2}));
  CHECK(run("solve", {}, {small(), cases::random_array({4, 2, 1})}).shape() == (Dims{4, 2, 1}));
  CHECK(run("solve", {}, {small(), cases::random_array({2, 0})}).shape() == (Dims{2, 0}));
  CHECK(run("solve", {}, {cases::random_array({0, 0}), cases::random_array({0})}).shape() ==
        Dims{0});
  CHECK_THROWS_SAYING(ValueError, "b[..., None]",
                      run("solve", {}, {stack, cases::random_array({3, 2})}));
  CHECK_THROWS_SAYING(ValueError, "right-hand side 3",
                      run("solve", {}, {small(), cases::random_array({3})}));
  const Value x = run("solve", {}, {small(), from({7, 10}, {2})});
  CHECK_CLOSE(x.at(0), 1.1, 1e-15);
  CHECK_CLOSE(x.at(1), 2.6, 1e-15);
  const Value backwards =
      run("solve", {}, {small(), from({10, 7}, {2}).view(Dims{2}, Dims{-1}, 1)});
  CHECK(same_bits(x, backwards));
}

TEST(integers_become_float64) {
  const int64_t items[] = {2, 0, 0, 4};
  const Value a = Value::from_int64(items, Dims{2, 2});
  CHECK(run("inv", {}, {a}).dtype() == DType::float64);
  CHECK(run("inv", {}, {a}).at(3) == 0.25);
  CHECK(run("det", {}, {a}).as_double() == 8);
  CHECK(run("inv", {}, {a.cast(DType::float32)}).dtype() == DType::float32);
}

TEST(errors_name_the_function_the_place_and_a_remedy) {
  for (const char* name : {"inv", "det", "slogdet", "cholesky"}) {
    CHECK_THROWS_SAYING(LinAlgError, name, run(name, {}, {cases::random_array({2, 3})}));
    CHECK_THROWS_SAYING(LinAlgError, "two dimensions", run(name, {}, {cases::random_array({3})}));
    CHECK_THROWS_SAYING(LinAlgError, "two dimensions", run(name, {}, {Value(1.0)}));
  }
  Value stack = Value::zeros(DType::float64, Dims{2, 2, 2, 2});
  copy_into(stack, small());
  stack.set_at(12, 8);
  stack.set_at(13, 2);
  stack.set_at(14, 4);
  stack.set_at(15, 1);
  CHECK_THROWS_SAYING(LinAlgError, "Singular matrix at position 3 of the stack of shape (2, 2)",
                      run("inv", {}, {stack}));
  CHECK_THROWS_SAYING(LinAlgError, "solve: Singular matrix",
                      run("solve", {}, {stack, from({1, 2}, {2})}));
  CHECK_THROWS_SAYING(LinAlgError, "not positive definite",
                      run("cholesky", {}, {from({-1, 0, 0, 1}, {2, 2})}));
  CHECK_THROWS_SAYING(LinAlgError, "solve_triangular: Singular",
                      run("solve_triangular", {true, false, false},
                          {from({0, 0, 0, 1}, {2, 2}), from({1, 2}, {2})}));
}

TEST(cholesky_upper_reads_the_upper_triangle) {
  const Value u = run("cholesky", {true}, {from({4, 2, 99, 5}, {2, 2})});
  CHECK(u.at(0) == 2 && u.at(1) == 1 && u.at(2) == 0 && u.at(3) == 2);
  const Value l = run("cholesky", {}, {from({4, 99, 2, 5}, {2, 2})});
  CHECK(l.at(0) == 2 && l.at(1) == 0 && l.at(2) == 1 && l.at(3) == 2);
}

// adj(A)(j, i) is (-1)^(i + j) times the minor without row i and column j.
void check_adjugate(const Value& a) {
  register_all_ops();
  const int64_t n = a.dim(a.ndim() - 1), count = a.size() / (n * n);
  const Value got = adjugate(Ref(a), det(Ref(a))).value();
  CHECK(got.shape() == a.shape());
  double worst = 0;
  for (int64_t s = 0; s < count; ++s) {
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        Value minor = Value::empty(DType::float64, Dims{n - 1, n - 1});
        for (int64_t k = 0; k < minor.size(); ++k) {
          const int64_t r = k / (n - 1), c = k % (n - 1);
          minor.set_at(k, a.at((s * n + r + (r >= i)) * n + c + (c >= j)));
        }
        const double wanted = run("det", {}, {minor}).as_double() * ((i + j) % 2 ? -1 : 1);
        worst = std::max(worst, std::abs(got.at((s * n + j) * n + i) - wanted));
      }
    }
  }
  CHECK(worst < 1e-13);
}

TEST(adjugates_of_matrices_of_every_rank) {
  check_adjugate(small());
  check_adjugate(from({0}, {1, 1}));
  check_adjugate(from({0, 1, 0, 1}, {2, 2}));
  check_adjugate(from({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3}));
  check_adjugate(from({1, 2, 3, 2, 4, 6, 3, 6, 9}, {3, 3}));
  check_adjugate(from({1, 0, 0, 0, 1e-6, 0, 0, 0, 2}, {3, 3}));
  check_adjugate(Value::zeros(DType::float64, Dims{4, 4}));
  const Value random = cases::random_array({4, 4, 4});
  Value stack = random;  // ranks 4, 3, 2 and 0
  for (int64_t i = 0; i < 4; ++i) {
    stack.set_at(16 + i, 0);
    stack.set_at(32 + i, stack.at(36 + i) - stack.at(40 + i));
    stack.set_at(44 + i, 2 * stack.at(40 + i));
  }
  for (int64_t i = 48; i < 64; ++i) stack.set_at(i, 0);
  check_adjugate(stack);
}

TEST(slogdet_has_two_outputs) {
  register_all_ops();
  const std::vector<Ref> out =
      apply(*find_op("slogdet"), {}, std::vector<Ref>{Ref(from({0, 2, 3, 0}, {2, 2}))});
  CHECK(out.size() == 2 && out[0].value().as_double() == -1);
  CHECK_CLOSE(out[1].value().as_double(), std::log(6.0), 1e-15);
}

constexpr double inf = INFINITY;

TEST(vector_norms) {
  const Value x = from({3, -4, 0, 1}, {4});
  const auto norm = [&](Attr ord) { return run("norm", {ord}, {x}).as_double(); };
  CHECK_CLOSE(norm({}), std::sqrt(26.0), 1e-15);
  CHECK_CLOSE(norm(int64_t{2}), std::sqrt(26.0), 1e-15);
  CHECK(norm(int64_t{1}) == 8 && norm(inf) == 4 && norm(-inf) == 0 && norm(int64_t{0}) == 3);
  CHECK_CLOSE(norm(3.0), std::cbrt(92.0), 1e-15);
  CHECK_CLOSE(norm(0.5), std::pow(3 + std::sqrt(3.0), 2), 1e-14);
  CHECK(norm(-1.0) == 0);
  CHECK(run("norm", {3.0}, {Value::zeros(DType::float64, Dims{3})}).as_double() == 0);
  CHECK(run("norm", {inf}, {Value::empty(DType::float64, Dims{0})}).as_double() == 0);
  CHECK(run("norm", {}, {Value(-5.0)}).as_double() == 5);
  CHECK(run("norm", {Attr{}, int64_t{-1}, true}, {cases::random_array({2, 3})}).shape() ==
        (Dims{2, 1}));
  CHECK(run("norm", {1.0, int64_t{0}}, {cases::random_array({2, 3}, DType::float32)}).dtype() ==
        DType::float32);
  CHECK(
      run("norm", {Attr{}, std::vector<int64_t>{0, 2}}, {cases::random_array({2, 3, 4})}).shape() ==
      Dims{3});
}

TEST(matrix_norms) {
  const Value x = from({1, -2, 3, 4, 5, -7}, {2, 3});
  const auto norm = [&](Attr ord) { return run("norm", {ord}, {x}).as_double(); };
  CHECK_CLOSE(norm("fro"), std::sqrt(104.0), 1e-15);
  CHECK(norm(int64_t{1}) == 10 && norm(int64_t{-1}) == 5 && norm(inf) == 16 && norm(-inf) == 6);
  CHECK(run("norm", {1.0, std::vector<int64_t>{2, 0}, true}, {cases::random_array({2, 3, 4})})
            .shape() == (Dims{1, 3, 1}));
  const double largest = norm(int64_t{2}), smallest = norm(int64_t{-2});
  CHECK_CLOSE(norm("nuc"), largest + smallest, 1e-14);
  CHECK_CLOSE(norm("fro"), std::hypot(largest, smallest), 1e-14);
  CHECK_THROWS_SAYING(ValueError, "Invalid norm order", norm(int64_t{3}));
  CHECK_THROWS_SAYING(ValueError, "Improper number of dimensions",
                      run("norm", {1.0}, {cases::random_array({2, 2, 2})}));
  CHECK_THROWS_SAYING(ValueError, "Duplicate axes",
                      run("norm", {Attr{}, std::vector<int64_t>{0, 0}}, {x}));
  CHECK_THROWS_SAYING(ValueError, "'fro' for vectors", run("norm", {"fro", int64_t{0}}, {x}));
}

}  // namespace
}  // namespace tapegrad
