#include "tapegrad/ops/index/index_gather.h"

#include "check.h"
#include "ops/index/index_cases.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"

namespace tapegrad {
namespace {

using cases::Key;
using cases::laid_out;
using cases::random_array;
using cases::RandomKeys;
using cases::sources;

std::vector<Variable> gradients(const Ref& output, const Value& weights,
                                const std::vector<Variable>& wrt) {
  const Variable out = Variable::from(output);
  const Ref seed(weights);
  return grad({&out, 1}, wrt, {&seed, 1}, true);
}

Dims shape_with_axes(RandomKeys& random) {
  Dims shape = random.shape(3);
  shape.push_back(1 + random.below(5));
  return shape;
}

Value integers(std::initializer_list<int64_t> items) {
  const std::vector<int64_t> list(items);
  return Value::from_int64(list, Dims{static_cast<int64_t>(list.size())});
}

const IndexSpec one_array = IndexSpec().array();

}  // namespace

TEST(elements_of_every_layout) {
  register_all_ops();
  RandomKeys random;
  for (int round = 0; round < 400; ++round) {
    const Dims shape = shape_with_axes(random);
    const Key key = random.advanced(shape);
    const DType dtypes[] = {DType::float64, DType::float32, DType::int16, DType::bool_};
    const Value x = laid_out(shape, round % cases::layouts, dtypes[round % 4]);
    const Value y = gather(Ref(x), key.spec, key.refs()).value();
    const std::vector<int64_t> from = sources(key, shape);
    CHECK(y.shape() == key.result(shape) && y.dtype() == x.dtype());
    CHECK(y.size() == static_cast<int64_t>(from.size()));
    for (int64_t i = 0; i < y.size(); ++i) CHECK(y.at(i) == x.at(from[static_cast<size_t>(i)]));
  }
}

TEST(updates_with_duplicates) {
  register_all_ops();
  RandomKeys random;
  for (int round = 0; round < 400; ++round) {
    const Dims shape = shape_with_axes(random);
    const Key key = random.advanced(shape);
    const Value x = laid_out(shape, round % cases::layouts);
    const Value u = laid_out(key.result(shape), round / 5 % cases::layouts);
    const Value set = gather_set(Ref(x), key.spec, Ref(u), key.refs()).value();
    const Value sum = gather_add(Ref(x), key.spec, Ref(u), key.refs()).value();
    Value expected_sum = x.copy(), expected_set = x.copy();
    const std::vector<int64_t> to = sources(key, shape);
    for (size_t i = 0; i < to.size(); ++i)
      expected_sum.set_at(to[i], expected_sum.at(to[i]) + u.at(static_cast<int64_t>(i)));
    CHECK(set.shape() == shape && sum.shape() == shape);
    for (int64_t i = 0; i < x.size(); ++i) CHECK_CLOSE(sum.at(i), expected_sum.at(i), 1e-14);
    // Which of the duplicates stays is the order of the index tuples; here only that it is one of
    // them.
    for (int64_t i = 0; i < x.size(); ++i) {
      bool written = false, found = false;
      for (size_t j = 0; j < to.size(); ++j) {
        if (to[j] != i) continue;
        written = true;
        found = found || set.at(i) == u.at(static_cast<int64_t>(j));
      }
      CHECK(written ? found : set.at(i) == x.at(i));
    }
  }
}

TEST(the_last_of_several_writes_stays) {
  register_all_ops();
  const Variable x{random_array({4, 2})}, u{random_array({3, 2})};
  const Ref index[] = {Ref(integers({1, 3, -3}))};
  const IndexSpec rows = IndexSpec().array().whole(2);
  const Ref y = gather_set(x.ref(), rows, u.ref(), index);
  CHECK(y.value().at(2) == u.value().at(4) && y.value().at(7) == u.value().at(3));
  const Value w = random_array({4, 2});
  const auto g = gradients(y, w, {x, u});
  for (int64_t i = 0; i < 8; ++i) CHECK(g[0].value().at(i) == (i / 2 % 2 == 1 ? 0 : w.at(i)));
  const double expected[] = {0, 0, w.at(6), w.at(7), w.at(2), w.at(3)};
  for (int64_t i = 0; i < 6; ++i) CHECK(g[1].value().at(i) == expected[i]);
}

TEST(a_broadcast_update_gets_the_sum) {
  register_all_ops();
  const Variable x{random_array(Dims{5})}, u{2.0};
  const Ref index[] = {Ref(integers({0, 4, 0}))};
  const Value w = random_array(Dims{5});
  const auto set = gradients(gather_set(x.ref(), one_array, u.ref(), index), w, {u});
  CHECK_CLOSE(set[0].value().as_double(), w.at(0) + w.at(4), 1e-15);
  const auto sum = gradients(gather_add(x.ref(), one_array, u.ref(), index), w, {u});
  CHECK_CLOSE(sum[0].value().as_double(), w.at(0) + w.at(4) + w.at(0), 1e-15);
}

TEST(gradients_add_over_duplicates) {
  RandomKeys random;
  for (int round = 0; round < 60; ++round) {
    const Dims shape = shape_with_axes(random);
    const Key key = random.advanced(shape);
    const Variable x{random_array(shape)};
    const Value w = random_array(key.result(shape));
    const Value g = gradients(gather(x.ref(), key.spec, key.refs()), w, {x})[0].value();
    Value expected = Value::zeros(DType::float64, shape);
    const std::vector<int64_t> at = sources(key, shape);
    for (size_t i = 0; i < at.size(); ++i)
      expected.set_at(at[i], expected.at(at[i]) + w.at(static_cast<int64_t>(i)));
    for (int64_t i = 0; i < expected.size(); ++i) CHECK_CLOSE(g.at(i), expected.at(i), 1e-14);
  }
}

TEST(second_order_through_duplicates) {
  // f = sum(x[i]^3) with i = (0, 0, 2): f'' = 12 x0, 0, 6 x2.
  const double numbers[] = {0.5, -1.5, 2.0};
  const Variable x{Value::from(numbers, Dims{3})};
  const Ref index[] = {Ref(integers({0, 0, 2}))};
  const Ref y = gather(x.ref(), one_array, index);
  const Variable f = Variable::from(sum(multiply(multiply(y, y), y)));
  const Variable g = grad({&f, 1}, {&x, 1}, {}, true)[0];
  CHECK_CLOSE(g.value().at(0), 6 * 0.25, 1e-15);
  const Variable total = Variable::from(sum(g.ref()));
  const Value h = grad({&total, 1}, {&x, 1})[0].value();
  CHECK_CLOSE(h.at(0), 12 * 0.5, 1e-15);
  CHECK(h.at(1) == 0);
  CHECK_CLOSE(h.at(2), 6 * 2.0, 1e-15);
}

TEST(tangents_read_the_indices) {
  Scope scope;
  const Variable x = scope.argument(Ref(random_array(Dims{4})));
  const Ref index[] = {Ref(integers({2, 0, 2}))};
  const Ref outputs[] = {gather(x.ref(), one_array, index),
                         gather_set(x.ref(), one_array, Ref(1.0), index)};
  const Ref wrt[] = {x.ref()};
  const Value dx = random_array(Dims{4});
  const Ref tangents[] = {Ref(dx)};
  const auto t = scope.jvp(outputs, wrt, tangents);
  const double expected[] = {dx.at(2), dx.at(0), dx.at(2)};
  for (int64_t i = 0; i < 3; ++i) CHECK(t[0].value().at(i) == expected[i]);
  for (int64_t i = 0; i < 4; ++i) CHECK(t[1].value().at(i) == (i % 2 == 0 ? 0 : dx.at(i)));
}

TEST(an_owned_base_is_scattered_into_in_place) {
  register_all_ops();
  Ref base(random_array(Dims{50}));
  const void* data = base.value().raw();
  const Ref index[] = {Ref(integers({4, 7}))};
  for (int i = 0; i < 5; ++i) base = gather_set(std::move(base), one_array, Ref(1.0), index);
  base = gather_add(std::move(base), one_array, Ref(2.0), index);
  CHECK(base.value().raw() == data && base.value().at(4) == 3 && base.value().at(7) == 3);
  const Ref kept = base;
  const Ref changed = gather_set(base, one_array, Ref(9.0), index);
  CHECK(kept.value().at(4) == 3 && changed.value().at(4) == 9);
}

TEST(flags_scalars_and_empty_indices) {
  register_all_ops();
  const Ref x(random_array(Dims{3}));
  const IndexSpec on = IndexSpec().flag(true).whole(3), off = IndexSpec().flag(false).whole(3);
  CHECK(gather(x, on, {}).shape() == (Dims{1, 3}) &&
        gather(x, on, {}).value().at(2) == x.value().at(2));
  CHECK(gather(x, off, {}).shape() == (Dims{0, 3}));
  CHECK(gather(Ref(4.0), IndexSpec().flag(true), {}).value().at(0) == 4);
  CHECK(gather_set(Ref(4.0), IndexSpec().flag(true), Ref(5.0), {}).value().as_double() == 5);
  CHECK(gather_set(x, off, Ref(5.0), {}).value().at(0) == x.value().at(0));
  const Ref none[] = {Ref(Value::empty(DType::int64, Dims{0}))},
            single[] = {Ref(Value::integer_scalar(2))};
  CHECK(gather(x, one_array, none).shape() == Dims{0});
  CHECK(gather(x, one_array, single).value().as_double() == x.value().at(2));
}

TEST(bad_indices_are_refused) {
  register_all_ops();
  const Ref x(random_array({2, 5}));
  IndexSpec columns = IndexSpec().whole(2).array();
  columns.position = 1;
  const Ref high[] = {Ref(integers({0, 5}))}, low[] = {Ref(integers({-6}))},
            floats[] = {Ref(random_array({2}))};
  CHECK_THROWS_SAYING(IndexError, "index 5 is out of bounds for axis 1 with size 5",
                      gather(x, columns, high));
  CHECK_THROWS_SAYING(IndexError, "index -6 is out of bounds for axis 1 with size 5",
                      gather(x, columns, low));
  CHECK_THROWS_SAYING(IndexError, "must be of integer", gather(x, columns, floats));
  CHECK_THROWS(IndexError, check_set_index(x.type(), columns, {DType::float64, {}}, high));
  CHECK_THROWS_SAYING(ValueError, "from shape (3,) into shape (2, 1)",
                      gather_set(x, columns, Ref(random_array(Dims{3})), {low, 1}));
}

TEST(along_axis_takes_and_puts) {
  register_all_ops();
  const Variable x{random_array({3, 4})};
  const int64_t numbers[] = {3, 0, 1, 1, -1, 2};
  const Ref index(Value::from_int64(numbers, Dims{3, 2}));
  const Ref y = take_along_axis(x.ref(), index, -1);
  const int64_t columns[] = {3, 0, 1, 1, 3, 2};
  for (int64_t i = 0; i < 6; ++i) CHECK(y.value().at(i) == x.value().at(i / 2 * 4 + columns[i]));
  const Ref z = put_along_axis(x.ref(), index, Ref(7.0), 1);
  CHECK(z.value().at(3) == 7 && z.value().at(0) == 7 && z.value().at(1) == x.value().at(1));
  const Value g = gradients(y, Value::full(DType::float64, Dims{3, 2}, 1), {x})[0].value();
  CHECK(g.at(5) == 2 && g.at(4) == 0 && g.at(11) == 1);
  CHECK_THROWS_SAYING(ValueError, "same number of dimensions",
                      take_along_axis(x.ref(), Ref(integers({0})), 0));
}

}  // namespace tapegrad
