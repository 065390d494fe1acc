#include "tapegrad/program/train/train.h"

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::Executor;
using tapegrad::IndexError;
using tapegrad::TrainLoop;
using tapegrad::TrainStep;
using tapegrad::ValueError;

namespace {

// loss = sum((w * x - y)^2), w -= 0.125 * 2 * sum((w * x - y) * x); a guard keeps w below `limit`.
Program descent(int64_t rows, double limit) {
  Draft d;
  const ValueId w = d.input(f64()), x = d.input({rows}), y = d.input({rows});
  d.guard(d.op("less", {w, d.constant(limit)}), Value::integer_scalar(1, DType::bool_));
  const ValueId e = d.op("subtract", {d.op("multiply", {w, x}), y});
  const ValueId loss = d.op("sum", {d.op("square", {e})}, {Attr{}, false});
  const ValueId slope = d.op("sum", {d.op("multiply", {e, x})}, {Attr{}, false});
  const ValueId next = d.op("subtract", {w, d.op("multiply", {d.constant(0.25), slope})});
  return d.returning({loss, next});
}

const std::vector<double> xs{1.0, 0.5, -1.0, 0.25, 2.0}, ys{1.0, 2.0, 0.0, -1.0, 0.5};

std::vector<Value> columns() { return {Value::from(xs, Dims{5}), Value::from(ys, Dims{5})}; }

// The same in plain C++, batch by batch.
double by_hand(double w, const std::vector<int64_t>& order, size_t size,
               std::vector<double>& losses) {
  double total = 0;
  for (size_t first = 0; first < order.size(); first += size) {
    double loss = 0, slope = 0;
    const size_t end = std::min(first + size, order.size());
    for (size_t i = first; i < end; ++i) {
      const auto k = static_cast<size_t>(order[i]);
      const double e = w * xs[k] - ys[k];
      loss += e * e;
      slope += e * xs[k];
    }
    total += loss * static_cast<double>(end - first);
    w -= 0.25 * slope;
  }
  losses.push_back(total / static_cast<double>(order.size()));
  return w;
}

const auto never = [] { return false; };

}  // namespace

TEST(whole_epochs) {
  for (const int64_t size : {1, 2, 5}) {
    const Executor full(optimise(descent(size, 1e9), {}));
    const int64_t left = 5 % size;
    const Executor rest(optimise(descent(left ? left : 1, 1e9), {}));
    TrainLoop loop({Value(0.5)}, columns(), size);
    CHECK(loop.fits(full.program(), false));
    CHECK(loop.run(1, never) == TrainLoop::Stop::unserved);
    loop.set_steps({make_train_step(full, descent(size, 1e9))}, false);
    if (left != 0) loop.set_steps({make_train_step(rest, descent(left, 1e9))}, true);
    const std::vector<int64_t> plain{0, 1, 2, 3, 4}, turned{4, 2, 0, 1, 3};
    CHECK(loop.run(1, never) == TrainLoop::Stop::done);
    std::vector<int64_t> both = turned;
    both.insert(both.end(), plain.begin(), plain.end());
    loop.set_order(both);
    CHECK(loop.run(3, never) == TrainLoop::Stop::done);
    std::vector<double> losses;
    double w = by_hand(0.5, plain, static_cast<size_t>(size), losses);
    w = by_hand(w, turned, static_cast<size_t>(size), losses);
    w = by_hand(w, plain, static_cast<size_t>(size), losses);
    CHECK_CLOSE(loop.carried()[0].as_double(), w, 1e-14);
    CHECK(loop.losses().size() == 3);
    for (size_t k = 0; k < 3; ++k) CHECK_CLOSE(loop.losses()[k], losses[k], 1e-14);
  }
}

TEST(the_scalar_tape_has_the_bits_of_the_executor) {
  const Executor e(optimise(descent(1, 1e9), {}));
  TrainStep fast = make_train_step(e, descent(1, 1e9)), slow = fast;
  CHECK(fast.f64 != nullptr);
  slow.f64 = nullptr;
  double found[2];
  for (int k = 0; k < 2; ++k) {
    TrainLoop loop({Value(0.3)}, columns(), 1);
    loop.set_steps({k ? slow : fast}, false);
    CHECK(loop.run(7, never) == TrainLoop::Stop::done);
    found[k] = loop.carried()[0].as_double();
  }
  CHECK(found[0] == found[1]);
  CHECK(make_train_step(e, descent(2, 1e9)).f64 == nullptr);
}

TEST(guards_and_commits) {
  for (const bool scalar : {false, true}) {
    const Executor e(optimise(descent(1, 0.7), {}));
    TrainStep s = make_train_step(e, descent(1, 0.7));
    if (!scalar) s.f64 = nullptr;
    TrainLoop loop({Value(0.5)}, columns(), 1);
    loop.set_steps({s}, false);
    // 0.5 -> 0.625 -> about 0.836, which the guard does not let through.
    CHECK(loop.run(1, never) == TrainLoop::Stop::unserved);
    CHECK(loop.batch() == 2);
    CHECK(loop.next_batch()[0].at(0) == -1.0);
    const double before = loop.carried()[0].as_double();
    CHECK(before > 0.7);
    loop.commit(0.5, {Value(0.1)});
    CHECK(loop.batch() == 3);
    CHECK(loop.run(1, never) == TrainLoop::Stop::done);
    CHECK(loop.losses().size() == 1);
  }
}

TEST(a_loss_that_is_not_finite) {
  for (const bool scalar : {false, true}) {
    const Executor e(optimise(descent(1, 1e300), {}));
    TrainStep s = make_train_step(e, descent(1, 1e300));
    if (!scalar) s.f64 = nullptr;
    std::vector<Value> data = columns();
    data[1].set_at(3, std::nan(""));
    TrainLoop loop({Value(0.5)}, data, 1);
    loop.set_steps({s}, false);
    CHECK(loop.run(2, never) == TrainLoop::Stop::not_finite);
    CHECK(loop.batch() == 3);
    CHECK(std::isnan(loop.bad_loss()));
    CHECK(std::isfinite(loop.carried()[0].as_double()));
  }
}

TEST(programs_that_do_not_fit) {
  TrainLoop loop({Value(0.5)}, columns(), 2);
  CHECK(!loop.fits(descent(3, 1), false));
  CHECK(loop.fits(descent(1, 1), true));
  Draft d;
  const ValueId w = d.input(f64());
  CHECK(!loop.fits(d.returning({w, w}), false));
}

TEST(data_without_rows_and_orders_that_leave_them_are_refused) {
  const std::vector<Value> carried{Value(0.5)};
  CHECK_THROWS(ValueError, TrainLoop(carried, {}, 2));
  CHECK_THROWS(ValueError, TrainLoop(carried, {Value(2.0)}, 2));
  CHECK_THROWS(ValueError, TrainLoop(carried, {Value::from(xs, Dims{5}), Value(2.0)}, 2));
  CHECK_THROWS(ValueError, TrainLoop(carried, {Value::empty(DType::float64, Dims{0})}, 2));
  CHECK_THROWS_SAYING(ValueError, "batch size of 0", TrainLoop(carried, columns(), 0));
  TrainLoop loop(carried, columns(), 2);
  CHECK_THROWS_SAYING(IndexError, "row 5 of 5", loop.set_order({0, 5}));
  loop.set_order({0});
  CHECK_THROWS_SAYING(IndexError, "before epoch 0", loop.next_batch());
}
