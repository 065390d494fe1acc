#pragma once

#include "tapegrad/base/value.h"

namespace tapegrad {

// This is stochastic gradient descent with (Nesterov) momentum and L2 weight decay, as in Sutskever
// et al., "On the importance of initialization and momentum in deep learning" (ICML 2013), in the
// formulation without the rate inside the velocity:
//   g = grad + weight_decay * p;  v = momentum * v + (1 - dampening) * g (v = g at the first step);
//   p -= lr * (nesterov ? g + momentum * v : v).
struct SgdSettings {
  double lr = 0.01;
  double momentum = 0;
  double dampening = 0;
  bool nesterov = false;
  double weight_decay = 0;
};

// Throws ValueError where a setting is out of range.
void check_settings(const SgdSettings& settings);

// The rule for one number, over any number type; `first` says that there is no velocity yet.
template <class T>
struct SgdRule {
  T lr, momentum, kept, weight_decay;
  bool nesterov;
  explicit SgdRule(const SgdSettings& s)
      : lr(static_cast<T>(s.lr)),
        momentum(static_cast<T>(s.momentum)),
        kept(static_cast<T>(1 - s.dampening)),
        weight_decay(static_cast<T>(s.weight_decay)),
        nesterov(s.nesterov) {}

  template <class Num>
  Num descent(Num p, Num grad, Num& velocity, bool first) const {
    Num g = weight_decay == 0 ? grad : grad + weight_decay * p;
    if (momentum == 0) return p - lr * g;
    velocity = first ? g : momentum * velocity + kept * g;
    return p - lr * (nesterov ? g + momentum * velocity : velocity);
  }
};

// Updates p (owned, contiguous) in place. `velocity` is made at the first step where momentum asks
// for it.
void sgd_update(const SgdSettings& settings, Value& p, const Value& grad, Value& velocity,
                bool first);

}  // namespace tapegrad
