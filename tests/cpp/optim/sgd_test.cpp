#include "tapegrad/optim/sgd.h"

#include <cmath>

#include "check.h"
#include "tapegrad/base/error.h"
#include "tapegrad/parallel/parallel.h"

using namespace tapegrad;

namespace {

// The rule, spelled out in plain numbers.
struct Reference {
  double p, v = 0;
  bool first = true;
  void step(const SgdSettings& s, double grad) {
    const double g = grad + s.weight_decay * p;
    if (s.momentum == 0) {
      p -= s.lr * g;
      return;
    }
    v = first ? g : s.momentum * v + (1 - s.dampening) * g;
    first = false;
    p -= s.lr * (s.nesterov ? g + s.momentum * v : v);
  }
};

double gradient(int step, int64_t i) {
  return std::sin(static_cast<double>(step + 1) * static_cast<double>(i + 1));
}

}  // namespace

TEST(every_setting_on_numbers_and_arrays) {
  const SgdSettings all[] = {{.lr = 0.1},
                             {.lr = 0.1, .weight_decay = 0.2},
                             {.lr = 0.1, .momentum = 0.9},
                             {.lr = 0.1, .momentum = 0.9, .dampening = 0.3},
                             {.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.1}};
  for (const SgdSettings& s : all)
    for (DType d : {DType::float64, DType::float32})
      for (int64_t n : {int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{20000}}) {
        Value p = n < 0 ? Value::scalar(1, d) : Value::full(d, Dims{n}, 1.0), velocity;
        const int64_t count = n < 0 ? 1 : n;
        std::vector<Reference> expected(static_cast<size_t>(count), Reference{1.0});
        for (int step = 0; step < 4; ++step) {
          Value g = n < 0 ? Value::scalar(gradient(step, 0), d) : Value::zeros(d, Dims{n});
          for (int64_t i = 0; i < count; ++i) {
            g.set_at(i, gradient(step, i));
            expected[static_cast<size_t>(i)].step(s, gradient(step, i));
          }
          sgd_update(s, p, g, velocity, step == 0);
        }
        CHECK(p.dtype() == d);
        for (int64_t i = 0; i < count; i += 997)
          CHECK_CLOSE(p.at(i), expected[static_cast<size_t>(i)].p,
                      d == DType::float64 ? 1e-14 : 2e-6);
      }
}

TEST(strided_gradients) {
  const Value g = Value::from(std::vector<double>{1, 2, 3, 4}, Dims{2, 2});
  Value p = Value::zeros(DType::float64, Dims{2, 2}), velocity;
  sgd_update({.lr = 1}, p, g.view(Dims{2, 2}, Dims{1, 2}, 0), velocity, true);
  CHECK(p.at(1) == -3 && p.at(2) == -2);
  sgd_update({.lr = 1, .momentum = 0.5}, p,
             Value::full(DType::float64, Dims{1}, 1.0).view(Dims{2, 2}, Dims{0, 0}, 0), velocity,
             true);
  CHECK(p.at(3) == -5 && velocity.at(3) == 1);
}

TEST(any_number_of_threads_gives_the_same_bits) {
  Value first;
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    set_work_threshold_ns(0);
    Value p = Value::full(DType::float64, Dims{30011}, 0.3), g = p.copy(), velocity;
    const int64_t regions = parallel_regions_run();
    for (int step = 0; step < 3; ++step)
      sgd_update({.lr = 0.1, .momentum = 0.9}, p, g, velocity, step == 0);
    CHECK((parallel_regions_run() > regions) == (threads > 1));
    if (threads == 1) first = p;
    CHECK(same_bits(p, first));
  }
  set_num_threads(0);
  set_work_threshold_ns(20000);
}

TEST(settings_out_of_range_raise) {
  const double nan = std::nan("");
  for (const SgdSettings& s : {SgdSettings{.lr = -0.1}, SgdSettings{.lr = nan},
                               SgdSettings{.momentum = -1}, SgdSettings{.weight_decay = nan},
                               SgdSettings{.dampening = nan}, SgdSettings{.nesterov = true},
                               SgdSettings{.momentum = 0.9, .dampening = 0.1, .nesterov = true}})
    CHECK_THROWS_SAYING(ValueError, "SGD", check_settings(s));
  check_settings({.lr = 0, .momentum = 0.9, .nesterov = true});
}
