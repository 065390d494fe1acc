// The squared distance between a chain's hand and a point, by the angles of its joints.
//
// Each joint turns what comes after it, then moves by (1, 0), so the product of the joints' frames
// moves the hand by (cos, sin) of the sum of all angles so far. Turning joint j turns the vector
// from it to the hand, which is `reach[j]`; a second turn by a joint i <= j turns that once more.

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

struct Vector {
  double x, y;
};

double dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y; }

// From each joint to the hand; the first element is the hand's place.
std::vector<Vector> reaches(std::int64_t joints, const double* angles) {
  std::vector<Vector> reach(joints);
  double angle = 0.0;
  for (std::int64_t k = 0; k < joints; ++k) {
    angle += angles[k];
    reach[k] = {std::cos(angle), std::sin(angle)};
  }
  for (std::int64_t k = joints - 2; k >= 0; --k) {
    reach[k].x += reach[k + 1].x;
    reach[k].y += reach[k + 1].y;
  }
  return reach;
}

}  // namespace

extern "C" void gradient(std::int64_t joints, const double* angles, const double* point,
                         double* slopes) {
  const std::vector<Vector> reach = reaches(joints, angles);
  const Vector miss = {reach[0].x - point[0], reach[0].y - point[1]};
  for (std::int64_t j = 0; j < joints; ++j) {
    slopes[j] = 2.0 * dot(miss, {-reach[j].y, reach[j].x});
  }
}

extern "C" void hessian(std::int64_t joints, const double* angles, const double* point,
                        double* second) {
  const std::vector<Vector> reach = reaches(joints, angles);
  const Vector miss = {reach[0].x - point[0], reach[0].y - point[1]};
  for (std::int64_t j = 0; j < joints; ++j) {
    const double bend = dot(miss, reach[j]);
    for (std::int64_t i = 0; i <= j; ++i) {
      const double element = 2.0 * (dot(reach[i], reach[j]) - bend);
      second[i * joints + j] = second[j * joints + i] = element;
    }
  }
}
