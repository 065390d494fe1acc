#include "tapegrad/kernels/partials/partial_stretch.h"

#include <vector>

#include "check.h"
#include "kernels/random_values.h"
#include "tapegrad/kernels/partials/partial_product.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/scalar/functions/function_list.h"

using namespace tapegrad;

namespace {

using Kind = ProductStep::Kind;

const PartialTape& partial(ScalarFn f, int i = 0) { return partial_tape(f, i); }

}  // namespace

TEST(has_the_bits_of_one_product_after_the_other) {
  constexpr ScalarFn sin = scalar_fn_of<Sin>(), multiply = scalar_fn_of<Multiply>(),
                     negative = scalar_fn_of<Negative>(), add = scalar_fn_of<Add>(),
                     where = scalar_fn_of<Select>();
  for (DType d : {DType::float64, DType::float32})
    for (const Dims& shape : {Dims{70'001}, Dims{3, 1}, Dims{130, 257}, Dims{5, 700}})
      for (int threads : {1, 3}) {
        set_num_threads(threads);
        set_work_threshold_ns(0);
        const Value x = random_array(shape, 1, d, 0.1, 0.9),
                    y = random_array(shape, 2, d, 0.1, 0.9),
                    row = random_array(Dims{shape.back()}, 3, d, 0.1, 0.9);
        Value mask = Value::empty(DType::bool_, shape);
        for (int64_t i = 0; i < mask.size(); ++i) mask.set_at(i, i % 3 == 0);
        const Value ct = Value::scalar(1.25, d);
        const Value before = random_array(shape, 4, d, 0.1, 0.9);
        std::vector<Value> memory{before.copy(), Value::empty(d, shape)};
        // ct -> 0; 0 * cos x -> 1; -1 -> 2; mask * 2 += 1; 1 * row -> array 0; 1 and 1 * y -> array
        // 1
        const std::vector<ProductStep> steps{
            {Kind::load, 0, 0, nullptr, {&ct}},
            {Kind::set, 0, 1, &partial(sin), {&x}},
            {Kind::set, 1, 2, &partial(negative)},
            {Kind::add, 2, 1, &partial(where, 1), {&mask}},
            {Kind::add, 1, 3, &partial(multiply), {nullptr, &row}},
            {Kind::set, 1, 4, &partial(add)},
            {Kind::add, 1, 4, &partial(multiply), {nullptr, &y}},
        };
        run_products(steps, 3, memory, {d, shape});

        const auto inputs = [](std::initializer_list<Value> v) { return std::vector<Value>(v); };
        Value seed = Value::full(d, shape, 1.25), one, two, first = before.copy(), second;
        accumulate_product(partial(sin), inputs({x, x}), seed, one, false);
        accumulate_product(partial(negative), inputs({x, x}), one, two, false);
        accumulate_product(partial(where, 1), inputs({mask, x, x, x}), two, one, true);
        accumulate_product(partial(multiply), inputs({x, row, x}), one, first, true);
        second = one.copy();
        accumulate_product(partial(multiply), inputs({x, y, x}), one, second, true);
        CHECK(same_bits(memory[0], first));
        CHECK(same_bits(memory[1], second));
        set_num_threads(0);
        set_work_threshold_ns(20000);
      }
}
