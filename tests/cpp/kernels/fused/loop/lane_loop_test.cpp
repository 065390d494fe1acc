#include "tapegrad/kernels/fused/loop/lane_loop.h"

#include "check.h"
#include "kernels/fused/lane_maker.h"
#include "kernels/random_values.h"
#include "tapegrad/base/error.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/kernels/reduce/reduce_sum.h"

using namespace tapegrad;

namespace {

Value element(const Value& series, int64_t t) {
  if (series.ndim() == 1) return Value::scalar(series.at(t), series.dtype());
  Dims shape(series.shape().data() + 1, series.shape().size() - 1);
  Value v = Value::empty(series.dtype(), shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, series.at(t * v.size() + i));
  return v;
}

template <class F, class... V>
Value f(const V&... operands) {
  const Value in[] = {operands...};
  Value out = Value::scalar(0, in[0].dtype());
  eval_elementwise(scalar_fn_of<F>(), in, out);
  return out;
}

// x, s carried; u, v series (a row, a number); w, c the same at every step (a row, a number):
//   x = tanh(w * x + u) - v * c, s = s + sum(x), results: x, s, x > 0, v
struct Model {
  LaneLoop loop;

  Model(Dims space, DType d) {
    Maker m(6, d);
    const uint32_t two = m.constant(2.0);
    const uint32_t wx = m.call<Multiply>(4, 0);
    const uint32_t t = m.call<Tanh>(m.call<Add>(wx, 2));
    const uint32_t vc = m.call<Multiply>(3, m.call<Multiply>(5, two));
    const uint32_t x = m.call<Subtract>(t, vc);
    const uint32_t s = m.call<Add>(1, m.call(row_sum, x));
    const uint32_t zero = m.call<Subtract>(x, x);
    const uint32_t up = m.call<Greater>(x, zero);
    m.store(x);
    m.store(s);
    m.store(x);
    m.store(s);
    m.test(up);
    m.store(3);
    loop = {m.k, space, 2, 2, {1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0}};
  }
};

void check_model(Dims space, DType d, int64_t length, bool reverse) {
  const LaneLoopProgram program(Model(space, d).loop);
  Dims series{length};
  for (int64_t n : space) series.push_back(n);
  const Value u = random_array(series, 1, d), v = random_array({length}, 2, d);
  const Value w = random_array(space, 3, d), x0 = random_array(space, 4, d);
  const Value s0 = Value::scalar(0.5, d), c = Value::scalar(0.25, d);
  const Value in[] = {x0, s0, u, v, w, c};
  Value out[6];
  program.run(in, length, reverse, out);
  Value x = x0, s = s0;
  for (int64_t i = 0; i < length; ++i) {
    const int64_t t = reverse ? length - 1 - i : i;
    const Value two = Value::scalar(2.0, d);
    x = f<Subtract>(f<Tanh>(f<Add>(f<Multiply>(w, x), element(u, t))),
                    f<Multiply>(element(v, t), f<Multiply>(c, two)));
    s = f<Add>(s, sum_to_shape(x, Dims()));
    CHECK(same_numbers(element(out[2].contiguous(), t), x));
    CHECK(element(out[3], t).as_double() == s.as_double());
    CHECK(element(out[5], t).as_double() == element(v, t).as_double());
    for (int64_t k = 0; k < x.size(); ++k)
      CHECK(out[4].at(t * x.size() + k) == (x.at(k) > 0 ? 1.0 : 0.0));
  }
  CHECK(same_numbers(out[0], x));
  CHECK(out[1].as_double() == s.as_double());
}

}  // namespace

TEST(loops_do_what_their_steps_do) {
  for (const DType d : {DType::float64, DType::float32})
    for (const Dims& space : {Dims{14}, Dims{1}, Dims{16}, Dims{3, 5}, Dims{200}})
      for (const int64_t length : {0, 1, 2, 3, 20})
        for (const bool reverse : {false, true}) check_model(space, d, length, reverse);
}

TEST(series_are_read_with_any_strides_and_dtypes) {
  Maker m(2);
  const uint32_t x = m.call<Add>(0, 1);
  m.store(x);
  m.store(x);
  const LaneLoopProgram program(LaneLoop{m.k, {3}, 1, 1, {1, 1, 1, 1}});
  const Value u = Value::from_int64({{1, 2, 3, 4, 5, 6}}, Dims{3, 2});
  const Value turned = u.view(Dims{2, 3}, Dims{1, 2}, 0);
  const Value in[] = {Value::from({{0, 0, 0}}, Dims{3}), turned};
  Value out[2];
  program.run(in, 2, false, out);
  CHECK(same_numbers(out[0], Value::from({{3, 7, 11}}, Dims{3})));
  CHECK(out[1].at(0) == 1 && out[1].at(1) == 3 && out[1].at(5) == 11);
}

TEST(carries_that_nobody_reads_or_changes_are_right) {
  Maker m(3);  // two carries, one number that is the same at every step
  m.store(1);  // the first becomes the second, the second the number
  m.store(2);
  const LaneLoopProgram program(LaneLoop{m.k, {2}, 2, 0, {1, 0, 0, 1, 0}});
  const Value in[] = {Value::from({{1, 2}}, Dims{2}), Value::scalar(5), Value::scalar(7)};
  for (const int64_t length : {0, 1, 2, 3}) {
    Value out[2];
    program.run(in, length, false, out);
    const double first = length == 1 ? 5 : 7;
    CHECK(length == 0 ? out[0].at(1) == 2 : out[0].at(1) == first);
    CHECK(out[1].as_double() == (length == 0 ? 5 : 7));
  }
}

TEST(loops_that_make_no_sense_are_refused) {
  Maker m(1);
  m.store(m.call<Square>(0));
  CHECK_THROWS_SAYING(ValueError, "1 to 1024 lanes", LaneLoopProgram({m.k, {2000}, 1, 0, {1, 1}}));
  CHECK_THROWS_SAYING(ValueError, "more carries", LaneLoopProgram({m.k, {2}, 2, 0, {1, 1}}));
  CHECK_THROWS_SAYING(ValueError, "says of 1", LaneLoopProgram({m.k, {2}, 1, 0, {1}}));
  CHECK_THROWS_SAYING(ValueError, "run in loops alone", [] {
    Maker rows(1);
    rows.store(rows.call(row_sum, 0));
    return LaneProgram(rows.k).slot_count();
  }());
}
