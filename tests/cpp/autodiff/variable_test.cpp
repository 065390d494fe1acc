#include "tapegrad/autodiff/variable.h"

#include <cmath>
#include <vector>

#include "check.h"
#include "sanitized.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/autodiff/sgd.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/tracer.h"

using namespace tapegrad;

namespace {

constexpr int steps = check::sanitized ? 50'000 : 1'000'000;

Value counted(Dims shape) {
  Value v = Value::empty(DType::float64, shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, static_cast<double>(i));
  return v;
}

const Op& op_named(const char* name) {
  register_all_ops();
  return *find_op(name);
}

Variable view(const Variable& base, const IndexSpec& spec) {
  return Variable(CellPtr(
      Cell::view_of(base.cell_ptr(), op_named("slice"), spec.attrs(), slice(base.ref(), spec))));
}

Variable transposed(const Variable& base) {
  const Attrs attrs{std::vector<int64_t>{1, 0}};
  return Variable(CellPtr(Cell::view_of(base.cell_ptr(), op_named("transpose"), attrs,
                                        apply(op_named("transpose"), attrs, {base.ref()}))));
}

void assign(const Variable& v, const IndexSpec& spec, const Ref& update) {
  v.cell().assign(spec, {}, update);
}

IndexSpec range(int64_t start, int64_t length) { return IndexSpec().range(start, 1, length); }

}  // namespace

TEST(a_training_loop_holds_its_memory) {
  Variable w(1.0), b(Value::full(DType::float64, Dims{4}, 0.5));
  SGD optimizer({w, b}, 1e-7);
  int64_t live = -1;
  size_t bytes = 0;
  for (int i = 0; i < steps; ++i) {
    const Variable loss = i % 64 ? square(w * Variable(0.5) - Variable(1.0)) : sum(square(b * w));
    loss.backward();
    optimizer.step();
    optimizer.zero_grad();
    if (i == 1000) {
      live = Tape::current().live_nodes();
      bytes = pool_stats().bytes_in_use;
    }
    if (i > 1000 && i % 64 == 1000 % 64) {
      if (Tape::current().live_nodes() != live) CHECK(Tape::current().live_nodes() == live);
      if (pool_stats().bytes_in_use != bytes) CHECK(pool_stats().bytes_in_use == bytes);
    }
  }
  CHECK(live >= 0);
}

TEST(operators_and_their_gradients) {
  const Variable x(2.0), y(3.0);
  const Variable out = x * y - x / y + exp(-x) + log(y) + sin(x) * cos(y) + tanh(x) + square(x);
  CHECK_CLOSE(
      out.item(),
      6 - 2.0 / 3 + std::exp(-2) + std::log(3) + std::sin(2) * std::cos(3) + std::tanh(2) + 4,
      1e-14);
  out.backward();
  CHECK_CLOSE(
      x.grad().as_double(),
      3 - 1.0 / 3 - std::exp(-2) + std::cos(2) * std::cos(3) + 1 - std::tanh(2) * std::tanh(2) + 4,
      1e-14);
  const Variable v(counted({4})), m = mean(v * v);
  m.backward();
  CHECK(v.grad().at(3) == 1.5);
}

TEST(only_floating_leaves) {
  CHECK_THROWS_SAYING(TypeError, "int64", Variable(Value::integer_scalar(3)));
  CHECK_THROWS_SAYING(TypeError, "dtype=float", Variable(Value::zeros(DType::bool_, Dims{2})));
}

TEST(writing_overwrites_what_is_its_own) {
  Variable v(counted({5}));
  const void* const buffer = v.cell().value().raw();
  assign(v, IndexSpec().at(1), Ref(10.0));
  CHECK(v.cell().is_leaf() && v.cell().value().raw() == buffer && v.value().at(1) == 10);
  const Variable x(2.0), y = v * x;
  const void* const product = y.cell().value().raw();
  assign(y, IndexSpec().at(0), square(x.ref()));
  assign(y, IndexSpec().at(2), Ref(-1.0));
  CHECK(y.cell().value().raw() == product);  // no rule reads a product's result
  const Variable out = sum(y);
  out.backward();
  CHECK(x.grad().as_double() == 4 + 10 + 3 + 4);
  CHECK(v.grad().at(0) == 0 && v.grad().at(1) == 2 && v.grad().at(2) == 0);
}

TEST(writing_copies_what_a_rule_still_reads) {
  const Variable x(counted({4})), y = exp(x), z = sum(y * y);  // exp and the product read y
  const void* const buffer = y.cell().value().raw();
  const double old = y.value().at(1);
  assign(y, IndexSpec().at(1), Ref(100.0));
  CHECK(y.cell().value().raw() != buffer && y.value().at(1) == 100);
  const Variable both = z + sum(y);
  both.backward();
  CHECK_CLOSE(x.grad().at(1), 2 * old * old, 1e-13);
  CHECK_CLOSE(x.grad().at(2), 2 * std::exp(4.0) + std::exp(2.0), 1e-12);
}

TEST(optimiser_steps_are_writes) {
  Variable w(counted({3}));
  const Variable loss = sum(square(w));
  w.set_value(Value::full(DType::float64, Dims{3}, 9.0));
  loss.backward();  // at the old value
  CHECK(w.grad().at(2) == 4);
  const Variable again = sum(square(w));
  again.backward();
  CHECK(w.grad().at(2) == 4 + 18);
}

TEST(n_writes_take_time_of_order_n) {
  constexpr int64_t n = 100'000;  // 40 GB of copies, were each to copy
  const Variable x(counted({n})), y(Value::zeros(DType::float64, Dims{n}));
  const size_t before = pool_stats().bytes_in_use;
  const Ref read = x.ref();
  for (int64_t i = 0; i < n; ++i)
    assign(y, IndexSpec().at(i), square(slice(read, IndexSpec().at(i))));
  CHECK(pool_stats().bytes_in_use < before + 100 * static_cast<size_t>(n) * 8);
  const Variable out = sum(y);
  out.backward();
  for (int64_t i = 0; i < n; i += 999) CHECK(x.grad().at(i) == 2.0 * static_cast<double>(i));
}

TEST(errors_in_a_write_lose_nothing) {
  const Variable leaf(counted({3})), y = leaf * Variable(2.0);
  const int64_t live = Tape::current().live_nodes();
  for (const Variable& v : {leaf, y}) {
    const Value before = v.value();
    CHECK_THROWS_SAYING(ValueError, "(4,)", assign(v, range(0, 3), Ref(counted({4}))));
    CHECK_THROWS_SAYING(ValueError, "(4,)",
                        assign(v, range(0, 3), exp(Variable(counted({4})).ref())));
    IndexSpec array;
    array.array();
    const std::vector<Ref> far{Value::from_int64(std::vector<int64_t>{1, 3}, Dims{2})};
    CHECK_THROWS(IndexError, v.cell().assign(array, far, Ref(1.0)));
    const Variable part = view(v, range(1, 2));
    CHECK_THROWS(ValueError, assign(part, range(0, 2), Ref(counted({3}))));
    CHECK(part.value().at(0) == before.at(1));
    CHECK(same_bits(v.value(), before));
  }
  CHECK(leaf.cell().is_leaf() && !y.cell().is_leaf());
  CHECK(Tape::current().live_nodes() <= live + 1);
}

TEST(views_follow_their_base_and_write_through) {
  const Variable x(2.0), y = Variable(counted({2, 3})) * x;
  const Variable row = view(y, IndexSpec().at(1).range(0, 1, 3)), cell = view(row, range(1, 2)),
                 t = transposed(y);
  assign(y, IndexSpec().at(1).at(2), square(x.ref()));
  CHECK(row.value().at(2) == 4 && cell.value().at(1) == 4 && t.value().at(5) == 4);
  assign(cell, IndexSpec().at(0), Ref(-7.0));
  CHECK(y.value().at(4) == -7 && row.value().at(1) == -7 && t.value().at(3) == -7);
  assign(t, IndexSpec().at(0).range(0, 1, 2), multiply(x.ref(), Ref(3.0)));
  CHECK(y.value().at(0) == 6 && y.value().at(3) == 6 && row.value().at(0) == 6);
  row.cell().set_value(Value::from(std::vector<double>{1, 2, 3}, Dims{3}));
  CHECK(cell.value().at(0) == 2 && y.value().at(5) == 3);
  const Variable out = sum(t * t) + sum(cell);
  out.backward();
  CHECK(x.grad().as_double() == 2 * 6 * 3 + 2 * 2 * 1 + 2 * 4 * 2);
}

TEST(a_plain_write_through_a_view_leaves_a_leaf) {
  const Variable w(counted({2, 3}));
  const Variable row = view(w, IndexSpec().at(0).range(0, 1, 3)), inside = view(row, range(0, 2));
  CHECK(w.cell().is_leaf() && inside.cell().shows_leaf());
  assign(inside, IndexSpec().at(0), Ref(5.0));
  assign(transposed(w), IndexSpec().at(2).at(1), Ref(6.0));
  row.cell().set_value(counted({3}));
  CHECK(w.cell().is_leaf() && w.value().at(5) == 6 && w.value().at(0) == 0 && w.value().at(2) == 2);
  const Variable loss = sum(square(inside) + inside);
  loss.backward();
  CHECK(w.grad().at(1) == 3 && w.grad().at(2) == 0);
  assign(inside, IndexSpec().at(0), square(Variable(2.0).ref()));
  CHECK(!w.cell().is_leaf() && !inside.cell().shows_leaf() && w.value().at(0) == 4);
}

TEST(a_view_read_while_recording_is_off_is_still_recorded) {
  const Variable x(counted({4})), y = x * Variable(2.0), part = view(y, range(1, 2));
  assign(y, IndexSpec().at(1), Ref(7.0));
  {
    const RecordingGuard off(false);
    CHECK(part.value().at(0) == 7);
    CHECK(!part.ref().tracked());
    assign(part, IndexSpec().at(1), Ref(8.0));  // and a write must take the derivative away
  }
  const Variable out = sum(square(part)) + sum(y);
  out.backward();
  const double expected[] = {2, 0, 0, 2};
  for (int64_t i = 0; i < 4; ++i) CHECK(x.grad().at(i) == expected[i]);
}

TEST(a_slice_of_a_slice_is_a_slice) {
  const auto entries = [](const Value& v) {
    std::vector<double> all;
    for (int64_t i = 0; i < v.size(); ++i) all.push_back(v.at(i));
    return all;
  };
  const Variable base(counted({4, 6}));
  const Variable odd =
      view(base, IndexSpec().range(3, -2, 2).newaxis().range(1, 2, 3));  // (2, 1, 3)
  const IndexSpec inner[] = {
      IndexSpec().at(1).at(0).at(2), IndexSpec().range(1, -1, 2).range(0, 1, 1).range(2, -2, 2),
      IndexSpec().newaxis().at(0).newaxis().range(0, 1, 1).range(0, 1, 0).newaxis(),
      IndexSpec().range(0, 1, 2).range(0, 1, 0).at(1)};
  for (const IndexSpec& spec : inner) {
    const Value expected = slice(odd.ref(), spec).value();
    if (expected.is_scalar()) {
      assign(odd, spec, Ref(-1.0));
      CHECK(base.value().at(1 * 6 + 5) == -1);
      continue;
    }
    const Variable part = view(odd, spec);
    CHECK(part.value().shape() == expected.shape() && entries(part.value()) == entries(expected));
    CHECK(part.cell().shows(odd.cell(), spec) && !part.cell().shows(base.cell(), spec));
    assign(base, IndexSpec().at(1).at(1), Ref(base.value().at(7) + 100));
    CHECK(entries(part.value()) == entries(slice(odd.ref(), spec).value()));
  }
}

TEST(n_writes_through_a_view_take_time_of_order_n) {
  constexpr int64_t n = 100'000;
  const Variable x(counted({n})), y(Value::zeros(DType::float64, Dims{n}));
  const Variable part = view(view(y, range(1, n - 2)), IndexSpec().range(n - 3, -1, n - 2));
  const Ref read = x.ref();
  for (int64_t i = 0; i < n - 2; ++i)
    assign(part, IndexSpec().at(i), slice(read, IndexSpec().at(i)));
  CHECK(y.value().at(1) == static_cast<double>(n - 3) && y.value().at(n - 1) == 0);
  sum(square(y)).backward();
  for (int64_t i = 0; i < n - 2; i += 999) CHECK(x.grad().at(i) == 2.0 * static_cast<double>(i));
}

TEST(long_chains_of_views) {
  const int64_t live = Tape::current().live_nodes();
  {
    const Variable base(counted({2, 2}));
    Variable v = base;
    for (int i = 0; i < 3001; ++i) v = transposed(v);
    assign(base, IndexSpec().at(0).at(1), Ref(5.0));
    CHECK(v.value().at(2) == 5);
    assign(v, IndexSpec().at(0).at(1), Ref(6.0));
    CHECK(base.value().at(2) == 6 && base.cell().is_leaf());
    v = base;
    for (int i = 0; i < 100'000; ++i) v = view(v, IndexSpec().range(0, 1, 2).range(0, 1, 2));
    assign(base, IndexSpec().at(0).at(0), Ref(7.0));
    CHECK(v.value().at(0) == 7);
  }
  CHECK(Tape::current().live_nodes() == live);
}

TEST(what_is_computed_while_recording_is_off_is_a_leaf) {
  const Variable x(3.0);
  const Variable y = [&] {
    const RecordingGuard off(false);
    return x * x;
  }();
  CHECK(y.cell().is_leaf() && y.item() == 9);
  (y * x).backward();
  CHECK(x.grad().as_double() == 9 && y.grad().as_double() == 3);
}

TEST(gradients_are_kept_apart_and_checked) {
  const Variable a(counted({3})), b(counted({3}));
  sum(a + b).backward();  // one buffer serves both
  sum(a).backward();
  CHECK(a.grad().at(0) == 2 && b.grad().at(0) == 1);
  CHECK_THROWS_SAYING(ValueError, "(2,)", a.cell().set_grad(counted({2})));
  a.cell().set_grad(counted({3}).cast(DType::float32));
  CHECK(a.grad().dtype() == DType::float64 && a.grad().at(2) == 2);
  a.cell().clear_grad();
  CHECK(!a.has_grad());
}

TEST(items_are_views_where_numpy_gives_views) {
  Variable x(counted({100, 2}));
  const Variable row(CellPtr(x.cell().item({.spec = IndexSpec().at(1).whole(2)})));
  CHECK(row.cell().is_view());
  assign(row, IndexSpec().whole(2), Ref(7.0));
  CHECK(x.value().at(2) == 7 && x.value().at(3) == 7);
  const Variable element(CellPtr(x.cell().item({.spec = IndexSpec().at(1).at(0)})));
  CHECK(!element.cell().is_view() && element.item() == 7);
  const Ref at(Value::from_int64(std::vector<int64_t>{1, 1}, Dims{2}));
  const Variable picked(
      CellPtr(x.cell().item({.spec = IndexSpec().array().whole(2), .arrays = {at}})));
  CHECK(!picked.cell().is_view() && picked.value().shape() == (Dims{2, 2}));
}

TEST(parts_that_recorded_numbers_choose_are_views) {
  register_all_ops();
  Tracer tracer;
  const Ref n = tracer.argument(Value::integer_scalar(-1)),
            m = tracer.argument(Value::integer_scalar(1));
  const Variable x(CellPtr(Cell::from(tracer.argument(counted({3, 4})))));
  const auto item = [](const Variable& of, IndexSpec spec, std::vector<Ref> arrays) {
    return Variable(CellPtr(
        of.cell().item({.spec = std::move(spec), .arrays = std::move(arrays), .shows = true})));
  };
  const IndexSpec of_row = IndexSpec().array().whole(4);
  const Variable row = item(x, of_row, {n}), same = item(x, of_row, {n});
  CHECK(row.cell().is_view() && row.cell().shows(x.cell(), of_row, {&n, 1}));
  CHECK(!row.cell().shows(x.cell(), of_row, {&m, 1}));
  assign(row, IndexSpec().range(1, 1, 2), Ref(7.0));
  CHECK(x.value().at(9) == 7 && x.value().at(10) == 7 && same.value().at(2) == 7);
  // A part of such a view is read and written at one go.
  const Variable element = item(row, IndexSpec().array(), {m});
  CHECK(!element.cell().is_view() && element.item() == 7);
  row.cell().assign(IndexSpec().array(), {m}, Ref(5.0));
  CHECK(x.value().at(9) == 5 && row.value().at(1) == 5);
  // At other numbers the two may overlap, though they don't here.
  const Variable other = item(x, of_row, {m});
  CHECK(row.cell().overlaps(other.cell()));
  const Variable column = item(x, IndexSpec().whole(3).array(), {n});
  CHECK(column.cell().numpy_strides() == (Dims{4}) && !column.cell().lies_in_c_order());
  CHECK(row.cell().lies_in_c_order() && x.cell().lies_in_k_order());
  CHECK(tracer.guards().empty());
}

TEST(results_that_share_memory_are_views_of_their_operand) {
  Variable x(counted({2, 3}));
  const Attrs attrs{std::vector<int64_t>{1, 0}}, none;
  const auto result = [&](const char* name, const Attrs& a, Cell* first) {
    return Variable(
        CellPtr(Cell::result_of(op_named(name), a, first, apply(op_named(name), a, {x.ref()}))));
  };
  CHECK(result("transpose", attrs, &x.cell()).cell().is_view());
  CHECK(!result("transpose", attrs, nullptr).cell().is_view());
  CHECK(!result("exp", none, &x.cell()).cell().is_view());
}

TEST(results_written_in_place_are_cast_as_numpy_allows) {
  const auto singles = [] { return counted({3}).cast(DType::float32); };
  Variable y(singles());
  y.cell().set_in_place(Ref(Value::full(DType::float64, Dims{3}, 0.1)), true);
  CHECK(y.value().dtype() == DType::float32 && y.value().at(0) == static_cast<double>(0.1f));
  CHECK(y.cell().is_leaf());
  y.cell().set_in_place(add(y.ref(), Ref(1.0)), true);  // plain: the leaf stays one
  CHECK(y.cell().is_leaf());
  y.cell().set_in_place(add(y.ref(), Variable(1.0).ref()), false);
  CHECK(!y.cell().is_leaf());
  CHECK_THROWS_SAYING(ValueError, "non-broadcastable output operand with shape (3,)",
                      y.cell().set_in_place(Ref(counted({2, 3})), true));
  const Variable data(CellPtr(Cell::from(Ref(Value::zeros(DType::int64, Dims{3})))));
  CHECK_THROWS_SAYING(TypeError, "can't cast the result from float64 to int64",
                      data.cell().set_in_place(Ref(counted({3})), true));
}

TEST(what_a_tracer_records_may_write_to_its_own_variables_only) {
  const Variable leaf(counted({3}));
  const Variable recorded = leaf * leaf;
  const Variable view(CellPtr(recorded.cell().item(IndexKey{.spec = IndexSpec().range(0, 1, 2)})));
  const auto refused = [](const Variable& v) {
    Tracer tracer;
    v.cell().set_value(Value::zeros(DType::float64, v.cell().type().shape));
    return !tracer.refusal().empty();
  };
  CHECK(refused(leaf));
  CHECK(refused(recorded));
  CHECK(refused(view));
  Tracer tracer;
  for (const Variable& own : {Variable(counted({3})), leaf + leaf, Variable::from(recorded.ref())})
    own.cell().set_value(Value::zeros(DType::float64, own.cell().type().shape));
  CHECK(tracer.refusal().empty());
}
