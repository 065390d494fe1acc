// Partial derivatives as recorded: each order against differences of the order below, and the
// special points.
#include "tapegrad/scalar/partial.h"

#include <cmath>
#include <limits>
#include <string>
#include <thread>

#include "check.h"
#include "scalar/dual.h"
#include "tapegrad/kernels/partials/partial_product.h"

using namespace tapegrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
using Point = std::vector<double>;

// Points of the function's domain where it is smooth.
std::vector<Point> smooth_points(const ScalarFnInfo& info) {
  const std::string name = info.name;
  if (name == "arccosh") return {{1.5}, {3.0}};
  if (name == "arcsin" || name == "arccos" || name == "arctanh") return {{0.3}, {-0.6}};
  if (name == "logit") return {{0.3}, {0.8}};
  if (name == "entr" || name == "gammaln" || name == "psi") return {{0.3}, {1.2}, {9.5}};
  if (name == "xlogy" || name == "xlog1py" || name == "rel_entr" || name == "kl_div")
    return {{0.7, 1.9}, {1.3, 0.6}};
  if (name == "erfcx_integral") return {{0, 0.3}, {1, 1.7}, {2, -0.6}, {2, 4.1}};
  if (name == "j_over_power" || name == "i_over_power") return {{0, 0.4}, {1, 3.3}, {2, 7.1}};
  if (name == "huber") return {{0.9, 0.3}, {0.4, 1.1}, {0.4, -2.3}};
  if (name[0] == 'y' || name[0] == 'k') {
    if (info.arity == 1) return {{0.3}, {1.2}, {7.5}};
  }
  if (name == "polygamma") return {{0, 0.4}, {1, 0.9}, {2, 1.7}};
  if (name == "zeta_by_order") return {{0, 2.4, 0.9}, {1, 3.3, 1.4}, {2, 2.2, 2.5}};
  if (name == "kv_by_order") return {{0, 0.4, 0.9}, {1, 0.2, 1.1}, {2, -1.5, 2.3}};
  if (name == "gammainc_by_shape") return {{1, 0.9, 0.4}, {1, 2.3, 4.1}};
  if (name.starts_with("betainc")) return {{0.7, 1.9, 0.2}, {1.3, 1.2, 0.6}};
  if (name.starts_with("log") && info.arity == 1 && !name.starts_with("logical"))
    return {{0.7}, {2.5}};
  if (name == "sqrt" || name == "cbrt") return {{0.7}, {2.5}};
  if (name == "power")
    return {{0.7, 1.6}, {2.5, -1.3}, {1.4, 2}, {1.4, 3}, {1.4, 1}, {1.4, -1}, {1.4, 0}};
  if (name == "ldexp") return {{0.7, 3}, {-1.2, -2}};
  if (name == "with_value") return {{0, 0.4, 0.9}, {0, -0.5, 0.7}};  // else no differences tell
  if (info.arity == 1) return {{0.3}, {-0.8}, {1.2}};
  if (info.arity == 2) return {{0.7, 1.9}, {-1.3, 0.6}, {2.3, -0.45}};
  return {{1, 0.4, 0.9}, {0, 0.4, 0.9}, {0.6, 0.2, 1.1}, {-0.3, 0.1, 0.8}, {2.3, -0.5, 0.7}};
}

// How often it can be differentiated: what is known of derivatives by shapes is NaN beyond.
int orders(const std::string& name) {
  if (name == "gammainc_by_shape") return 2;
  if (name == "betainc_by_a" || name == "betainc_by_b") return 1;
  return name.starts_with("betainc") ? 0 : 3;
}

template <class F>
double differences(F&& f) {  // f'(0), central, of fourth order in the step
  const double h = 1e-3;
  return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
}

template <int n>
void check_order(ScalarFn f, const Point& x, const Point& d) {
  const double expected = differences([&](double t) {
    Point moved = x;
    for (size_t i = 0; i < x.size(); ++i) moved[i] += t * d[i];
    return derivative<n - 1>(f, moved, d);
  });
  const double found = derivative<n>(f, x, d);
  const double tolerance = 1e-8 * std::pow(10, n - 1);
  if (!check::close(found, expected, tolerance))
    check::expect(false, __FILE__, __LINE__,
                  std::string(scalar_fn_info(f).name) + " at " + std::to_string(x[0]) + ", order " +
                      std::to_string(n) + ": " + std::to_string(found) + " for " +
                      std::to_string(expected));
}

template <class F>
double partial(int i, std::initializer_list<double> x) {
  const ScalarFn f = scalar_fn_of<F>();
  std::vector<double> inputs(x);
  inputs.resize(3);
  const double y = eval_scalar(f, inputs[0], inputs[1], inputs[2]);
  inputs.resize(x.size());
  inputs.push_back(y);
  return eval_partial(partial_tape(f, i), inputs.data());
}

template <class F, int n>
double line(std::initializer_list<double> x, std::initializer_list<double> d) {
  return derivative<n>(scalar_fn_of<F>(), std::vector<double>(x), std::vector<double>(d));
}

}  // namespace

TEST(three_orders_against_differences) {
  int checked = 0;
  for (size_t k = 0; k < scalar_fn_count; ++k) {
    const auto f = static_cast<ScalarFn>(k);
    const ScalarFnInfo& info = scalar_fn_info(f);
    const std::string name = info.name;
    if (name == "zmul" || name == "zproduct" || name == "nextafter" || name == "spacing") continue;
    for (const Point& x : smooth_points(info)) {
      std::vector<Point> directions;
      for (int i = 0; i < info.arity; ++i) {
        if (info.data_inputs >> i & 1) continue;
        Point d(x.size(), 0.0);
        d[static_cast<size_t>(i)] = 1;
        directions.push_back(d);
      }
      Point all(x.size());
      for (size_t i = 0; i < all.size(); ++i)
        all[i] = info.data_inputs >> i & 1 ? 0 : (i == 0 ? 0.8 : -0.5);
      directions.push_back(all);
      for (const Point& d : directions) {
        const int most = orders(name);
        if (most >= 1) check_order<1>(f, x, d);
        if (most >= 2) check_order<2>(f, x, d);
        if (most >= 3) check_order<3>(f, x, d);
        ++checked;
      }
    }
  }
  CHECK(checked > 200);
}

TEST(facts_of_partials) {
  CHECK(partial_tape(scalar_fn_of<Add>(), 0).constant == 1.0);
  CHECK(partial_tape(scalar_fn_of<Subtract>(), 1).constant == -1.0);
  CHECK(partial_tape(scalar_fn_of<Floor>(), 0).is_zero);
  CHECK(partial_tape(scalar_fn_of<Tanh>(), 0).reads == PartialTape::reads_output);
  CHECK(partial_tape(scalar_fn_of<Multiply>(), 0).reads == 2);
  CHECK(partial_tape(scalar_fn_of<Divide>(), 1).reads == (PartialTape::reads_output | 2));
  CHECK(partial_tape(scalar_fn_of<Select>(), 1).is_mask);
  CHECK(!partial_tape(scalar_fn_of<Multiply>(), 1).is_mask);
  CHECK(partial_tape(scalar_fn_of<Zmul>(), 1).strong &&
        !partial_tape(scalar_fn_of<Zmul>(), 0).strong);
  CHECK(partial_tape(scalar_fn_of<Zproduct>(), 0).strong &&
        partial_tape(scalar_fn_of<Zproduct>(), 1).strong);
  CHECK(to_string(partial_tape(scalar_fn_of<Tanh>(), 0)) ==
        "t0 = multiply(y, y); t1 = subtract(1, t0); t1");
  CHECK(to_string(partial_tape(scalar_fn_of<Exp>(), 0)) == "y");
  for (size_t k = 0; k < scalar_fn_count; ++k)
    for (int i = 0; i < scalar_fn_info(static_cast<ScalarFn>(k)).arity; ++i) {
      const PartialTape& p = partial_tape(static_cast<ScalarFn>(k), i);
      CHECK(index_of(p.of) == k && p.by == i && p.n_inputs == p.arity() + 1);
      for (uint32_t s = 0; s < p.code.size(); ++s)
        for (size_t a = 0; a < static_cast<size_t>(scalar_fn_info(p.code[s].fn).arity); ++a)
          CHECK(p.code[s].args[a] < p.first_result() + s);
      CHECK(p.result < p.first_result() + p.code.size());
    }
}

TEST(powers_at_zero_and_below) {
  CHECK(partial<Power>(0, {0, 2}) == 0);
  CHECK(partial<Power>(0, {0, 1}) == 1);
  CHECK(partial<Power>(0, {0, 0}) == 0);
  CHECK(partial<Power>(1, {0, 2}) == 0);
  CHECK(std::isnan(partial<Power>(1, {-2, 2})));
  CHECK_CLOSE(partial<Power>(0, {-2, 3}), 12, 1e-14);
  CHECK((line<Power, 2>({0, 2}, {1, 0}) == 2));
  CHECK((line<Power, 3>({0, 3}, {1, 0}) == 6));
  CHECK((line<Power, 3>({0, 2}, {1, 0}) == 0));
  CHECK((line<Power, 2>({0, 1}, {1, 0}) == 0));
  CHECK((line<Square, 2>({0}, {1}) == 2));
  CHECK((line<Sqrt, 1>({0}, {1}) == inf));
}

TEST(second_derivatives_of_a_strong_product) {
  CHECK((line<Zmul, 2>({0, inf}, {0, 1}) == 0));
  CHECK((line<Zmul, 2>({0, 3}, {2, 5}) == 20));
  CHECK((line<Zmul, 1>({0, 3}, {2, 5}) == 6));
  CHECK((line<Zmul, 1>({0, 3}, {0, inf}) == 0));
  CHECK((line<Zmul, 1>({inf, 3}, {0, 0}) == 0));
  CHECK((line<Zproduct, 1>({inf, 3}, {0, 0}) == 0));
  CHECK((line<Zproduct, 1>({0, 3}, {2, 5}) == 6));
  CHECK((line<Zproduct, 2>({0, 0}, {2, 5}) == 20));
}

TEST(ties_and_kinks) {
  CHECK(partial<Maximum>(0, {2, 2}) == 0.5 && partial<Maximum>(1, {2, 2}) == 0.5);
  CHECK(partial<Minimum>(0, {1, 2}) == 1 && partial<Minimum>(1, {1, 2}) == 0);
  CHECK(partial<Fmax>(0, {2, NAN}) == 1 && partial<Fmax>(1, {2, NAN}) == 0);
  CHECK(partial<Fmin>(0, {NAN, 2}) == 0 && partial<Fmin>(1, {NAN, 2}) == 1);
  CHECK(partial<Fmin>(0, {3, 3}) == 0.5);
  CHECK(partial<Absolute>(0, {0}) == 0 && partial<Absolute>(0, {-3}) == -1);
  CHECK(partial<Clip>(0, {1, 0, 1}) == 1 && partial<Clip>(0, {1.5, 0, 1}) == 0);
  CHECK(partial<Clip>(2, {1.5, 0, 1}) == 1 && partial<Clip>(1, {-1, 0, 1}) == 1);
  CHECK(partial<Clip>(1, {0, 0, 1}) == 0 && partial<Clip>(2, {0.5, 3, 1}) == 1 &&
        partial<Clip>(1, {0.5, 3, 1}) == 0);
  CHECK(partial<Hypot>(0, {0, 0}) == 0 && partial<Hypot>(1, {0, 0}) == 0);
  CHECK(partial<Arctan2>(0, {0, 0}) == 0 && partial<Arctan2>(1, {0, 0}) == 0);
  CHECK(partial<Arctan2>(0, {1e200, 1e200}) == 0.5e-200);
  CHECK(partial<Remainder>(1, {7, 2}) == -3 && partial<Remainder>(1, {-7, 2}) == 4);
  CHECK(partial<Remainder>(1, {0.3, 0.1}) == -2);  // 0.3 / 0.1 rounds to 3
  CHECK(partial<Fmod>(1, {-7, 2}) == 3);
  CHECK(partial<Logaddexp>(0, {inf, inf}) == 0.5 && partial<Logaddexp>(1, {-inf, -inf}) == 0.5);
  CHECK(partial<Logaddexp>(0, {inf, 3}) == 1 && partial<Logaddexp>(1, {inf, 3}) == 0);
  CHECK(partial<Logaddexp>(0, {-inf, 3}) == 0 && partial<Logaddexp>(1, {-1000, 3}) == 1);
  CHECK_CLOSE((line<Logaddexp, 2>({4, 4}, {1, 0})), 0.25, 1e-15);
}

TEST(float32_partials_stay_in_float32) {
  const float inputs[] = {0.3F, 1.7F, 0};
  const PartialTape& p = partial_tape(scalar_fn_of<Log2>(), 0);
  CHECK(eval_partial(p, inputs) == static_cast<float>(1 / 0.693147180559945309417) / 0.3F);
}

TEST(partials_are_recorded_once_by_any_thread) {
  std::vector<const PartialTape*> seen(8);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < seen.size(); ++t)
    threads.emplace_back([&seen, t] { seen[t] = &partial_tape(scalar_fn_of<Power>(), 1); });
  for (std::thread& t : threads) t.join();
  for (const PartialTape* p : seen) CHECK(p == seen[0]);
}
