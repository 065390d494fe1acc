// A loop of x = sin(x a + b) / c: the last x, and its slopes by the first x and by a, b and c.

#include <cmath>
#include <cstdint>
#include <vector>

extern "C" void value(std::int64_t turns, double x, double a, double b, double c, double* last) {
  for (std::int64_t k = 0; k < turns; ++k) x = std::sin(x * a + b) / c;
  *last = x;
}

extern "C" void gradient(std::int64_t turns, double x, double a, double b, double c, double* last,
                         double* slopes) {
  struct Turn {
    double before, cosine;
  };
  std::vector<Turn> kept(turns);
  for (Turn& turn : kept) {
    const double inner = x * a + b;
    turn = {x, std::cos(inner)};
    x = std::sin(inner) / c;
  }
  *last = x;

  double by_x = 1.0, by_a = 0.0, by_b = 0.0, by_c = 0.0;
  double after = x;
  for (auto turn = kept.rbegin(); turn != kept.rend(); ++turn) {
    by_c -= by_x * after / c;
    const double by_inner = by_x * turn->cosine / c;
    by_a += by_inner * turn->before;
    by_b += by_inner;
    by_x = by_inner * a;
    after = turn->before;
  }
  slopes[0] = by_x;
  slopes[1] = by_a;
  slopes[2] = by_b;
  slopes[3] = by_c;
}
