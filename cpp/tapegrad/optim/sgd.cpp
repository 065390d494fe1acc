#include "tapegrad/optim/sgd.h"

#include <cmath>

#include "tapegrad/base/error.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {

void check_settings(const SgdSettings& s) {
  if (!(s.lr >= 0) || !std::isfinite(s.lr))
    throw_error<ValueError>("SGD: lr must be a finite number of at least 0, got ", s.lr);
  if (!(s.momentum >= 0) || !std::isfinite(s.momentum))
    throw_error<ValueError>("SGD: momentum must be a finite number of at least 0, got ",
                            s.momentum);
  if (!(s.weight_decay >= 0) || !std::isfinite(s.weight_decay))
    throw_error<ValueError>("SGD: weight_decay must be a finite number of at least 0, got ",
                            s.weight_decay);
  if (!std::isfinite(s.dampening))
    throw_error<ValueError>("SGD: dampening must be finite, got ", s.dampening);
  if (s.nesterov && (s.momentum == 0 || s.dampening != 0))
    throw_error<ValueError>("SGD: nesterov needs momentum > 0 and dampening = 0, got momentum=",
                            s.momentum, " and dampening=", s.dampening);
}

namespace {

template <class T>
void update_array(const SgdRule<T>& rule, Value& p, const Value& grad, Value& velocity,
                  bool first) {
  constexpr int64_t grain = 4096;
  T* x = p.data<T>();
  const T* g = grad.data<T>();
  T* v = velocity.is_scalar() ? nullptr : velocity.data<T>();
  parallel_for(p.size(), grain, v ? 0.8 : 0.5, [&](int64_t from, int64_t to) {
    T none{};
    for (int64_t i = from; i < to; ++i) x[i] = rule.descent(x[i], g[i], v ? v[i] : none, first);
  });
}

}  // namespace

void sgd_update(const SgdSettings& settings, Value& p, const Value& grad, Value& velocity,
                bool first) {
  if (p.is_scalar()) {
    if (p.dtype() == DType::float32) {
      const SgdRule<float> rule(settings);
      float v = static_cast<float>(velocity.as_double());
      p.set_scalar(rule.descent(static_cast<float>(p.as_double()),
                                static_cast<float>(grad.as_double()), v, first));
      velocity = Value::scalar(v, DType::float32);
    } else {
      const SgdRule<double> rule(settings);
      double v = velocity.as_double();
      p.set_scalar(rule.descent(p.as_double(), grad.as_double(), v, first));
      velocity = Value(v);
    }
    return;
  }
  if (settings.momentum != 0 && velocity.is_scalar()) velocity = Value::zeros(p.dtype(), p.shape());
  const Value g = grad.contiguous();
  if (p.dtype() == DType::float32) {
    update_array(SgdRule<float>(settings), p, g, velocity, first);
  } else {
    update_array(SgdRule<double>(settings), p, g, velocity, first);
  }
}

}  // namespace tapegrad
