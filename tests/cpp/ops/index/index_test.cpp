#include "tapegrad/ops/index/index.h"

#include "check.h"
#include "ops/index/index_cases.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"

namespace tapegrad {
namespace {

using cases::Key;
using cases::laid_out;
using cases::random_array;
using cases::RandomKeys;
using cases::sources;

// Gradients of <weights, f(x)>, recorded, so that they can be differentiated again.
std::vector<Variable> gradients(const Ref& output, const Value& weights,
                                const std::vector<Variable>& wrt) {
  const Variable out = Variable::from(output);
  const Ref seed(weights);
  return grad({&out, 1}, wrt, {&seed, 1}, true);
}

Value read(const Value& x, const Key& key) { return slice(Ref(x), key.spec).value(); }

}  // namespace

TEST(slices_of_every_layout) {
  register_all_ops();
  RandomKeys random;
  for (int round = 0; round < 400; ++round) {
    const Dims shape = random.shape(4);
    const Key key = random.basic(shape);
    const Value x =
        laid_out(shape, round % cases::layouts, round % 3 == 0 ? DType::float32 : DType::float64);
    const std::vector<int64_t> from = sources(key, shape);
    const Value y = read(x, key), copy = slice_copy(Ref(x), key.spec).value();
    CHECK(y.shape() == key.result(shape) && copy.shape() == y.shape() && y.dtype() == x.dtype());
    CHECK(y.size() == static_cast<int64_t>(from.size()));
    for (int64_t i = 0; i < y.size(); ++i)
      CHECK(y.at(i) == x.at(from[static_cast<size_t>(i)]) && copy.at(i) == y.at(i));
  }
}

TEST(updates_of_every_layout) {
  register_all_ops();
  RandomKeys random;
  for (int round = 0; round < 400; ++round) {
    const Dims shape = random.shape(4);
    const Key key = random.basic(shape);
    const DType dtype = round % 3 == 0 ? DType::float32 : DType::float64;
    const Value x = laid_out(shape, round % cases::layouts, dtype);
    Dims update_shape = key.result(shape);
    if (!update_shape.empty() && round % 4 == 0)
      update_shape[random.below(update_shape.ndim())] = 1;
    const Value u = laid_out(update_shape, round / 7 % cases::layouts);
    const Value set = slice_set(Ref(x), key.spec, Ref(u)).value();
    const Value sum = slice_add(Ref(x), key.spec, Ref(u)).value();
    Value expected_set = x.copy(), expected_sum = x.copy();
    const std::vector<int64_t> to = sources(key, shape);
    const Dims region = key.result(shape);
    const Value full = Value::zeros(DType::float64, region);
    Value wide = full;
    if (wide.is_scalar()) {
      wide = u;
    } else {
      copy_into(wide, u);
    }
    for (size_t i = 0; i < to.size(); ++i) {
      const double v = wide.cast(dtype).at(static_cast<int64_t>(i));
      expected_set.set_at(to[i], v);
      expected_sum.set_at(to[i], expected_sum.at(to[i]) + v);
    }
    CHECK(same_bits(set.contiguous(), expected_set));
    CHECK(same_bits(sum.contiguous(), expected_sum));
  }
}

TEST(a_big_slice_is_a_view_and_a_small_one_a_copy) {
  register_all_ops();
  const Value x = random_array({1000, 100});
  CHECK(slice(Ref(x), IndexSpec().range(500, 1, 500).whole(100)).value().buffer() == x.buffer());
  CHECK(slice(Ref(x), IndexSpec().at(3).whole(100)).value().buffer() != x.buffer());
  CHECK(slice(Ref(x), IndexSpec().range(0, 1, 100).whole(100)).value().buffer() != x.buffer());
  CHECK(slice_copy(Ref(x), IndexSpec().whole(1000).whole(100)).value().buffer() != x.buffer());
}

TEST(an_owned_base_is_written_in_place) {
  register_all_ops();
  Ref base(random_array({50}));
  const void* data = base.value().raw();
  for (int64_t i = 0; i < 50; ++i) base = slice_set(std::move(base), IndexSpec().at(i), Ref(1.0));
  base = slice_add(std::move(base), IndexSpec().range(1, 2, 20), Ref(2.0));
  CHECK(base.value().raw() == data);
  CHECK(base.value().at(0) == 1 && base.value().at(1) == 3 && base.value().at(49) == 1);
}

TEST(a_shared_base_is_copied_first) {
  register_all_ops();
  const Ref kept(random_array({50}));
  const double before = kept.value().at(7);
  const Ref changed = slice_set(kept, IndexSpec().at(7), Ref(100.0));
  CHECK(kept.value().at(7) == before && changed.value().at(7) == 100);
  const Ref view = slice(kept, IndexSpec().range(0, 1, 40));
  Ref moved = kept;
  moved = slice_set(std::move(moved), IndexSpec().at(0), Ref(5.0));
  CHECK(view.value().at(0) != 5 && moved.value().at(0) == 5);
}

TEST(an_overlapping_update_reads_the_old_values) {
  register_all_ops();
  const double numbers[] = {0, 1, 2, 3, 4};
  Ref base(Value::from(numbers, Dims{5}));
  const Ref old = slice(base, IndexSpec().range(0, 1, 4));
  base = slice_set(std::move(base), IndexSpec().range(1, 1, 4), old);
  for (int64_t i = 0; i < 5; ++i)
    CHECK(base.value().at(i) == static_cast<double>(i == 0 ? 0 : i - 1));
}

TEST(leading_ones_of_an_update_are_dropped) {
  register_all_ops();
  const Variable x{random_array({3, 4})}, u{random_array({1, 1, 4})};
  const Ref y = slice_set(x.ref(), IndexSpec().range(1, 1, 2).whole(4), u.ref());
  CHECK(y.value().at(4) == u.value().at(0) && y.value().at(11) == u.value().at(3));
  const Value w = random_array({3, 4});
  const auto g = gradients(y, w, {x, u});
  CHECK(g[1].value().shape() == (Dims{1, 1, 4}));
  CHECK_CLOSE(g[1].value().at(2), w.at(6) + w.at(10), 1e-15);
}

TEST(scalars_take_newaxis_and_updates) {
  register_all_ops();
  const Ref y = slice(Ref(3.5), IndexSpec().newaxis().newaxis());
  CHECK(y.shape() == (Dims{1, 1}) && y.value().at(0) == 3.5);
  CHECK(slice_set(Ref(1.0), IndexSpec(), Ref(2.0)).value().as_double() == 2);
  CHECK(slice_add(Ref(1.0), IndexSpec().newaxis(), Ref(random_array(Dims{1}))).value().is_scalar());
}

TEST(updates_that_do_not_fit_are_refused) {
  register_all_ops();
  const Ref x(random_array({3, 4}));
  const IndexSpec row = IndexSpec().at(1).whole(4);
  CHECK_THROWS_SAYING(ValueError, "could not broadcast input array from shape (3,) into shape (4,)",
                      slice_set(x, row, Ref(random_array(Dims{3}))));
  CHECK_THROWS_SAYING(ValueError, "setting an array element with a sequence",
                      slice_set(x, IndexSpec().at(1).at(1), Ref(random_array(Dims{1}))));
  const int64_t integers[] = {1, 2};
  const Value counts = Value::from_int64(integers, Dims{2});
  CHECK_THROWS_SAYING(TypeError, "would lose", slice_set(Ref(counts), IndexSpec().at(0), Ref(0.5)));
  CHECK_THROWS_SAYING(ValueError, "from shape (3,)",
                      check_set_index(x.type(), row, {DType::float64, {3}}, {}));
}

TEST(gradients_go_where_the_elements_came_from) {
  RandomKeys random;
  for (int round = 0; round < 60; ++round) {
    const Dims shape = random.shape(3);
    const Key key = random.basic(shape);
    const Dims region = key.result(shape);
    const Variable x{random_array(shape)}, u{random_array(region)};
    const std::vector<int64_t> at = sources(key, shape);
    const Value w = random_array(region), v = random_array(shape);

    const Value through_read = gradients(slice(x.ref(), key.spec), w, {x})[0].value();
    const auto set = gradients(slice_set(x.ref(), key.spec, u.ref()), v, {x, u});
    const auto sum = gradients(slice_add(x.ref(), key.spec, u.ref()), v, {x, u});
    Value expected_read = Value::zeros(DType::float64, shape), expected_base = v.copy();
    for (size_t i = 0; i < at.size(); ++i) {
      const auto flat = static_cast<int64_t>(i);
      expected_read.set_at(at[i], w.at(flat));
      expected_base.set_at(at[i], 0);
      CHECK(set[1].value().at(flat) == v.at(at[i]) && sum[1].value().at(flat) == v.at(at[i]));
    }
    CHECK(same_bits(through_read.contiguous(), expected_read));
    CHECK(same_bits(set[0].value().contiguous(), expected_base));
    CHECK(same_bits(sum[0].value().contiguous(), v));
  }
}

TEST(second_order_through_a_write) {
  // y = x with y[1:3] = x[0:2]^2, f = sum(y^3): f'' checked by hand.
  const double numbers[] = {0.5, -1.5, 2.0};
  const Variable x{Value::from(numbers, Dims{3})};
  const Ref r = x.ref();
  const Ref y =
      slice_set(r, IndexSpec().range(1, 1, 2), square(slice(r, IndexSpec().range(0, 1, 2))));
  const Variable f = Variable::from(sum(multiply(multiply(y, y), y)));
  const Variable g = grad({&f, 1}, {&x, 1}, {}, true)[0];
  // f = x0^3 + x0^6 + x1^6
  CHECK_CLOSE(g.value().at(0), 3 * 0.25 + 6 * 0.03125, 1e-14);
  CHECK_CLOSE(g.value().at(1), 6 * -7.59375, 1e-14);
  CHECK(g.value().at(2) == 0);
  const Variable total = Variable::from(sum(g.ref()));
  const Value h = grad({&total, 1}, {&x, 1})[0].value();
  CHECK_CLOSE(h.at(0), 6 * 0.5 + 30 * 0.0625, 1e-14);
  CHECK_CLOSE(h.at(1), 30 * 5.0625, 1e-14);
  CHECK(h.at(2) == 0);
}

TEST(tangents_are_linear) {
  Scope scope;
  const Variable x = scope.argument(Ref(random_array({4, 3}))),
                 u = scope.argument(Ref(random_array(Dims{3})));
  const IndexSpec row = IndexSpec().at(2).range(2, -1, 3);
  const Ref outputs[] = {slice_set(x.ref(), row, u.ref())};
  const Ref wrt[] = {x.ref(), u.ref()};
  const Value dx = random_array({4, 3}), du = random_array(Dims{3});
  const Ref tangents[] = {Ref(dx), Ref(du)};
  const Value t = scope.jvp(outputs, wrt, tangents)[0].value();
  for (int64_t i = 0; i < 12; ++i) CHECK(t.at(i) == (i / 3 == 2 ? du.at(2 - i % 3) : dx.at(i)));
}

}  // namespace tapegrad
