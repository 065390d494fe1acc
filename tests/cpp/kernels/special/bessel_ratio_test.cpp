// Ratios of modified Bessel functions, against mpmath at 40 digits.
#include "tapegrad/kernels/special/bessel_ratio.h"

#include <cmath>

#include "check.h"

using namespace tapegrad;

namespace {

double at(double v, double x) {
  const double inputs[] = {v, x};
  return iv_ratio(inputs);
}

}  // namespace

TEST(fractions_and_asymptotic_series) {
  CHECK_CLOSE(at(0, 0.5) / 0.24249961258080195, 1.0, 4e-15);
  CHECK_CLOSE(at(0.5, 3) / 0.67163648998035584, 1.0, 4e-15);
  CHECK_CLOSE(at(2.5, 39) / 0.9250997758460445, 1.0, 4e-15);
  CHECK_CLOSE(at(2.5, 41) / 0.92865736472867611, 1.0, 4e-15);
  CHECK_CLOSE(at(20, 41) / 0.61497655661740781, 1.0, 4e-15);
  CHECK_CLOSE(at(0, 600) / 0.99916631886422845, 1.0, 4e-15);
  CHECK_CLOSE(at(80.5, 7) / 0.04286682460372864, 1.0, 4e-15);
  CHECK_CLOSE(at(1, 1e-6) / 2.4999999999998958e-7, 1.0, 4e-15);
}

TEST(ratios_at_the_edges) {
  CHECK_CLOSE(at(0, 1e-200) / 5e-201, 1.0, 1e-15);
  CHECK_CLOSE(at(1e30, 1) / 5e-31, 1.0, 1e-15);
  CHECK(at(3, INFINITY) == 1);
  CHECK(std::isnan(at(-0.5, 1)) && std::isnan(at(1, 0)) && std::isnan(at(1, -1)));
  CHECK(std::isnan(at(NAN, 1)) && std::isnan(at(1, NAN)) && std::isnan(at(INFINITY, 1)));
}
