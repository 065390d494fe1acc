// Derivatives of hypergeometric functions by all arguments, against mpmath at 40 digits.
#include "tapegrad/kernels/special/hypergeometric_parameters.h"

#include <cmath>
#include <initializer_list>

#include "check.h"

using namespace tapegrad;

namespace {

double at(double (*f)(const double*), std::initializer_list<double> inputs) {
  return f(inputs.begin());
}

}  // namespace

TEST(derivatives_of_the_series) {
  CHECK_CLOSE(at(hyp2f1_by, {1, 0, 1, 0, 0.7, 1.2, 1.9, 0.3}), -0.16694510387722355, 1e-14);
  CHECK_CLOSE(at(hyp2f1_by, {0, 0, 0, 2, 0.7, 1.2, 1.9, -3}), 0.023969238070810055, 1e-14);
  CHECK_CLOSE(at(hyp1f1_by, {0, 2, 0, 0.7, 1.5, -3}), -0.21727871087431655, 1e-13);
  CHECK_CLOSE(at(hyp0f1_by, {1, 0, 1.5, 0.3}), -0.14660611494798715, 1e-14);
}

TEST(what_is_not_known_is_nan) {
  CHECK(std::isnan(at(hyp0f1_by, {1, 0, 1.5, -1000})));       // terms cancel
  CHECK(std::isnan(at(hyp0f1_by, {2, 1, 1.5, 0.3})));         // a third derivative
  CHECK(std::isnan(at(hyp0f1_by, {0.5, 0, 1.5, 0.3})));       // half a derivative
  CHECK(std::isnan(at(hyp1f1_by, {1, 0, 0, 0.7, -2, 0.3})));  // a pole
  CHECK(std::isnan(at(hyp2f1_by, {1, 0, 0, 0, 0.7, 1.2, 1.9, 1})));
  CHECK(std::isnan(at(hyp2f1_by, {1, 0, 0, 0, NAN, 1.2, 1.9, 0.3})));
}
