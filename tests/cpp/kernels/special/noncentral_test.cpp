// Derivatives of mixtures with Poisson's weights, against sums by mpmath at 40 digits.
#include "tapegrad/kernels/special/noncentral.h"

#include <cmath>

#include "check.h"

using namespace tapegrad;

namespace {

double chi(double n, double v, double nc, double x) {
  const double inputs[] = {n, v, nc, x};
  return chndtr_by_freedom(inputs);
}

double beta(double i, double k, double a, double b, double mean, double x) {
  const double inputs[] = {i, k, a, b, mean, x};
  return beta_mixture_by(inputs);
}

}  // namespace

TEST(noncentral_chi_squared_by_its_freedom) {
  CHECK_CLOSE(chi(1, 2.5, 0.8, 1.7), -0.16900414553037905, 1e-14);
  CHECK_CLOSE(chi(2, 2.5, 0.8, 1.7), 0.047165069977121472, 1e-14);
  CHECK_CLOSE(chi(1, 0.7, 6, 3), -0.082017003714147342, 1e-14);
  CHECK_CLOSE(chi(2, 0.7, 6, 3), 0.012837691415825704, 1e-14);
  CHECK_CLOSE(chi(1, 9, 30, 35), -0.033891824125974076, 1e-14);
  CHECK_CLOSE(chi(2, 9, 30, 35), 0.00081554999288339349, 1e-14);
  CHECK(chi(1, 2, 1, 0) == 0 && chi(1, 2, 1, INFINITY) == 0);
  CHECK(std::isnan(chi(4, 2, 1, 1)) && std::isnan(chi(1, -2, 1, 1)) &&
        std::isnan(chi(1, 2, 1, NAN)));
}

TEST(beta_mixtures_by_their_shapes) {
  CHECK_CLOSE(beta(1, 0, 1.5, 2.5, 0.4, 0.3), -0.25270987370542076, 1e-14);
  CHECK_CLOSE(beta(0, 1, 1.5, 2.5, 0.4, 0.3), 0.1330926179824354, 1e-14);
  CHECK_CLOSE(beta(2, 0, 1.5, 2.5, 0.4, 0.3), 0.14846424304450244, 1e-13);
  CHECK_CLOSE(beta(1, 1, 1.5, 2.5, 0.4, 0.3), -0.03003313177932931, 1e-13);
  CHECK_CLOSE(beta(0, 2, 1.5, 2.5, 0.4, 0.3), -0.013974484421502278, 1e-13);
  CHECK_CLOSE(beta(1, 0, 0.7, 3, 6, 0.8), -0.053993383724689783, 1e-14);
  CHECK_CLOSE(beta(0, 1, 0.7, 3, 6, 0.8), 0.16457261342167849, 1e-14);
  CHECK_CLOSE(beta(1, 0, 1.5, 2.5, 0, 0.3), beta(1, 0, 1.5, 2.5, 1e-300, 0.3), 1e-15);
  CHECK(beta(1, 0, 1, 1, 1, 0) == 0 && beta(0, 1, 1, 1, 1, 1) == 0);
  CHECK(std::isnan(beta(2, 1, 1, 1, 1, 0.5)) && std::isnan(beta(1, 0, 1, 1, 1, 2)));
}
