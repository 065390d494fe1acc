#include "tapegrad/program/passes/fuse/fuse_windows.h"

#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

// x[starts : starts + lengths] as an attribute.
Attrs box(const Ints& starts, const Ints& lengths) {
  Ints code;
  for (size_t i = 0; i < starts.size(); ++i)
    for (int64_t n : {int64_t{1}, starts[i], int64_t{1}, lengths[i]}) code.push_back(n);
  return {code};
}

// The program with kernels and without dead steps; it does the same to the bit, op by op and lane
// by lane.
Program fused(const Program& p) {
  const Program q = drop_dead(fuse(p));
  check_same(p, q);
  std::mt19937_64 random(5);
  for (int round = 0; round < 4; ++round) {
    const std::vector<Value> in = random_inputs(p, random, round % 2 == 1);
    const std::vector<Value> expected = run(p, in), got = run(q, in, {}, true);
    for (size_t k = 0; k < got.size(); ++k) CHECK(same_numbers(got[k], expected[k]));
  }
  return q;
}

size_t count_slice_adds(const Program& p) { return count_op(p, "slice_add"); }

}  // namespace

TEST(a_derivative_of_slices_is_one_kernel) {
  Draft d;
  const ValueId x = d.input({100});
  const ValueId a = d.op("slice", {x}, box({1}, {99})), b = d.op("slice", {x}, box({0}, {99}));
  const ValueId e = d.op("subtract", {a, b}), ct = d.op("multiply", {d.constant(2.0), e});
  const ValueId zeros = d.constant(Value::zeros(DType::float64, Dims{100}));
  const ValueId first = d.op("slice_add", {zeros, d.op("negative", {ct})}, box({0}, {99}));
  const ValueId both = d.op("slice_add", {first, ct}, box({1}, {99}));
  check_text(fused(d.returning({both})),
             "program(in0: float64(100,))\n"
             "  %1: float64(100,) = kernel of 7 over (100,) (in0 at -1, in0, in0 at 1)\n"
             "  return %1");
}

TEST(the_sum_of_the_slices_stays_over_them) {
  Draft d;
  const ValueId x = d.input({50});
  const ValueId a = d.op("slice", {x}, box({2}, {48}));
  const ValueId squares = d.op("square", {a});
  const ValueId total = d.op("sum", {squares}, {Attr{}, false});
  const ValueId zeros = d.constant(Value::zeros(DType::float64, Dims{50}));
  const ValueId up = d.op("slice_add", {zeros, squares}, box({1}, {48}));
  const Program q = fused(d.returning({total, up, d.op("sum", {up}, {Attr{}, false})}));
  CHECK(count_kernels(q) == 2 && count_slice_adds(q) == 0);
}

TEST(what_is_dear_is_stored_once) {
  Draft d;
  const ValueId x = d.input({64});
  const ValueId a = d.op("slice", {x}, box({0}, {63}));
  const ValueId e = d.op("exp", {d.op("sin", {a})});
  const ValueId zeros = d.constant(Value::zeros(DType::float64, Dims{64}));
  const ValueId first = d.op("slice_add", {zeros, d.op("negative", {e})}, box({1}, {63}));
  const Program q = fused(d.returning({d.op("slice_add", {first, e}, box({0}, {63}))}));
  CHECK(count_kernels(q) == 2 && count_slice_adds(q) == 0);
  CHECK(fused(*q.kernels[1]).lanes.kernel().n_inputs == 2);  // the exponentials at two places
}

TEST(boxes_of_several_axes) {
  Draft d;
  const ValueId u = d.input({7, 9});
  const auto part = [&](int64_t i, int64_t j) { return d.op("slice", {u}, box({i, j}, {5, 7})); };
  const ValueId e = d.op("subtract", {d.op("multiply", {part(0, 1), part(2, 1)}),
                                      d.op("multiply", {part(1, 0), part(1, 2)})});
  ValueId sum = d.constant(Value::zeros(DType::float64, Dims{7, 9}));
  for (const auto& [i, j] : {std::pair{1, 1}, {0, 1}, {2, 1}, {1, 0}, {1, 2}})
    sum = d.op("slice_add", {sum, e}, box({i, j}, {5, 7}));
  const Program q = fused(d.returning({sum}));
  CHECK(q.steps.size() == 6 && count_kernels(q) == 2);  // e once, of four slices
}

TEST(arrays_of_a_box_alone) {
  Draft d;
  const ValueId u = d.input({7, 9}), w = d.input({7, 8});
  const ValueId zeros = d.constant(Value::zeros(DType::float64, Dims{7, 9}));
  const ValueId e = d.op("multiply", {w, d.op("slice", {u}, box({0, 1}, {7, 8}))});
  const Program q = fused(d.returning({d.op("slice_add", {zeros, e}, box({0, 1}, {7, 8}))}));
  CHECK(q.steps.size() == 1);
}

TEST(rows_and_numbers_broadcast_into_a_box) {
  Draft d;
  const ValueId u = d.input({7, 9}), row = d.input({9}), column = d.input({7, 1});
  const ValueId number = d.input(Dims{});
  const ValueId zeros = d.constant(Value::zeros(DType::float64, Dims{7, 9}));
  const ValueId a = d.op("multiply", {row, d.op("slice", {u}, box({2, 0}, {5, 9}))});
  const ValueId b = d.op("multiply", {column, d.op("slice", {u}, box({0, 3}, {7, 6}))});
  ValueId sum = d.op("slice_add", {zeros, a}, box({1, 0}, {5, 9}));
  sum = d.op("slice_add", {sum, b}, box({0, 2}, {7, 6}));
  sum = d.op("slice_add", {sum, number}, box({0, 0}, {7, 4}));
  CHECK(fused(d.returning({sum})).steps.size() == 1);
  // A column that stands elsewhere than in the array is no operand of it.
  Draft e;
  const ValueId v = e.input({7, 9}), part = e.input({5, 1});
  const ValueId c = e.op("multiply", {part, e.op("slice", {v}, box({2, 0}, {5, 9}))});
  const ValueId z = e.constant(Value::zeros(DType::float64, Dims{7, 9}));
  (void)fused(e.returning({e.op("slice_add", {z, c}, box({1, 0}, {5, 9}))}));
}

TEST(axes_in_front_are_taken_whole) {
  Draft d;
  const ValueId u = d.input({3, 7, 9});
  const ValueId zeros = d.constant(Value::zeros(DType::float64, Dims{3, 7, 9}));
  const ValueId e = d.op("square", {d.op("slice", {u}, box({1, 0}, {6, 9}))});
  const ValueId sum = d.op("slice_add", {zeros, e}, box({0, 0}, {6, 9}));
  CHECK(fused(d.returning({d.op("slice_add", {sum, e}, box({1, 0}, {6, 9}))})).steps.size() == 1);
}

TEST(a_time_step_is_one_kernel) {
  Draft d;
  ValueId u = d.input({40});
  for (int step = 0; step < 3; ++step) {
    const auto part = [&](int64_t i, int64_t n) { return d.op("slice", {u}, box({i}, {n})); };
    const ValueId bend = d.op("add", {part(2, 38), part(0, 38)});
    const ValueId inner = d.op("add", {part(1, 38), d.op("multiply", {d.constant(0.1), bend})});
    u = d.op("concatenate", {part(0, 1), inner, part(39, 1)}, {int64_t{0}});
  }
  const Program q = fused(d.returning({u}));
  CHECK(q.steps.size() == 3 && count_kernels(q) == 3);
}

TEST(padding_and_writing) {
  Draft d;
  const ValueId x = d.input(f32({30}));
  const ValueId a = d.op("slice", {x}, box({1}, {29})), b = d.op("slice", {x}, box({0}, {29}));
  const ValueId padded = d.op("pad_constant", {d.op("subtract", {a, b})}, {Ints{0, 1}, 2.5});
  const ValueId set = d.op("slice_set", {d.op("exp", {x}), d.op("add", {a, b})}, box({1}, {29}));
  const Program q = fused(d.returning({padded, set}));
  CHECK(q.steps.size() == 1 && count_kernels(q) == 1);
}

TEST(an_element_is_written_where_it_is) {
  Draft d;
  const ValueId x = d.input({1000});
  ValueId y = d.constant(Value::zeros(DType::float64, Dims{1000}));
  for (int64_t i = 0; i < 20; ++i)
    y = d.op("slice_add", {y, d.op("slice", {x}, {Ints{0, i, 0, 0}})}, {Ints{0, 2 * i, 0, 0}});
  const Program q = fused(d.returning({y}));
  CHECK(count_kernels(q) == 0 && count_slice_adds(q) == 20);
}

TEST(a_base_that_is_there_is_written_in_place) {
  Draft d;
  const ValueId x = d.input({100}), y = d.input({30});
  const Program q = fused(d.returning({d.op("slice_add", {x, y}, box({5}, {30}))}));
  CHECK(count_kernels(q) == 0 && count_slice_adds(q) == 1);
}

TEST(parts_beside_each_other_are_written_in_place) {
  Draft d;
  ValueId y = d.constant(Value::zeros(DType::float64, Dims{100}));
  for (int64_t i = 0; i < 4; ++i)
    y = d.op("slice_add", {y, d.op("cumsum", {d.input({25})}, {int64_t{0}})}, box({25 * i}, {25}));
  const Program q = fused(d.returning({y}));
  CHECK(count_kernels(q) == 0 && count_slice_adds(q) == 4);
}

TEST(a_small_part_at_the_end_is_in_the_kernel_where_it_is_read_there) {
  for (const bool is_read : {true, false}) {
    Draft d;
    const ValueId x = d.input({100}), other = d.input({100});
    const auto part = [&](ValueId v, int64_t i, int64_t n) {
      return d.op("slice", {v}, box({i}, {n}));
    };
    ValueId y = d.constant(Value::zeros(DType::float64, Dims{100}));
    y = d.op("slice_add", {y, d.op("square", {part(x, 0, 99)})}, box({0}, {99}));
    y = d.op("slice_add", {y, part(is_read ? x : other, 0, 3)}, box({0}, {3}));
    CHECK(count_slice_adds(fused(d.returning({y}))) == !is_read);
  }
}

TEST(masks_of_slices) {
  for (const DType dtype : {DType::float64, DType::float32}) {
    Draft d;
    const ValueId x = d.input({dtype, {33}}), on = d.input({DType::bool_, {32}});
    const ValueId a = d.op("slice", {x}, box({1}, {32})), b = d.op("slice", {x}, box({0}, {32}));
    const ValueId up = d.op("logical_and", {d.op("less", {a, b}), on});
    const ValueId zeros = d.constant(Value::zeros(dtype, Dims{33}));
    ValueId y = d.op("slice_add", {zeros, d.op("where", {up, a, b})}, box({1}, {32}));
    y = d.op("slice_add", {y, d.op("where", {d.op("less_equal", {a, b}), b, a})}, box({0}, {32}));
    CHECK(count_slice_adds(fused(d.returning({y}))) == 0);
  }
}

// Random boxes of random elementwise results of random boxes, empty ones and single elements too.
TEST(random_stencils) {
  std::mt19937_64 random(11);
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
  };
  int kernels = 0;
  for (int round = 0; round < 150; ++round) {
    const DType dtype = round % 3 == 0 ? DType::float32 : DType::float64;
    Dims shape;
    for (int64_t i = 1 + below(3); i > 0; --i) shape.push_back(1 + below(round % 10 == 0 ? 40 : 7));
    Ints length;
    for (int64_t n : shape)
      length.push_back(below(6) ? std::max<int64_t>(n - below(3), 0) : below(n + 1));
    const auto somewhere = [&] {
      Ints start;
      for (size_t i = 0; i < shape.size(); ++i) start.push_back(below(shape[i] - length[i] + 1));
      return start;
    };
    Draft d;
    std::vector<ValueId> whole{d.input({dtype, shape}), d.input({dtype, shape})};
    std::vector<ValueId> parts{d.input({dtype, Dims(length.data(), length.size())}),
                               d.constant(Value::scalar(0.5, dtype))};
    for (int step = 0; step < 6; ++step) {
      const ValueId from = whole[static_cast<size_t>(below(std::ssize(whole)))];
      parts.push_back(d.op("slice", {from}, box(somewhere(), length)));
      const ValueId a = parts[static_cast<size_t>(below(std::ssize(parts)))], b = parts.back();
      constexpr const char* functions[] = {"add", "multiply", "subtract", "zmul", "maximum"};
      parts.push_back(d.op(functions[below(5)], {a, b}));
      if (below(4) == 0) parts.push_back(d.op("negative", {parts.back()}));
      ValueId y = below(2) ? d.constant(Value::full(dtype, shape, below(2) ? 0.0 : -0.0))
                           : d.op("square", {whole.back()});
      for (int64_t k = 1 + below(4); k > 0; --k)
        y = d.op(below(4) ? "slice_add" : "slice_set",
                 {y, parts[static_cast<size_t>(below(std::ssize(parts)))]},
                 box(somewhere(), length));
      whole.push_back(y);
    }
    const Program q = fused(d.returning({whole.back(), whole[3], parts.back()}));
    for (const Program::Step& s : q.steps)
      kernels += s.kernel >= 0 &&
                 !fused(*q.kernels[static_cast<size_t>(s.kernel)]).lanes.kernel().windows.empty();
  }
  CHECK(kernels > 100);
}
