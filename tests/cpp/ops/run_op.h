// Applies ops by name to plain values, as Python does, and checks that what `infer` declares is
// what comes out.
#pragma once

#include "check.h"
#include "kernels/array_cases.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/tape/ref.h"

namespace cases {

using tapegrad::Attr;
using tapegrad::Attrs;
using Ints = std::vector<int64_t>;

inline std::vector<Value> run_op_many(const char* name, const std::vector<Value>& in,
                                      const Attrs& attrs) {
  tapegrad::register_all_ops();
  const tapegrad::Op& op = *tapegrad::find_op(name);
  std::vector<tapegrad::Ref> refs(in.begin(), in.end());
  std::vector<Value> out;
  for (const tapegrad::Ref& r : tapegrad::apply(op, attrs, refs)) out.push_back(r.value());
  if (op.infer) {
    std::vector<tapegrad::TensorType> types;
    for (const Value& v : in) types.push_back(type_of(v));
    types = op.infer(attrs, types);
    CHECK(types.size() == out.size());
    for (size_t j = 0; j < out.size(); ++j) CHECK(types[j] == type_of(out[j]));
  }
  return out;
}

inline Value run_op(const char* name, const Value& x, const Attrs& attrs = {}) {
  return run_op_many(name, {x}, attrs)[0];
}

inline Value numbers(std::initializer_list<double> items, const Dims& shape) {
  return Value::from(std::vector<double>(items), shape);
}

// Same shape and equal elements.
inline bool equals(const Value& v, std::initializer_list<double> items, const Dims& shape) {
  if (!(v.shape() == shape) || v.size() != static_cast<int64_t>(items.size())) return false;
  int64_t i = 0;
  for (double x : items)
    if (!check::close(v.at(i++), x, 1e-14)) return false;
  return true;
}

// 0, 1, 2, ... in `shape`.
inline Value counting(const Dims& shape) {
  Value v = Value::empty(DType::float64, shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, static_cast<double>(i));
  return v;
}

}  // namespace cases
