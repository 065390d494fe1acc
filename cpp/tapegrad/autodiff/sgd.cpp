#include "tapegrad/autodiff/sgd.h"

#include "tapegrad/base/error.h"

namespace tapegrad {

SGD::SGD(std::vector<Variable> params, SgdSettings settings)
    : params_(std::move(params)), settings_(settings) {
  check_settings(settings);
  if (params_.empty())
    throw_error<ValueError>("SGD: got no parameters; give it a list of Variables");
  for (size_t i = 0; i < params_.size(); ++i) {
    if (!params_[i].cell().is_leaf() || params_[i].cell().is_view())
      throw_error<ValueError>(
          "SGD: parameter ", i, " of shape ", params_[i].cell().type().shape,
          " is the result of recorded operations; optimise leaves, made by Variable(value)");
    for (size_t j = 0; j < i; ++j)
      if (&params_[i].cell() == &params_[j].cell())
        throw_error<ValueError>("SGD: parameters ", j, " and ", i,
                                " are the same Variable; list it once");
  }
  velocities_.resize(params_.size());
  started_.resize(params_.size(), false);
}

void SGD::step() {
  for (const Variable& p : params_) {  // every complaint comes before anything is changed
    Cell& cell = p.cell();
    if (!cell.is_leaf()) cell.leaf_value_for_update();
    if (cell.has_grad() && cell.grad().shape() != cell.type().shape)
      throw_error<ValueError>(
          "SGD: a parameter of shape ", cell.type().shape, " has a gradient of shape ",
          cell.grad().shape(),
          "; it was given a value of another shape: call zero_grad() after that");
  }
  for (size_t i = 0; i < params_.size(); ++i) {
    Cell& cell = params_[i].cell();
    if (!cell.has_grad()) continue;
    const Value g = cell.grad();
    sgd_update(settings_, cell.leaf_value_for_update(), g, velocities_[i], !started_[i]);
    started_[i] = true;
  }
}

void SGD::set_velocity(size_t i, const Value& velocity) {
  const TensorType type = params_.at(i).cell().type();
  started_[i] = true;
  if (settings_.momentum == 0) return;
  if (velocity.shape() != type.shape)
    throw_error<ValueError>("SGD: the velocity of a parameter of shape ", type.shape,
                            " has that shape, got ", velocity.shape());
  velocities_[i] = velocity.cast(type.dtype).contiguous().copy();
}

void SGD::zero_grad() {
  for (const Variable& p : params_) p.cell().clear_grad();
}

void SGD::set_lr(double lr) {
  SgdSettings s = settings_;
  s.lr = lr;
  check_settings(s);
  settings_ = s;
}

}  // namespace tapegrad
