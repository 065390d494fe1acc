// Fits a line to seventeen points, one point at a time: Variable, grad and SGD from C++. Prints the
// fit, and fails where it is not the known one.

#include <cmath>
#include <cstdio>
#include <iterator>

#include "tapegrad/autodiff/grad.h"
#include "tapegrad/autodiff/sgd.h"

using tapegrad::SGD;
using tapegrad::Variable;

namespace {

const double train_x[] = {3.3,   4.4,   5.5,    6.71,  6.93,  4.168, 9.779, 6.182, 7.59,
                          2.167, 7.042, 10.791, 5.313, 7.997, 5.654, 9.27,  3.1};
const double train_y[] = {1.7,   2.76,  2.09,  3.19, 1.694, 1.573, 3.366, 2.596, 2.53,
                          1.221, 2.827, 3.465, 1.65, 2.904, 2.42,  2.94,  1.3};
constexpr int count = static_cast<int>(std::size(train_x));
constexpr int epochs = 100;

// The cost of one point. It is divided by twice the number of points, as the cost of all of them
// together is.
Variable loss(const Variable& w, const Variable& b, double x, double y) {
  return square(x * w + b - y) / (2.0 * count);
}

double train_error(const Variable& w, const Variable& b) {
  double sum = 0;
  for (int i = 0; i < count; ++i) sum += loss(w, b, train_x[i], train_y[i]).item();
  return sum;
}

bool agrees(const char* name, double found, double expected) {
  const bool ok = std::abs(found - expected) <= 1e-12 * std::abs(expected);
  std::printf("%-16s %.15f%s\n", name, found, ok ? "" : "   differs from what is expected");
  return ok;
}

}  // namespace

int main() {
  const Variable w(1.76405234596766, "w"), b(0.400157208367223, "b");

  // One gradient by hand: d loss / dw = (w x + b - y) x / n.
  const Variable first = loss(w, b, train_x[0], train_y[0]), wrt[] = {w, b};
  const auto gradient = tapegrad::grad({&first, 1}, wrt);
  const double residual = w.item() * train_x[0] + b.item() - train_y[0];
  bool ok = agrees("dloss/dw", gradient[0].item(), residual * train_x[0] / count);
  ok &= agrees("dloss/db", gradient[1].item(), residual / count);

  SGD optimizer({w, b}, 0.01);
  for (int epoch = 0; epoch < epochs; ++epoch)
    for (int i = 0; i < count; ++i) {
      loss(w, b, train_x[i], train_y[i]).backward();
      optimizer.step();
      optimizer.zero_grad();
    }
  ok &= agrees("w", w.item(), 0.324007153370683);
  ok &= agrees("b", b.item(), 0.266140670116339);
  ok &= agrees("train error", train_error(w, b), 0.0946348578670774);
  return ok ? 0 : 1;
}
