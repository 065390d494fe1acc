#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;
using tapegrad::expand;

namespace {

const Attrs all{Attr{}, false};

Attrs over(std::initializer_list<int64_t> axes) { return {Ints(axes), false}; }

// One kernel that does what the program does, to the bit.
void check_one_kernel(const Program& p) {
  const Program q = expand(p);
  if (q.steps.size() != 1) std::printf("%s\n", to_string(q).c_str());
  CHECK(q.steps.size() == 1 && count_kernels(q) == 1);
  check_same(p, q, true, true);
}

// A few products of small matrices, for which a kernel is always faster.
ValueId with_products(Draft& d, ValueId matrix, int count = 3) {
  ValueId v = matrix;
  for (int k = 0; k < count; ++k) v = d.op("matmul", {v, matrix});
  return v;
}

}  // namespace

TEST(a_small_model_is_one_kernel_of_one_lane) {
  Draft d;
  const ValueId a = d.input({3, 3}), x = d.input({3});
  const ValueId r = d.op("matmul", {a, x});
  const ValueId y = d.op("sum", {d.op("square", {r})}, all);
  const Program p = d.returning({y, d.op("matmul", {d.op("exp", {r}), a})});
  check_text(expand(p),
             "program(in0: float64(3, 3), in1: float64(3,))\n"
             "  %2: float64(), %3: float64(3,) = kernel of 38 over (1,) (in0, in1)\n"
             "  return %2, %3");
  check_one_kernel(p);
}

TEST(every_product_that_is_taken_apart_keeps_its_bits) {
  const std::vector<std::pair<Dims, Dims>> shapes = {
      {{4, 4}, {4, 4}},    {{2, 3}, {3, 4}},         {{8, 8}, {8}}, {{3}, {3, 3}}, {{7}, {7}},
      {{2, 3, 3}, {3, 3}}, {{2, 1, 3, 3}, {2, 3, 2}}};
  for (const auto& [left, right] : shapes) {
    Draft d;
    const ValueId a = d.input(left), b = d.input(right), m = d.input({2, 2});
    const ValueId product = d.op("matmul", {a, b});
    check_one_kernel(d.returning({product, d.op("negative", {product}), with_products(d, m)}));
  }
}

TEST(every_sum_that_is_taken_apart_keeps_its_bits) {
  const std::vector<std::pair<Dims, std::vector<Attrs>>> cases = {
      {{3}, {all}},
      {{8}, {all}},
      {{19}, {all}},
      {{64}, {all}},
      {{4, 5}, {all, over({0}), over({1}), {Ints{1}, true}}},
      {{2, 3, 9}, {over({2}), over({1, 2}), over({0}), over({0, 1})}},
      {{5, 1}, {all, over({0}), over({1})}}};
  for (const char* op : {"sum", "mean", "prod", "max", "min", "logsumexp"})
    for (const auto& [shape, attrs] : cases) {
      Draft d;
      const ValueId x = d.input(shape), m = d.input({2, 2});
      const ValueId products = with_products(d, m, 40);
      d.writer().output(products);
      for (const Attrs& a : attrs) d.writer().output(d.op(op, {x}, a));
      const Program p = d.returning({products});
      const Program q = expand(p);
      CHECK(q.steps.size() == 1);
      check_same(p, q, true, true);
    }
}

TEST(arrays_are_moved_masked_and_updated) {
  Draft d;
  const ValueId x = d.input({3, 4}), y = d.input({4}), m = d.input({2, 2});
  const ValueId mask = d.op("less", {x, y});
  const ValueId chosen = d.op("where", {mask, x, d.op("negative", {y})});
  const ValueId turned = d.op("transpose", {chosen}, {Ints{1, 0}});
  const ValueId row = d.op("slice", {turned}, {Ints{0, 2, 0, 0, 1, 0, 1, 3}});
  const ValueId joined = d.op("concatenate", {row, y}, {int64_t{0}});
  const ValueId zeros = d.constant(Value::zeros(DType::float64, Dims{7}));
  const ValueId updated = d.op("slice_add", {zeros, row}, {Ints{1, 2, 1, 3}});
  check_one_kernel(d.returning({mask, turned, joined, updated, with_products(d, m)}));
}

TEST(single_precision) {
  Draft d;
  const ValueId a = d.input(f32({3, 3})), x = d.input(f32({3}));
  const ValueId y = d.op("tanh", {d.op("matmul", {a, x})});
  check_one_kernel(d.returning({d.op("sum", {y}, all), d.op("matmul", {a, y})}));
}

TEST(a_step_that_stays_cuts_the_kernels) {
  Draft d;
  const ValueId a = d.input({3, 3}), large = d.input({3, 500});
  const ValueId first = with_products(d, a);
  const ValueId far = d.op("matmul", {first, large});
  const ValueId back = d.op("matmul", {far, d.op("transpose", {large}, {Ints{1, 0}})});
  const ValueId second = with_products(d, d.op("add", {back, d.op("sin", {first})}));
  const Program p = d.returning({second, first});
  const Program q = expand(p);
  CHECK(count_kernels(q) == 2);
  CHECK(count_op(q, "matmul") == 2);
  check_same(p, q, false, true);
}

TEST(elementwise_steps_alone_are_left_to_fusion) {
  Draft d;
  const ValueId x = d.input({3});
  const Program p = d.returning({d.op("exp", {d.op("sin", {x})})});
  CHECK(to_string(expand(p)) == to_string(p));
}

TEST(long_vectors_beside_little_work_stay_vectors) {
  Draft d;
  const ValueId x = d.input({64}), y = d.input({64});
  ValueId v = x;
  for (int k = 0; k < 10; ++k) v = d.op("exp", {d.op("multiply", {v, y})});
  const Program p = d.returning({d.op("sum", {v}, all)});
  CHECK(to_string(expand(p)) == to_string(p));
}

TEST(guards_hold_what_kernels_compute) {
  Draft d;
  const ValueId a = d.input({2, 2});
  const ValueId v = with_products(d, a);
  const ValueId positive = d.op("greater", {d.op("sum", {v}, all), d.constant(0.0)});
  d.guard(positive, Value::integer_scalar(1, DType::bool_));
  const Program p = d.returning({v});
  const Program q = expand(p);
  CHECK(q.guards.size() == 1 && count_kernels(q) == 1);
  CHECK(type_of(q.guards[0].expected) == q.type_of(q.guards[0].value));
  check_same(p, q, true, true);
}

// A matrix of more elements than are taken apart, of which only columns are read and written.
TEST(arrays_that_are_read_and_written_in_pieces_are_no_arrays) {
  const auto column = [](int64_t from, int64_t n, int64_t at) {
    return Ints{1, from, 1, n, 0, at, 0, 0};
  };
  const auto draft = [&](bool is_read_whole) {
    Draft d;
    const ValueId x = d.input({15, 15});
    ValueId l = d.constant(Value::zeros(DType::float64, Dims{15, 15}));
    for (int64_t j = 0; j < 15; ++j) {
      const ValueId own = d.op("slice", {x}, {column(j, 15 - j, j)});
      const ValueId before = d.op("slice", {l}, {column(j, 15 - j, j == 0 ? 1 : j - 1)});
      l = d.op("slice_set", {l, d.op("sin", {d.op("add", {own, before})})}, {column(j, 15 - j, j)});
      l = d.op("slice_add", {l, d.op("sum", {own}, all)}, {Ints{0, j, 0, 0, 0, 14, 0, 0}});
      if (is_read_whole) l = d.op("tanh", {l});
    }
    return d.returning({l});
  };
  const Program p = draft(false);
  check_one_kernel(p);
  // Where whole versions are needed, they stay.
  const Program whole = draft(true);
  check_same(whole, expand(whole), false, true);
  CHECK(count_op(expand(whole), "slice_set") == 15);
}
