#include "tapegrad/autodiff/sgd.h"

#include "check.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;

TEST(steps_are_made_in_place) {
  Variable w(Value::full(DType::float64, Dims{1000}, 1.0)), untouched(3.0);
  SGD optimizer({w, untouched}, 0.25);
  sum(square(w)).backward();
  const void* const buffer = w.cell().value().raw();
  const uint64_t version = w.cell().version();
  optimizer.step();
  CHECK(w.cell().value().raw() == buffer && w.cell().version() > version);
  CHECK(w.value().at(999) == 0.5 && untouched.item() == 3);
  optimizer.zero_grad();
  CHECK(!w.has_grad());
  optimizer.step();
  CHECK(w.value().at(0) == 0.5);
}

TEST(a_recording_keeps_the_value_from_before_the_step) {
  Variable w(Value::full(DType::float64, Dims{10}, 1.0));
  SGD optimizer({w}, 0.5);
  const Variable loss = sum(square(w)), snapshot(w.value());
  loss.backward();
  const Value held = w.value();
  optimizer.step();
  CHECK(held.at(0) == 1 && w.value().at(0) == 0);
  optimizer.zero_grad();
  loss.backward();
  CHECK(w.grad().at(0) == 2);  // at the value that the loss was computed from
}

TEST(momentum_goes_on_from_step_to_step) {
  Variable w(1.0);
  SGD optimizer({w}, SgdSettings{.lr = 0.1, .momentum = 0.5});
  for (int i = 0; i < 3; ++i) {
    w.cell().set_grad(Value(1.0));
    optimizer.step();
  }
  CHECK_CLOSE(w.item(), 1 - 0.1 * (1 + 1.5 + 1.75), 1e-15);
  optimizer.set_lr(0);
  optimizer.step();
  CHECK_CLOSE(w.item(), 1 - 0.1 * (1 + 1.5 + 1.75), 1e-15);
}

TEST(complaints_come_before_anything_is_changed) {
  CHECK_THROWS_SAYING(ValueError, "no parameters", SGD({}, 0.1));
  Variable w(1.0), v(Value::zeros(DType::float64, Dims{2}));
  CHECK_THROWS_SAYING(ValueError, "parameters 0 and 2 are the same", SGD({w, v, w}, 0.1));
  CHECK_THROWS_SAYING(ValueError, "parameter 1", SGD({w, w * w}, 0.1));
  CHECK_THROWS_SAYING(ValueError, "lr", SGD({w}, -1.0));
  SGD optimizer({w, v}, 0.1);
  CHECK_THROWS_SAYING(ValueError, "lr", optimizer.set_lr(1.0 / 0.0));
  w.cell().set_grad(Value(1.0));
  v.cell().assign(IndexSpec().at(0), {}, (w * w).ref());
  CHECK_THROWS_SAYING(ValueError, "leaves", optimizer.step());
  CHECK(w.item() == 1);
  v.set_value(Value::zeros(DType::float64, Dims{2}));
  v.cell().set_grad(Value::zeros(DType::float64, Dims{2}));
  v.set_value(Value::zeros(DType::float64, Dims{5}));
  CHECK_THROWS_SAYING(ValueError, "(5,)", optimizer.step());
  CHECK(w.item() == 1);
}
