// Derivatives of Bessel functions by the order, against mpmath at 40 digits.
#include "tapegrad/kernels/special/bessel_order.h"

#include <cmath>

#include "check.h"

using namespace tapegrad;

namespace {

double at(double (*f)(const double*), double n, double v, double x) {
  const double inputs[] = {n, v, x};
  return f(inputs);
}

double slope(double v, double x) {
  const double inputs[] = {v, x};
  return jv_slope(inputs);
}

}  // namespace

TEST(series_integrals_and_asymptotic_series_of_j) {
  CHECK_CLOSE(at(jv_by_order, 0, 1.5, 3), 0.47771821508709177, 1e-14);
  CHECK_CLOSE(at(jv_by_order, 1, 1.5, 3), 0.13478594721914727, 1e-14);
  CHECK_CLOSE(at(jv_by_order, 2, 0.3, 9), -0.10238944727074882, 1e-13);
  CHECK_CLOSE(at(jv_by_order, 1, 2, 60), -0.068078524883715362, 1e-13);
  CHECK_CLOSE(at(jv_by_order, 1, -0.4, 2), 0.9596638280674922, 1e-14);
}

TEST(y_and_i) {
  CHECK_CLOSE(at(yv_by_order, 1, 1.5, 3), -0.51024276290181735, 1e-13);
  CHECK_CLOSE(at(yv_by_order, 2, 0.3, 60), -0.20614137955726602, 1e-13);
  CHECK_CLOSE(at(iv_by_order, 1, 1.5, 3), -1.7628840467411935, 1e-13);
  CHECK_CLOSE(at(iv_by_order, 2, 0.3, 60) / 9.8842488415123806e+22, -1.0, 1e-12);
  CHECK_CLOSE(at(iv_by_order, 1, -1.3, 4), 3.2758227038417103, 1e-13);
  CHECK_CLOSE(at(ive_by_order, 1, 0.3, 60), -0.00026005024037139316, 1e-15);
  CHECK_CLOSE(at(iv_by_order, 1, 0, 29), -5.89495072879256e-14, 1e-26);
}

TEST(slopes_of_j) {
  CHECK_CLOSE(slope(1.5, 3), -0.17385092466617011, 1e-14);
  CHECK_CLOSE(slope(1.5, 8), 0.26485567054379699, 1e-14);
  CHECK_CLOSE(slope(1.5, 40), 0.090757636899428562, 1e-14);
  CHECK_CLOSE(slope(120, 150), 0.026899243780049527, 1e-13);
  CHECK_CLOSE(slope(-2, 3), 0.014998118135342408, 1e-14);
  CHECK_CLOSE(slope(-0.5, 3), 0.010999953921729752, 1e-14);
  CHECK_CLOSE(slope(2, -3), -slope(2, 3), 0);
  CHECK(slope(1, 0) == 0.5 && slope(0, 0) == 0 && slope(3, 0) == 0);
}

TEST(large_orders) {
  CHECK_CLOSE(slope(99, 90) / 0.0020246798100600639, 1.0, 1e-12);
  CHECK_CLOSE(slope(140, 93.8) / 4.6269980702549726e-15, 1.0, 1e-11);
  CHECK_CLOSE(slope(2000, 2100) / -0.0080556409823312, 1.0, 1e-11);
  CHECK_CLOSE(at(jv_by_order, 0, 1000, 900) / 5.0841100850413e-16, 1.0, 1e-11);
}

TEST(what_has_no_derivative_is_nan) {
  CHECK(std::isnan(slope(0.5, -1)) && std::isnan(slope(NAN, 1)) && std::isnan(slope(0.5, NAN)));
  for (const auto f : {jv_by_order, yv_by_order, iv_by_order, ive_by_order}) {
    CHECK(std::isnan(at(f, 1, 0.5, -1)) && std::isnan(at(f, 1, NAN, 1)));
    CHECK(std::isnan(at(f, 1, -3000.5, 1)) || f == yv_by_order);
    CHECK(std::isnan(at(f, 4, 0.5, 1)) && std::isnan(at(f, 0.5, 0.5, 1)));
    CHECK(std::isnan(at(f, 1, 0.5, INFINITY)) && std::isnan(at(f, 1, 0.5, NAN)));
  }
}
