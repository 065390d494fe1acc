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

 private:
  std::vector<Variable> params_;
  std::vector<Value> velocities_;
  std::vector<bool> started_;
  SgdSettings settings_;
};

}  // namespace tapegrad
