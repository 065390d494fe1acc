#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

const LaneKernel& kernel_at(const Program& p, size_t k) {
  return fused(*p.kernels[k]).lanes.kernel();
}

// The fused program does the same, its kernels run op by op; and the lane engine agrees.
Program fused(const Program& p, bool special = true) {
  const Program q = fuse(p);
  check_same(p, q, special);
  std::mt19937_64 random(3);
  const std::vector<Value> in = random_inputs(p, random, false);
  const std::vector<Value> expected = run(p, in), got = run(q, in, {}, true);
  for (size_t k = 0; k < got.size(); ++k) {
    CHECK(type_of(got[k]) == type_of(expected[k]));
    CHECK(distance(got[k], expected[k]) < (got[k].dtype() == DType::float32 ? 1e-4 : 1e-12));
  }
  return q;
}

const Attrs all{Attr{}, false};

}  // namespace

TEST(value_and_gradient_are_one_kernel) {
  Draft d;
  const ValueId x = d.input({50}), y = d.input({50});
  const ValueId e = d.op("subtract", {d.op("tanh", {x}), y});
  const ValueId loss = d.op("mean", {d.op("square", {e})}, all);
  const ValueId seed = d.op("broadcast_to", {d.constant(0.02)}, {Ints{50}});
  const ValueId ct = d.op("zmul", {seed, d.op("multiply", {d.constant(2.0), e})});
  const ValueId t = d.op("tanh", {x});
  const ValueId slope = d.op("subtract", {d.constant(1.0), d.op("multiply", {t, t})});
  const Program p = d.returning({loss, d.op("zmul", {ct, slope})});
  const Program q = fused(share_common(p));
  check_text(q,
             "program(in0: float64(50,), in1: float64(50,))\n"
             "  %2: float64(), %3: float64(50,) = kernel of 8 over (50,) (in0, in1)\n"
             "  %5: float64() = divide(%2, 50)\n"
             "  return %5, %3");
  CHECK(kernel_at(q, 0).outputs[0].summed && !kernel_at(q, 0).outputs[1].summed);
}

TEST(sums_keep_their_axes) {
  Draft d;
  const ValueId x = d.input({3, 4, 5}), y = d.input({4, 1});
  const ValueId z = d.op("multiply", {d.op("exp", {x}), y});
  const ValueId a = d.op("sum", {z}, {Ints{0}, false}), b = d.op("sum", {z}, {Ints{1}, false});
  const ValueId c = d.op("sum", {z}, {Ints{0, -1}, true}), e = d.op("sum", {z}, all);
  const ValueId f = d.op("sum_to_shape", {z}, {Ints{4, 1}});
  const ValueId g = d.op("mean", {z}, {Ints{2}, false});
  const Program q = fused(d.returning({a, b, c, e, f, g}));
  check_text(q,
             "program(in0: float64(3, 4, 5), in1: float64(4, 1))\n"
             "  %2: float64(4, 5), %3: float64(3, 1, 5), %4: float64(1, 4, 1), %5: float64(), "
             "%6: float64(4, 1), %7: float64(3, 4, 1) = kernel of 2 over (3, 4, 5) (in0, in1)\n"
             "  %8: float64(3, 5) = reshape(%3) {shape=(3, 5)}\n"
             "  %9: float64(3, 4) = reshape(%7) {shape=(3, 4)}\n"
             "  %11: float64(3, 4) = divide(%9, 5)\n"
             "  return %2, %8, %4, %5, %6, %11");
}

TEST(what_needs_a_sum_waits_for_it) {
  Draft d;
  const ValueId x = d.input({8});
  const ValueId e = d.op("exp", {x}), s = d.op("sum", {e}, all);
  const ValueId p1 = d.op("divide", {e, s});
  const ValueId p2 = d.op("log", {p1});
  const Program q = fused(d.returning({p2}));
  check_text(q,
             "program(in0: float64(8,))\n"
             "  %1: float64(8,), %2: float64() = kernel of 1 over (8,) (in0)\n"
             "  %3: float64(8,) = kernel of 2 over (8,) (%1, %2)\n"
             "  return %3");
}

TEST(small_operands_are_not_computed_again_for_every_element) {
  Draft d;
  const ValueId x = d.input({6, 3}), s = d.input({3});
  const ValueId scale = d.op("exp", {d.op("negative", {s})});
  const ValueId z = d.op("sin", {d.op("multiply", {x, scale})});
  const Program q = fused(d.returning({z}));
  check_text(q,
             "program(in0: float64(6, 3), in1: float64(3,))\n"
             "  %2: float64(3,) = kernel of 2 over (3,) (in1)\n"
             "  %3: float64(6, 3) = kernel of 2 over (6, 3) (in0, %2)\n"
             "  return %3");
}

TEST(kernels_do_not_wait_for_one_another) {
  // b needs a through a product of matrices; c joins a's kernel, not b's.
  Draft d;
  const ValueId x = d.input({4, 4}), y = d.input({4, 4});
  const ValueId a = d.op("exp", {x});
  const ValueId m = d.op("matmul", {a, y});
  const ValueId b = d.op("add", {d.op("sin", {m}), a});
  const ValueId c = d.op("cos", {y});
  const ValueId e = d.op("multiply", {b, c});
  const Program q = fused(d.returning({e, c}));
  CHECK(count_kernels(q) == 2);
  CHECK(kernel_at(q, 0).code.size() == 2);
  CHECK(kernel_at(q, 1).code.size() == 3);
}

TEST(the_reverse_part_computes_slopes_where_it_uses_them) {
  // t = tanh(x w); c comes back through another product: 1 - t t moves behind it.
  Draft d;
  const ValueId x = d.input({5, 5}), w = d.input({5, 5});
  const ValueId t = d.op("tanh", {d.op("matmul", {x, w})});
  const ValueId y = d.op("matmul", {t, w});
  const ValueId slope = d.op("subtract", {d.constant(1.0), d.op("multiply", {t, t})});
  const ValueId back = d.op("matmul", {d.op("exp", {y}), w});
  const ValueId ct = d.op("zmul", {back, slope});
  const Program q = fused(d.returning({d.op("matmul", {ct, x})}));
  check_text(q,
             "program(in0: float64(5, 5), in1: float64(5, 5))\n"
             "  %2: float64(5, 5) = matmul(in0, in1)\n"
             "  %3: float64(5, 5) = tanh(%2)\n"
             "  %4: float64(5, 5) = matmul(%3, in1)\n"
             "  %5: float64(5, 5) = exp(%4)\n"
             "  %6: float64(5, 5) = matmul(%5, in1)\n"
             "  %7: float64(5, 5) = kernel of 3 over (5, 5) (%3, %6)\n"
             "  %8: float64(5, 5) = matmul(%7, in0)\n"
             "  return %8");
}

TEST(one_array_is_stored_rather_than_two) {
  // w = a b is wanted late; a and b are not in memory, so w is stored.
  Draft d;
  const ValueId x = d.input({64}), y = d.input({64});
  const ValueId a = d.op("exp", {x}), b = d.op("exp", {y});
  const ValueId w = d.op("multiply", {a, b});
  const ValueId s = d.op("sum", {d.op("add", {a, b})}, all);
  const Program q = fused(d.returning({d.op("multiply", {d.op("sin", {w}), s})}));
  CHECK(count_kernels(q) == 2);
  CHECK(kernel_at(q, 0).outputs.size() == 2);
}

TEST(cheap_values_are_made_again_instead_of_stored) {
  Draft d;
  const ValueId x = d.input({64}), mu = d.input(Dims{});
  const ValueId e = d.op("subtract", {x, mu});
  const ValueId s = d.op("sum", {d.op("square", {e})}, all);
  const ValueId z = d.op("tanh", {d.op("multiply", {e, s})});
  const Program q = fused(d.returning({z}));
  check_text(q,
             "program(in0: float64(64,), in1: float64())\n"
             "  %2: float64() = kernel of 2 over (64,) (in0, in1)\n"
             "  %3: float64(64,) = kernel of 3 over (64,) (in0, in1, %2)\n"
             "  return %3");
}

TEST(what_is_made_from_two_arrays_is_stored) {
  // Not the cheap -(x y), for which two arrays would be read again.
  Draft d;
  const ValueId x = d.input({64}), y = d.input({64});
  const ValueId b = d.op("negative", {d.op("multiply", {x, y})});
  const ValueId s = d.op("sum", {b}, all);
  const Program q = fused(d.returning({d.op("tanh", {d.op("multiply", {b, s})})}));
  check_text(q,
             "program(in0: float64(64,), in1: float64(64,))\n"
             "  %2: float64(64,), %3: float64() = kernel of 2 over (64,) (in0, in1)\n"
             "  %4: float64(64,) = kernel of 2 over (64,) (%2, %3)\n"
             "  return %4");
}

TEST(masks_live_inside) {
  for (const DType t : {DType::float64, DType::float32}) {
    Draft d;
    const ValueId x = d.input({t, Dims{9}}), y = d.input({t, Dims{9}});
    const ValueId m = d.op("less", {x, y});
    const ValueId n = d.op("logical_and", {m, d.op("isfinite", {x})});
    const ValueId z = d.op("where", {n, d.op("exp", {x}), y});
    const Program q = fused(d.returning({z, n}));
    CHECK(count_kernels(q) == 1);
    CHECK(q.steps.size() == 1);
    CHECK(kernel_at(q, 0).dtype == t);
    CHECK(q.type_of(q.outputs[1]).dtype == DType::bool_);
  }
}

TEST(precisions_do_not_mix) {
  Draft d;
  const ValueId x = d.input(f32({7})), y = d.input({7});
  const TensorType ints{DType::int64, Dims{7}};
  const ValueId k = d.input(ints);
  const ValueId a = d.op("exp", {d.op("negative", {x})});
  const ValueId wide = d.op("cast", {a}, {static_cast<int64_t>(DType::float64)});
  const ValueId b = d.op("sin", {d.op("multiply", {wide, d.op("add", {y, k})})});
  const ValueId narrow = d.op("cast", {b}, {static_cast<int64_t>(DType::float32)});
  const ValueId c = d.op("exp", {d.op("add", {narrow, x})});
  const Program q = fused(d.returning({c}));
  check_text(q,
             "program(in0: float32(7,), in1: float64(7,), in2: int64(7,))\n"
             "  %3: float32(7,) = kernel of 2 over (7,) (in0)\n"
             "  %4: float64(7,) = kernel of 3 over (7,) (in1, in2, %3)\n"
             "  %5: float32(7,) = cast(%4) {dtype=9}\n"
             "  %6: float32(7,) = kernel of 2 over (7,) (%5, in0)\n"
             "  return %6");
}

TEST(inserted_axes) {
  Draft d;
  const ValueId r = d.input({3}), c = d.input({2});
  const ValueId rows = d.op("expand_dims", {r}, {Ints{0}});
  const ValueId columns = d.op("expand_dims", {d.op("exp", {c})}, {Ints{1}});
  const ValueId z = d.op("exp", {d.op("multiply", {rows, columns})});
  const Program q = fused(d.returning({z}));
  check_text(q,
             "program(in0: float64(3,), in1: float64(2,))\n"
             "  %2: float64(2,) = exp(in1)\n"
             "  %3: float64(2, 1) = expand_dims(%2) {axes=(1,)}\n"
             "  %4: float64(2, 3) = kernel of 2 over (2, 3) (in0, %3)\n"
             "  return %4");
}

TEST(scalars_form_one_kernel) {
  Draft d;
  ValueId x = d.input(Dims{});
  const ValueId y = d.input(Dims{});
  for (int i = 0; i < 5000; ++i) x = d.op("sin", {d.op("add", {x, y})});
  const Program q = fused(d.returning({x}));
  CHECK(q.steps.size() == 1);
  CHECK(kernel_at(q, 0).code.size() == 10000);
}

TEST(large_groups_are_split) {
  Draft d;
  const ValueId y = d.input({65});
  ValueId x = y, s = y;
  for (int i = 0; i < 6000; ++i) {
    x = d.op("sin", {d.op("add", {x, y})});
    if (i % 1000 == 0) s = d.op("add", {s, x});
  }
  const Program q = fused(d.returning({x, d.op("sum", {s}, all)}));
  CHECK(count_kernels(q) == 3);
  for (const auto& k : q.kernels) CHECK(fused(*k).lanes.kernel().code.size() <= 4096);
}

TEST(short_arrays_of_a_long_loop_form_one_kernel) {
  Draft d;
  const ValueId y = d.input({14});
  ValueId x = y;
  for (int i = 0; i < 6000; ++i) x = d.op("sin", {d.op("add", {x, y})});
  CHECK(count_kernels(fused(d.returning({x}))) == 1);
}

TEST(equal_kernels_share_their_code) {
  Draft d;
  const ValueId w = d.input({4, 4});
  ValueId x = d.input({4});
  for (int i = 0; i < 5; ++i) x = d.op("tanh", {d.op("exp", {d.op("matmul", {w, x})})});
  const Program q = fused(d.returning({x}));
  CHECK(count_kernels(q) == 5);
  CHECK(q.kernels[0] == q.kernels[4]);
}

TEST(guards_and_outputs_find_their_values) {
  Draft d;
  const ValueId x = d.input({5});
  const ValueId e = d.op("exp", {x}), s = d.op("sum", {e}, all);
  const ValueId positive = d.op("greater", {s, d.constant(0.0)});
  d.guard(positive, Value::integer_scalar(1, DType::bool_));
  const ValueId wide = d.op("broadcast_to", {s}, {Ints{2, 5}});
  const Program q = fused(d.returning({e, wide, x, d.constant(3.0), d.op("log", {e})}));
  CHECK(q.guards.size() == 1);
  CHECK(q.values[q.guards[0].value].source == Source::step);
  CHECK(q.type_of(q.guards[0].value).dtype == DType::bool_);
  CHECK(count_op(q, "broadcast_to") == 1);
}

TEST(empty_arrays_stay_ops) {
  Draft d;
  const ValueId x = d.input({0, 3});
  const ValueId e = d.op("exp", {d.op("exp", {x})});
  const Program q = fused(d.returning({e, d.op("sum", {e}, {Ints{0}, false})}));
  CHECK(count_kernels(q) == 0);
}
