// Derivatives of the Riemann zeta function, against mpmath at 40 digits.
#include "tapegrad/kernels/special/zeta_derivatives.h"

#include <cmath>

#include "check.h"

using namespace tapegrad;

namespace {

double at(double n, double s) {
  const double inputs[] = {n, s};
  return riemann_zeta_by(inputs);
}

}  // namespace

TEST(values_and_derivatives_of_zeta) {
  CHECK_CLOSE(at(0, 2), 1.6449340668482264, 1e-15);
  CHECK_CLOSE(at(1, 2), -0.93754825431584375, 1e-15);
  CHECK_CLOSE(at(1, -0.5), -0.36085433959994761, 1e-14);
  CHECK_CLOSE(at(1, 30) / -6.4554895388000303e-10, 1.0, 1e-14);
  CHECK_CLOSE(at(2, 1.0625) / 8191.9901857814662, 1.0, 1e-14);
  CHECK_CLOSE(at(3, 0.25) / -18.966959508518148, 1.0, 1e-13);
  CHECK_CLOSE(at(1, 60) / -6.01209343238152e-19, 1.0, 1e-14);
}

TEST(zeta_at_the_edges) {
  CHECK(at(0, 1) == INFINITY && std::isinf(at(1, 1)));
  CHECK(at(0, 2000) == 1.0 && at(1, 2000) == 0.0 && at(1, INFINITY) == 0.0);
  CHECK(std::isnan(at(1, -1)) && std::isnan(at(1, NAN)) && std::isnan(at(13, 2)));
}
