// Bundle adjustment: residuals, and every block of their Jacobian.
//
// With R the rotation of a camera and t = R (point - centre), an observation's two residuals are
// weight (focal s (t0, t1) / t2 + principal - feature), where s = 1 + k1 r + k2 r^2 and r is the
// square of (t0, t1) / t2. An observation's blocks follow from A, the 2x3 matrix of the slopes by
// t: A dR/drotation (point - centre), -A R for the centre, A R for the point.
//
// A camera is a rotation (axis times angle), a centre, a focal length, a principal point and two
// coefficients of radial distortion: 11 numbers. It is seen by many observations, so its rotation
// matrix and that matrix's derivatives are computed once.

#include <cmath>
#include <cstdint>
#include <vector>

namespace {

struct Matrix {
  double at[3][3];
};

struct Rotation {
  Matrix matrix, by[3];  // `by`: derivatives by the three components of the rotation
};

struct Observation {
  double turned[3];      // t
  double flat[2];        // (t0, t1) / t2
  double square;         // r
  double distortion;     // s
  double difference[2];  // the residuals without the weight
};

// The matrix of the cross product with v.
Matrix cross(const double* v) {
  return {{{0.0, -v[2], v[1]}, {v[2], 0.0, -v[0]}, {-v[1], v[0], 0.0}}};
}

// Rodrigues' formula, of the angle |v| and the axis a = v / |v|:
//   R = cos I + sin [a] + (1 - cos) a a^T.
// By component k of v, which changes the angle by a_k and the axis by c = (e_k - a_k a) / |v|:
//   dR = a_k (-sin I + cos [a] + sin a a^T) + sin [c] + (1 - cos) (c a^T + a c^T).
Rotation rotation_of(const double* v) {
  const double angle = std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  const double c = std::cos(angle), s = std::sin(angle);
  const double axis[3] = {v[0] / angle, v[1] / angle, v[2] / angle};
  const Matrix turn = cross(axis);
  Rotation result;
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 3; ++j) {
      result.matrix.at[i][j] = c * (i == j) + s * turn.at[i][j] + (1.0 - c) * axis[i] * axis[j];
    }
  }
  for (int k = 0; k < 3; ++k) {
    double change[3];  // of the axis
    for (int i = 0; i < 3; ++i) change[i] = ((i == k) - axis[i] * axis[k]) / angle;
    const Matrix change_of_turn = cross(change);
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        result.by[k].at[i][j] =
            axis[k] * (-s * (i == j) + c * turn.at[i][j] + s * axis[i] * axis[j]) +
            s * change_of_turn.at[i][j] + (1.0 - c) * (change[i] * axis[j] + axis[i] * change[j]);
      }
    }
  }
  return result;
}

void multiply(const Matrix& matrix, const double* v, double* result) {
  for (int i = 0; i < 3; ++i) {
    result[i] = matrix.at[i][0] * v[0] + matrix.at[i][1] * v[1] + matrix.at[i][2] * v[2];
  }
}

Observation observe(const double* camera, const Matrix& rotation, const double* offset,
                    const double* feature) {
  Observation seen;
  multiply(rotation, offset, seen.turned);
  for (int i = 0; i < 2; ++i) seen.flat[i] = seen.turned[i] / seen.turned[2];
  seen.square = seen.flat[0] * seen.flat[0] + seen.flat[1] * seen.flat[1];
  seen.distortion = 1.0 + seen.square * (camera[9] + camera[10] * seen.square);
  for (int i = 0; i < 2; ++i) {
    seen.difference[i] = seen.flat[i] * seen.distortion * camera[6] + camera[7 + i] - feature[i];
  }
  return seen;
}

std::vector<Rotation> rotations_of(std::int64_t count, const double* cameras) {
  std::vector<Rotation> rotations(count);
  for (std::int64_t i = 0; i < count; ++i) rotations[i] = rotation_of(cameras + 11 * i);
  return rotations;
}

}  // namespace

extern "C" void value(std::int64_t cameras, std::int64_t observations, const double* camera,
                      const double* point, const double* weight, const std::int64_t* by_camera,
                      const std::int64_t* by_point, const double* feature, double* residuals,
                      double* of_weights) {
  const std::vector<Rotation> rotations = rotations_of(cameras, camera);
  for (std::int64_t n = 0; n < observations; ++n) {
    const double* from = camera + 11 * by_camera[n];
    const double* to = point + 3 * by_point[n];
    const double offset[3] = {to[0] - from[3], to[1] - from[4], to[2] - from[5]};
    const Observation seen = observe(from, rotations[by_camera[n]].matrix, offset, feature + 2 * n);
    for (int i = 0; i < 2; ++i) residuals[2 * n + i] = weight[n] * seen.difference[i];
    of_weights[n] = 1.0 - weight[n] * weight[n];
  }
}

// Blocks by observation: (2, 11) for the camera, (2, 3) for the point and (2) for the weight; then
// the slope of what the weight itself adds.
extern "C" void jacobian(std::int64_t cameras, std::int64_t observations, const double* camera,
                         const double* point, const double* weight, const std::int64_t* by_camera,
                         const std::int64_t* by_point, const double* feature, double* by_cameras,
                         double* by_points, double* by_weights, double* of_weights) {
  const std::vector<Rotation> rotations = rotations_of(cameras, camera);
  for (std::int64_t n = 0; n < observations; ++n) {
    const double* from = camera + 11 * by_camera[n];
    const double* to = point + 3 * by_point[n];
    const Rotation& rotation = rotations[by_camera[n]];
    const double offset[3] = {to[0] - from[3], to[1] - from[4], to[2] - from[5]};
    const Observation seen = observe(from, rotation.matrix, offset, feature + 2 * n);
    double by_rotation[3][3];  // of t, a row for each component of the rotation
    for (int k = 0; k < 3; ++k) multiply(rotation.by[k], offset, by_rotation[k]);

    const double scale = weight[n] * from[6];
    const double slope = 2.0 * (from[9] + 2.0 * from[10] * seen.square);  // of s, over flat
    for (int i = 0; i < 2; ++i) {
      double by_flat[2], by_turned[3];
      for (int j = 0; j < 2; ++j) {
        by_flat[j] = scale * (slope * seen.flat[i] * seen.flat[j] + seen.distortion * (i == j));
        by_turned[j] = by_flat[j] / seen.turned[2];
      }
      by_turned[2] = -(by_turned[0] * seen.flat[0] + by_turned[1] * seen.flat[1]);

      double* row = by_cameras + 22 * n + 11 * i;
      double* point_row = by_points + 6 * n + 3 * i;
      for (int k = 0; k < 3; ++k) {
        double by_offset = 0.0, by_angle = 0.0;
        for (int j = 0; j < 3; ++j) {
          by_offset += by_turned[j] * rotation.matrix.at[j][k];
          by_angle += by_turned[j] * by_rotation[k][j];
        }
        row[k] = by_angle;
        row[3 + k] = -by_offset;
        point_row[k] = by_offset;
      }
      row[6] = weight[n] * seen.distortion * seen.flat[i];
      row[7] = weight[n] * (i == 0);
      row[8] = weight[n] * (i == 1);
      row[9] = scale * seen.flat[i] * seen.square;
      row[10] = row[9] * seen.square;
      by_weights[2 * n + i] = seen.difference[i];
    }
    of_weights[n] = -2.0 * weight[n];
  }
}
