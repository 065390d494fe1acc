// SGD on the line w x + b, a point a step: the loss of a point is (x w + b - y)^2 / divisor.

#include <cstdint>

extern "C" void fit(std::int64_t epochs, std::int64_t points, const double* x, const double* y,
                    double rate, double divisor, double w, double b, double* fitted) {
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    for (std::int64_t i = 0; i < points; ++i) {
      const double slope = 2.0 * (x[i] * w + b - y[i]) / divisor;
      w -= rate * (slope * x[i]);
      b -= rate * slope;
    }
  }
  fitted[0] = w;
  fitted[1] = b;
}
