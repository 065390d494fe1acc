#include "tapegrad/kernels/partials/partial_product.h"

#include <cmath>
#include <vector>

#include "check.h"
#include "kernels/random_values.h"
#include "tapegrad/kernels/array/elementwise.h"

using namespace tapegrad;

namespace {

Value spread(const Value& v, const Dims& shape) {
  if (shape.empty()) return v;
  Value out = Value::empty(v.dtype(), shape);
  copy_into(out, v);
  return out;
}

// Element by element.
template <class T>
Value slow_program(const PartialTape& p, std::vector<Value> inputs, const Dims& shape) {
  for (Value& v : inputs)
    if (v.has_data()) v = spread(v, shape);
  Value out = Value::empty(dtype_of<T>(), shape);
  for (int64_t i = 0; i < out.size(); ++i) {
    T x[4] = {};
    for (size_t k = 0; k < inputs.size(); ++k)
      if (inputs[k].has_data()) x[k] = static_cast<T>(inputs[k].at(i));
    out.set_at(i, eval_partial(p, x));
  }
  return out;
}

Value slow_product(const PartialTape& p, const Value& partial, const Value& ct,
                   const Value* before) {
  const Value c = spread(ct, partial.shape());
  Value out = Value::empty_like(partial);
  for (int64_t i = 0; i < out.size(); ++i) {
    const bool single = out.dtype() == DType::float32;
    const double x = c.at(i), q = partial.at(i);
    double product = x == 0 || (p.strong && q == 0) ? 0 : x * q;
    if (single) product = static_cast<float>(product);
    if (p.is_mask) product = q != 0 ? x : 0;
    out.set_at(i, before ? before->at(i) + product : product);
  }
  return out;
}

const DType types[] = {DType::float64, DType::float32};

// x0.., y for a function, broadcast against each other.
std::vector<Value> operands_of(ScalarFn f, const std::vector<Dims>& shapes, DType d,
                               uint64_t seed) {
  std::vector<Value> in;
  for (int i = 0; i < scalar_fn_info(f).arity; ++i)
    in.push_back(
        random_array(shapes[static_cast<size_t>(i)], seed + static_cast<uint64_t>(i), d, 0.1, 0.9));
  Value y = Value::scalar(0, scalar_fn_info(f).returns_bool ? DType::bool_ : d);
  eval_elementwise(f, in, y);
  in.push_back(y);
  return in;
}

void check_partials(const std::vector<Dims>& shapes) {
  for (DType d : types)
    for (size_t k = 0; k < scalar_fn_count; ++k) {
      const auto f = static_cast<ScalarFn>(k);
      const std::vector<Value> in = operands_of(f, shapes, d, k);
      const Dims shape = in.back().shape();
      Value ct = random_array(shape, 99, d);
      if (!shape.empty())
        for (int64_t i = 0; i < ct.size(); i += 3) ct.set_at(i, 0.0);
      for (int i = 0; i < scalar_fn_info(f).arity; ++i) {
        const PartialTape& p = partial_tape(f, i);
        const Value expected = d == DType::float64 ? slow_program<double>(p, in, shape)
                                                   : slow_program<float>(p, in, shape);
        const std::string what =
            join_text(scalar_fn_info(f).name, " by input ", i, ", ", describe(expected));

        Value adjoint;
        accumulate_product(p, in, ct, adjoint, false);
        Value product = slow_product(p, expected, ct, nullptr);
        check::expect(same_numbers(spread(adjoint, shape), product), __FILE__, __LINE__,
                      "product: " + what);
        adjoint = random_array(shape, 5, d);
        product = slow_product(p, expected, ct, &adjoint);
        accumulate_product(p, in, ct, adjoint, true);
        check::expect(same_numbers(adjoint, product), __FILE__, __LINE__, "sum: " + what);
      }
    }
}

}  // namespace

TEST(every_partial_on_packed_arrays) { check_partials({Dims{1500}, Dims{1500}, Dims{1500}}); }

TEST(every_partial_on_broadcast_arrays) {
  check_partials({Dims{7, 1}, Dims{300}, Dims{7, 300}});
  check_partials({Dims{5, 6}, Dims{6}, Dims{}});
}

TEST(every_partial_on_scalars) { check_partials({Dims{}, Dims{}, Dims{}}); }

TEST(a_zero_cotangent_stops_infinities) {
  const PartialTape& p = partial_tape(scalar_fn_of<Sqrt>(), 0);
  const Value x = Value::from(std::vector<double>{0, 4, 0}, Dims{3});
  Value y;
  eval_elementwise(scalar_fn_of<Sqrt>(), std::vector<Value>{x}, y);
  const Value ct = Value::from(std::vector<double>{0, 1, 1}, Dims{3});
  Value adjoint;
  accumulate_product(p, std::vector<Value>{x, y}, ct, adjoint, false);
  CHECK(adjoint.at(0) == 0 && adjoint.at(1) == 0.25 && adjoint.at(2) == INFINITY);
}

TEST(a_mask_stops_what_is_not_finite) {
  const PartialTape& p = partial_tape(scalar_fn_of<Select>(), 1);
  const Value mask = Value::from(std::vector<double>{0, 1, 0}, Dims{3});
  const Value ct = Value::from(std::vector<double>{NAN, INFINITY, INFINITY}, Dims{3});
  for (bool accumulate : {false, true}) {
    Value adjoint = Value::zeros(DType::float64, Dims{3});
    accumulate_product(p, std::vector<Value>{mask, Value(1.0), Value(2.0), Value(1.0)}, ct, adjoint,
                       accumulate);
    CHECK(adjoint.at(0) == 0 && adjoint.at(1) == INFINITY && adjoint.at(2) == 0);
  }
}

TEST(inputs_that_are_not_read_may_be_gone) {
  Value x = random_array({10}, 1);
  Value y;
  eval_elementwise(scalar_fn_of<Tanh>(), std::vector<Value>{x}, y);
  x.drop_data();
  const Value ct = random_array({10}, 2);
  Value adjoint;
  accumulate_product(partial_tape(scalar_fn_of<Tanh>(), 0), std::vector<Value>{x, y}, ct, adjoint,
                     false);
  for (int64_t i = 0; i < 10; ++i) CHECK(adjoint.at(i) == ct.at(i) * (1 - y.at(i) * y.at(i)));
}

TEST(shared_memory_is_not_overwritten) {
  const Value ct = random_array({2000}, 1), before = ct.copy();
  Value adjoint;
  accumulate_product(partial_tape(scalar_fn_of<Add>(), 0), std::vector<Value>(3, ct), ct, adjoint,
                     false);
  accumulate_product(partial_tape(scalar_fn_of<Add>(), 1), std::vector<Value>(3, ct), ct, adjoint,
                     true);
  CHECK(same_bits(ct, before));
  for (int64_t i = 0; i < 2000; ++i) CHECK(adjoint.at(i) == 2 * ct.at(i));
}

TEST(sums_in_place) {
  Value to = Value::zeros(DType::float64, Dims{40, 300});
  add_in_place(to, random_array({300}, 1));
  add_in_place(to, Value(2.0));
  add_in_place(to, random_array({40, 1}, 2).cast(DType::float32));
  const Value row = random_array({300}, 1), column = random_array({40, 1}, 2).cast(DType::float32);
  for (int64_t i = 0; i < to.size(); ++i)
    CHECK(to.at(i) == row.at(i % 300) + 2.0 + column.at(i / 300));
  Value scalar(1.0);
  add_in_place(scalar, Value(0.5));
  CHECK(scalar.as_double() == 1.5);
}

TEST(an_adjoint_that_does_not_own_its_memory_is_made_anew) {
  const Value base = random_array({2, 37}, 1), before = base.copy(), x = random_array({37}, 2),
              ct = random_array({37}, 3);
  const int64_t shape[] = {37}, strides[] = {1}, none[] = {0};
  for (const Value& shared : {base.view(shape, strides, 37), base.view(shape, none, 5)}) {
    Value adjoint = shared;
    accumulate_product(partial_tape(scalar_fn_of<Multiply>(), 0), std::vector<Value>{ct, x, ct}, ct,
                       adjoint, true);
    for (int64_t i = 0; i < 37; ++i) CHECK(adjoint.at(i) == shared.at(i) + ct.at(i) * x.at(i));
    adjoint = shared;
    add_in_place(adjoint, x);
    for (int64_t i = 0; i < 37; ++i) CHECK(adjoint.at(i) == shared.at(i) + x.at(i));
  }
  CHECK(same_bits(base, before));
}

TEST(same_bits_for_any_number_of_threads) {
  const ScalarFn f = scalar_fn_of<Logaddexp>();
  const std::vector<Value> in = operands_of(f, {Dims{41, 1}, Dims{700}}, DType::float64, 3);
  const Value ct = random_array({41, 700}, 9);
  Value expected;
  accumulate_product(partial_tape(f, 0), in, ct, expected, false);
  for (int threads : {1, 2, 3, 8}) {
    const UseThreads use(threads);
    const int64_t before = parallel_regions_run();
    Value adjoint;
    accumulate_product(partial_tape(f, 0), in, ct, adjoint, false);
    CHECK(same_bits(adjoint, expected));
    CHECK((parallel_regions_run() > before) == (threads > 1));
  }
}
