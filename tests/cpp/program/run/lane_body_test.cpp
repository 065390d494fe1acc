#include "tapegrad/program/run/lane_body.h"

#include "program/programs.h"

using namespace programs;
using tapegrad::as_lane_body;

namespace {

constexpr int64_t n = 5;

Value row(double first) {
  Value v = Value::empty(DType::float64, Dims{n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i, first + 0.1 * static_cast<double>(i));
  return v;
}

}  // namespace

TEST(bodies_of_rows_and_numbers_become_kernels) {
  Draft d;  // carries x, s; series u; the rest w, c; a constant row
  const ValueId x = d.input({n}), s = d.input(Dims{}), u = d.input({n}), w = d.input({n});
  const ValueId c = d.input(Dims{}), rows = d.constant(row(1));
  const ValueId y = d.op("add", {d.op("multiply", {x, w}), d.op("multiply", {u, rows})});
  const ValueId mean = d.op("mean", {d.op("square", {y})}, {std::monostate{}, false});
  const ValueId spread = d.op("broadcast_to", {mean}, {Ints{n}});
  const ValueId z = d.op("subtract", {d.op("tanh", {y}), spread});
  const ValueId t =
      d.op("add", {s, d.op("multiply", {c, d.op("sum", {z}, {std::monostate{}, false})})});
  const Program body = d.returning({z, t, y, d.op("greater", {z, c})});
  const auto kernel = as_lane_body(body, 2, 1);
  CHECK(kernel != nullptr);
  constexpr int64_t length = 4;
  Value us = Value::empty(DType::float64, Dims{length, n});
  for (int64_t i = 0; i < us.size(); ++i) us.set_at(i, 0.01 * static_cast<double>(i));
  std::vector<Value> in{row(0), Value(0.5), us, row(2), Value(-0.5)}, out(4);
  kernel->run(in, length, false, out);
  for (int64_t k = 0; k < length; ++k) {
    Value element = Value::empty(DType::float64, Dims{n});
    for (int64_t i = 0; i < n; ++i) element.set_at(i, us.at(k * n + i));
    const std::vector<Value> now = run(body, {in[0], in[1], element, in[3], in[4]});
    for (int64_t i = 0; i < n; ++i) {
      CHECK(out[2].at(k * n + i) == now[2].at(i));
      CHECK(out[3].at(k * n + i) == now[3].at(i));
    }
    in[0] = now[0];
    in[1] = now[1];
  }
  CHECK(same_numbers(out[0], in[0]));
  CHECK(same_numbers(out[1], in[1]));
}

TEST(other_bodies_stay_programs) {
  const auto is_kernel = [](auto&& make) {
    Draft d;
    const ValueId out = make(d);
    return as_lane_body(d.returning({out}), 0, 0) != nullptr;
  };
  CHECK(is_kernel([](Draft& d) { return d.op("sin", {d.input({n})}); }));
  CHECK(is_kernel([](Draft& d) { return d.op("sin", {d.input(Dims{})}); }));
  CHECK(!is_kernel([](Draft& d) { return d.op("sin", {d.input({5000})}); }));
  CHECK(!is_kernel([](Draft& d) { return d.op("add", {d.input({n}), d.input({3, n})}); }));
  CHECK(!is_kernel([](Draft& d) { return d.op("matmul", {d.input({n}), d.input({n})}); }));
  CHECK(!is_kernel([](Draft& d) {
    const ValueId x = d.input({3, n});
    return d.op("sum", {x}, {int64_t{0}, false});
  }));
  CHECK(!is_kernel([](Draft& d) {
    return d.op("multiply", {d.input({n}), d.op("cast", {d.input(f32({n}))},
                                                {static_cast<int64_t>(DType::float64)})});
  }));
}
