// Two functions of Refs held against each other: values, derivatives of first and second order in
// every mode, over lanes, and recorded as a program.
#pragma once

#include <functional>

#include "program/programs.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/body/vmap.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/record.h"
#include "tapegrad/program/run/executor.h"

namespace programs {

using tapegrad::Ref;
using Refs = std::vector<Ref>;
using Function = std::function<Refs(const Refs&)>;

inline Value numbers(const Dims& shape, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  return random_value(f64(shape), random);
}

inline Refs refs_of(const std::vector<Value>& values) { return Refs(values.begin(), values.end()); }

inline std::vector<Value> plain(const Refs& refs) {
  std::vector<Value> values;
  for (const Ref& r : refs) values.push_back(r.value());
  return values;
}

inline Refs floating(const Refs& refs) {
  Refs found;
  for (const Ref& r : refs)
    if (tapegrad::is_floating(r.dtype())) found.push_back(r);
  return found;
}

// A number that depends on every element of every output.
inline Ref as_number(const Refs& outputs) {
  Ref total(0.0);
  double factor = 1;
  for (const Ref& y : floating(outputs)) {
    const Ref bent = tapegrad::elementwise(tapegrad::scalar_fn_of<tapegrad::Sin>(), {y});
    total = tapegrad::add(total, tapegrad::multiply(tapegrad::sum(bent), Ref(factor)));
    factor *= 0.7;
  }
  return total;
}

// in -> the gradient of as_number(f) by the floating inputs.
inline Function gradient_of(const Function& f) {
  return [f](const Refs& in) {
    tapegrad::Scope scope;
    Refs entered, wrt;
    for (const Ref& x : in) {
      entered.push_back(tapegrad::is_floating(x.dtype()) ? scope.argument(x).ref() : x);
      if (tapegrad::is_floating(x.dtype())) wrt.push_back(entered.back());
    }
    const Ref out = as_number(f(entered));
    Refs found = scope.grad({&out, 1}, wrt, {});
    for (Ref& r : found) r = scope.result(r);
    return found;
  };
}

// in -> the tangents of f's floating outputs along fixed directions.
inline Function tangent_of(const Function& f) {
  return [f](const Refs& in) {
    tapegrad::Scope scope;
    Refs entered, wrt, tangents;
    for (size_t i = 0; i < in.size(); ++i) {
      const bool moves = tapegrad::is_floating(in[i].dtype());
      entered.push_back(moves ? scope.argument(in[i]).ref() : in[i]);
      if (!moves) continue;
      wrt.push_back(entered.back());
      std::mt19937_64 random(40 + i);
      tangents.push_back(Ref(random_value(in[i].type(), random)));
    }
    Refs found = scope.jvp(floating(f(entered)), wrt, tangents);
    for (Ref& r : found) r = scope.result(r);
    return found;
  };
}

inline void check_close(const std::vector<Value>& a, const std::vector<Value>& b, double tol,
                        const char* what) {
  check::expect(a.size() == b.size(), what, 0, "as many results");
  for (size_t k = 0; k < std::min(a.size(), b.size()); ++k) {
    check::expect(type_of(a[k]) == type_of(b[k]), what, static_cast<int>(k), "types");
    if (!(type_of(a[k]) == type_of(b[k]))) continue;
    const double d = distance(a[k], b[k]);
    check::expect(d <= tol, what, static_cast<int>(k), "distance " + std::to_string(d));
  }
}

inline tapegrad::Recording recorded(const Function& f, const std::vector<Value>& at) {
  tapegrad::Tracer tracer;
  Refs in;
  for (const Value& v : at) in.push_back(tracer.argument(v));
  return tapegrad::freeze(tracer, f(in));
}

// f recorded at one point and run at another.
inline std::vector<Value> run_recorded(const Function& f, const std::vector<Value>& at,
                                       const std::vector<Value>& elsewhere) {
  const tapegrad::Recording r = recorded(f, at);
  CHECK(r.refusal.empty());
  CHECK(r.captures.empty());
  const tapegrad::Executor executor(tapegrad::optimise(r.program, tapegrad::PassOptions()));
  std::vector<Value> out;
  size_t failed = 0;
  CHECK(executor.run(elsewhere, {}, out, failed));
  return out;
}

// f over n lanes of the flagged inputs, each of which is shifted a little from lane to lane.
inline std::vector<Value> run_lanes(const Function& f, const std::vector<Value>& at,
                                    const std::vector<uint8_t>& flags, int64_t n) {
  const tapegrad::Recording r = recorded(f, at);
  Refs in;
  for (size_t i = 0; i < at.size(); ++i) {
    Refs lanes;
    for (int64_t k = 0; k < n; ++k)
      lanes.push_back(tapegrad::multiply(
          Ref(at[i]), Ref(Value::scalar(1 + 0.1 * static_cast<double>(k), at[i].dtype()))));
    in.push_back(flags[i] ? tapegrad::stack(lanes, 0) : Ref(at[i]));
  }
  tapegrad::LanesResult found = tapegrad::replay_lanes(r.program, in, flags, {}, n);
  for (size_t j = 0; j < found.outputs.size(); ++j) {
    Dims shape{n};
    for (int64_t d : found.outputs[j].shape()) shape.push_back(d);
    if (!found.has_lanes[j]) found.outputs[j] = tapegrad::broadcast_to(found.outputs[j], shape);
  }
  return plain(found.outputs);
}

// f and g are one function.
inline void check_same_function(const Function& f, const Function& g, const std::vector<Value>& at,
                                const std::vector<Value>& elsewhere, double tol = 1e-11) {
  tapegrad::register_all_ops();
  const Function f1 = gradient_of(f), g1 = gradient_of(g), f2 = tangent_of(f), g2 = tangent_of(g);
  const struct {
    const char* what;
    Function f, g;
  } pairs[] = {{"value", f, g},
               {"gradient", f1, g1},
               {"tangent", f2, g2},
               {"gradient of gradient", gradient_of(f1), gradient_of(g1)},
               {"tangent of gradient", tangent_of(f1), tangent_of(g1)},
               {"gradient of tangent", gradient_of(f2), gradient_of(g2)},
               {"tangent of tangent", tangent_of(f2), tangent_of(g2)}};
  for (const auto& [what, ours, theirs] : pairs) {
    const std::vector<Value> expected = plain(theirs(refs_of(elsewhere)));
    check_close(plain(ours(refs_of(elsewhere))), expected, tol, what);
    check_close(run_recorded(ours, at, elsewhere), expected, tol, what);
  }
  for (const auto& [what, ours, theirs] : std::span(pairs).first(3))
    for (size_t lane_of = 0; lane_of <= at.size(); ++lane_of) {
      std::vector<uint8_t> flags(at.size(), lane_of == at.size());
      for (size_t i = 0; i < at.size(); ++i)
        flags[i] = (flags[i] || i == lane_of) && tapegrad::is_floating(at[i].dtype());
      if (std::find(flags.begin(), flags.end(), 1) == flags.end()) continue;
      check_close(run_lanes(ours, at, flags, 3), run_lanes(theirs, at, flags, 3), tol, what);
    }
}

}  // namespace programs
