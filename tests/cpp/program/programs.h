// Programs written by hand, and what they compute: for the tests of program/ and its passes.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "check.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/kernels/reduce/reduce_sum.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/program/program.h"
#include "tapegrad/program/writer.h"

namespace programs {

using tapegrad::Attr;
using tapegrad::Attrs;
using tapegrad::Dims;
using tapegrad::DType;
using tapegrad::FusedKernel;
using tapegrad::LaneKernel;
using tapegrad::Op;
using tapegrad::Program;
using tapegrad::ScalarFn;
using tapegrad::Source;
using tapegrad::TensorType;
using tapegrad::Value;
using tapegrad::ValueId;
using Ints = std::vector<int64_t>;

inline TensorType f64(const Dims& shape = {}) { return {DType::float64, shape}; }
inline TensorType f32(const Dims& shape = {}) { return {DType::float32, shape}; }

inline const Op& op_named(const char* name) {
  tapegrad::register_all_ops();
  return *tapegrad::find_op(name);
}

// A ProgramWriter that infers types.
class Draft {
 public:
  ValueId input(const TensorType& t) { return writer_.input(t); }
  ValueId input(const Dims& shape) { return writer_.input(f64(shape)); }
  ValueId capture(const TensorType& t) { return writer_.capture(t); }
  ValueId constant(Value v) { return writer_.constant(std::move(v)); }
  ValueId constant(double x) { return writer_.constant(Value(x)); }
  ValueId op(const char* name, std::initializer_list<ValueId> in, const Attrs& attrs = {},
             bool held = false) {
    const Op& op = op_named(name);
    std::vector<TensorType> types;
    for (ValueId v : in) types.push_back(writer_.program().type_of(v));
    return writer_.step(op, attrs, {in.begin(), in.size()}, op.infer(attrs, types), held);
  }
  void guard(ValueId v, Value expected) { writer_.guard(v, std::move(expected), "here"); }
  Program returning(std::initializer_list<ValueId> outputs) {
    for (ValueId v : outputs) writer_.output(v);
    return std::move(writer_).finish();
  }
  tapegrad::ProgramWriter& writer() { return writer_; }

 private:
  tapegrad::ProgramWriter writer_;
};

// x taken along one axis, by the op.
inline Value take(const Value& x, const Value& index, int axis) {
  tapegrad::IndexSpec spec;
  for (int k = 0; k < x.ndim(); ++k) k == axis ? spec.array() : spec.whole(x.dim(k));
  spec.position = axis;
  std::vector<Value> in{x, index}, out(1);
  op_named("gather").eval(spec.attrs(), in, out);
  return out[0];
}

// An array of `space` made element by element.
template <class F>
Value filled(DType d, const Dims& space, F&& element) {
  Value v = Value::empty(d, space);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, element(i));
  return v;
}

inline bool is_within(const tapegrad::LaneWindow& w, int64_t lane) {
  for (const auto& r : w.ranges)
    if (lane % r.period < r.begin || lane % r.period >= r.end) return false;
  return true;
}

inline const FusedKernel& fused(const tapegrad::StepKernel& k) {
  return dynamic_cast<const FusedKernel&>(k);
}

// The element of v at a lane, where its first one lies at another; -0.0 beside it.
inline double in_box(const Value& v, const Dims& space, int64_t first, int64_t lane) {
  int64_t element = 0, stride = 1;
  for (size_t axis = space.size(); axis-- > 0; stride *= v.shape()[axis]) {
    const int64_t at = lane % space[axis] - first % space[axis];
    if (at < 0 || at >= v.shape()[axis]) return -0.0;
    element += at * stride;
    lane /= space[axis];
    first /= space[axis];
  }
  return v.at(element);
}

// What a kernel computes, one op at a time over whole arrays: the definition that LaneProgram is
// held against.
inline std::vector<Value> run_by_ops(const FusedKernel& fused, std::span<const Value> in) {
  const LaneKernel& k = fused.lanes.kernel();
  std::vector<Value> operands(in.begin(), in.begin() + k.n_inputs);
  for (const tapegrad::LaneGather& g : k.gathers)
    operands[g.input] = take(in[g.input], in[k.n_inputs + g.index], g.axis);
  for (size_t i = 0; i < k.n_inputs; ++i)
    if (k.offset(i) != tapegrad::no_offset)
      operands[i] = filled(k.dtype, fused.space, [&](int64_t lane) {
        if (!k.boxes[i].ranges.empty()) return in_box(in[i], fused.space, k.offset(i), lane);
        const int64_t at = lane - k.offset(i);
        return at < 0 || at >= in[i].size() ? -0.0 : in[i].at(at);
      });
  const auto spread = [&](uint32_t operand) {
    Value whole = Value::empty(k.dtype, fused.space);
    tapegrad::copy_into(whole, operands[operand].cast(k.dtype));
    return whole;
  };
  for (double c : k.constants) operands.push_back(Value::scalar(c, k.dtype));
  for (const LaneKernel::Instruction& code : k.code) {
    if (tapegrad::is_window_fn(code.fn)) {
      const Value a = spread(code.args[0]), b = spread(code.args[1]);
      Value sum = Value::empty(k.dtype, fused.space);
      tapegrad::eval_elementwise(tapegrad::scalar_fn_of<tapegrad::Add>(), std::array{a, b}, sum);
      operands.push_back(filled(k.dtype, fused.space, [&](int64_t lane) {
        if (!is_within(k.windows[code.args[2]], lane)) return a.at(lane);
        return code.fn == tapegrad::window_add ? sum.at(lane) : b.at(lane);
      }));
      continue;
    }
    const tapegrad::ScalarFnInfo& info = tapegrad::scalar_fn_info(code.fn);
    std::vector<Value> args;
    for (int i = 0; i < info.arity; ++i)
      args.push_back(operands[code.args[static_cast<size_t>(i)]]);
    Value out = Value::scalar(0, k.dtype);
    for (Value& v : args) v = v.cast(k.dtype);
    tapegrad::eval_elementwise(code.fn, args, out);
    operands.push_back(out);
  }
  std::vector<Value> results;
  for (const LaneKernel::Output& o : k.outputs) {
    Value whole = Value::empty(k.dtype, fused.space);
    if (whole.is_scalar()) {
      whole = operands[o.operand].cast(k.dtype);
    } else {
      tapegrad::copy_into(whole, operands[o.operand]);
    }
    if (o.summed) whole = tapegrad::sum_to_shape(whole, o.shape);
    results.push_back(whole.cast(o.dtype));
  }
  return results;
}

// A program's outputs: ops by eval; kernels by LaneProgram, or by ops, but for those over a batch.
inline std::vector<Value> run(const Program& p, const std::vector<Value>& inputs,
                              const std::vector<Value>& captures = {}, bool lanes = false) {
  std::vector<Value> values(p.values.size());
  for (size_t v = 0; v < p.values.size(); ++v) {
    const Program::ValueInfo& info = p.values[v];
    if (info.source == Source::input) values[v] = inputs[info.index];
    if (info.source == Source::captured) values[v] = captures[info.index];
    if (info.source == Source::constant) values[v] = p.constants[info.index];
  }
  for (const Program::Step& s : p.steps) {
    std::vector<Value> in, out(s.n_out);
    for (ValueId v : p.in(s)) in.push_back(values[v]);
    if (s.kernel < 0) {
      tapegrad::op_by_id(s.op).eval(p.attrs_of(s), in, out);
    } else if (const auto* k =
                   dynamic_cast<const FusedKernel*>(p.kernels[static_cast<size_t>(s.kernel)].get());
               lanes || !k || k->lanes.kernel().batch) {
      p.kernels[static_cast<size_t>(s.kernel)]->run(in, out);
    } else {
      out = run_by_ops(*k, in);
    }
    for (uint32_t j = 0; j < s.n_out; ++j) {
      CHECK(type_of(out[j]) == p.type_of(s.first_out + j));
      values[s.first_out + j] = out[j];
    }
  }
  std::vector<Value> outputs;
  for (ValueId v : p.outputs) outputs.push_back(values[v]);
  return outputs;
}

// Equal to the bit; a NaN equals any NaN.
inline bool same_numbers(const Value& a, const Value& b) {
  if (type_of(a) != type_of(b)) return false;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.at(i), y = b.at(i);
    if (std::isnan(x) && std::isnan(y)) continue;
    if (std::bit_cast<uint64_t>(x) != std::bit_cast<uint64_t>(y)) return false;
  }
  return true;
}

inline double distance(const Value& a, const Value& b) {
  double most = 0;
  for (int64_t i = 0; i < a.size(); ++i) {
    const double x = a.at(i), y = b.at(i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double d = std::abs(x - y) / std::fmax(1.0, std::abs(y));
    most = d > most || std::isnan(d) ? (std::isnan(d) ? 1e300 : d) : most;
  }
  return most;
}

inline Value random_value(const TensorType& t, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  Value v = Value::empty(t.dtype, t.shape);
  for (int64_t i = 0; i < v.size(); ++i) {
    const double x =
        tapegrad::is_floating(t.dtype) ? normal(random) : static_cast<double>(random() % 2);
    if (v.is_scalar()) {
      v.set_scalar(x);
    } else {
      v.set_at(i, x);
    }
  }
  return v;
}

// Random inputs; every third time with zeros of both signs, infinities and NaN among them.
inline std::vector<Value> random_inputs(const Program& p, std::mt19937_64& random, bool special) {
  constexpr double odd[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 1.0, -1.0, 2.0};
  std::vector<Value> values;
  for (ValueId v : p.inputs) {
    Value x = random_value(p.type_of(v), random);
    for (int64_t i = 0; special && tapegrad::is_floating(x.dtype()) && i < x.size(); ++i) {
      const double y = odd[random() % 8];
      if (random() % 2 == 0) continue;
      if (x.is_scalar()) {
        x.set_scalar(y);
      } else {
        x.set_at(i, y);
      }
    }
    values.push_back(x);
  }
  return values;
}

// q does what p does, to the bit, also at special values. `lanes`: q's kernels by LaneProgram.
inline void check_same(const Program& p, const Program& q, bool special = true,
                       bool lanes = false) {
  check_program(q);
  std::mt19937_64 random(7);
  for (int round = 0; round < 6; ++round) {
    const std::vector<Value> in = random_inputs(p, random, special && round % 2 == 1);
    const std::vector<Value> expected = run(p, in), got = run(q, in, {}, lanes);
    CHECK(expected.size() == got.size());
    for (size_t k = 0; k < got.size(); ++k) CHECK(same_numbers(expected[k], got[k]));
    for (const Value& v : got) CHECK(v.has_data());
  }
}

inline size_t count_op(const Program& p, const char* name) {
  size_t n = 0;
  for (const Program::Step& s : p.steps) n += s.kernel < 0 && s.op == op_named(name).id;
  return n;
}

inline size_t count_kernels(const Program& p) {
  size_t n = 0;
  for (const Program::Step& s : p.steps) n += s.kernel >= 0;
  return n;
}

// Shows the first difference of two texts.
inline void check_text(const Program& p, const std::string& expected) {
  const std::string text = to_string(p);
  if (text != expected) std::printf("expected:\n%s\ngot:\n%s\n", expected.c_str(), text.c_str());
  CHECK(text == expected);
}

}  // namespace programs
