#pragma once

#include <vector>

#include "tapegrad/autodiff/variable.h"
#include "tapegrad/optim/sgd.h"

namespace tapegrad {

// Descends on the .grad of its parameters, which are leaves and are updated in place. Parameters
// without a gradient stay as they are.
class SGD {
 public:
  explicit SGD(std::vector<Variable> params, SgdSettings settings = {});
  SGD(std::vector<Variable> params, double lr) : SGD(std::move(params), SgdSettings{.lr = lr}) {}

  void step();
  void zero_grad();
  const SgdSettings& settings() const { return settings_; }
  void set_lr(double lr);
  const std::vector<Variable>& params() const { return params_; }
  // What momentum keeps of parameter i; null before its first step.
  const Value* velocity(size_t i) const { return started_[i] ? &velocities_[i] : nullptr; }
  // Goes on where another SGD of such parameters was.
  void set_velocity(size_t i, const Value& velocity);

 private:
  std::vector<Variable> params_;
  std::vector<Value> velocities_;
  std::vector<bool> started_;
  SgdSettings settings_;
};

}  // namespace tapegrad
