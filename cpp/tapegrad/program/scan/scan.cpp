#include "tapegrad/program/scan/scan.h"

#include <algorithm>

#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/scan/scan_rules.h"
#include "tapegrad/program/scan/scan_run.h"
#include "tapegrad/program/scan/scan_static.h"
#include "tapegrad/program/scan/scan_sums.h"

namespace tapegrad {
namespace {

void check_type(const char* what, size_t k, const TensorType& wanted, const TensorType& got) {
  if (wanted != got)
    throw_error<ValueError>("scan: ", what, ' ', k, " must be ", dtype_name(wanted.dtype), ' ',
                            wanted.shape, ", got ", dtype_name(got.dtype), ' ', got.shape);
}

void check_form(const ScanForm& f) {
  if (f.checkpoints < 0)
    throw_error<ValueError>("scan: checkpoints=", f.checkpoints, " is negative");
  if (f.length < 0) throw_error<ValueError>("scan: the length ", f.length, " is negative");
  if (f.body->n_in() < f.n_carry + f.n_xs || f.body->n_out() < f.n_carry)
    throw_error<ValueError>("scan: a body of ", f.body->n_in(), " inputs and ", f.body->n_out(),
                            " outputs can't have ", f.n_carry, " carries and ", f.n_xs, " xs");
  for (size_t c = 0; c < f.n_carry; ++c)
    check_type("the next value of carry", c, f.body->in_type(c), f.body->out_type(c));
}

std::vector<TensorType> infer_scan(const Attrs& attrs, std::span<const TensorType> in) {
  const ScanForm f(attrs);
  if (in.size() != f.body->n_in())
    throw_error<TypeError>("scan: the body takes ", f.body->n_in(), " inputs, got ", in.size());
  for (size_t i = 0; i < in.size(); ++i)
    check_type("input", i,
               f.is_xs(i) ? stacked_type(f.body->in_type(i), f.length) : f.body->in_type(i), in[i]);
  std::vector<TensorType> out;
  for (size_t j = 0; j < f.body->n_out(); ++j)
    out.push_back(j < f.n_carry ? f.body->out_type(j)
                                : stacked_type(f.body->out_type(j), f.length));
  return out;
}

void eval_scan(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const ScanForm f(attrs);
  const LongWorkSection section(f.length > 64);
  if (f.length > 1 && run_scan_of_sums(f, in, out)) return;
  if (f.length > 1)
    if (const auto kernel = f.body->lane_body(f.n_carry, f.n_xs))
      return kernel->run(in, f.length, f.reverse, out);
  if (run_scan_statically(f, in, out)) return;
  std::vector<Value> carries(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(f.n_carry));
  std::vector<Stack> ys;
  for (size_t k = 0; k < f.n_ys(); ++k) ys.emplace_back(f.body->out_type(f.n_carry + k), f.length);
  if (f.length > 0) {
    ScanRun run(f, in);
    InterruptPoll poll;
    for (int64_t step = 0; step < f.length; ++step) {
      const int64_t t = f.reverse ? f.length - 1 - step : step;
      poll();
      run.step(t, carries);
      for (size_t k = 0; k < ys.size(); ++k) ys[k].put(t, run.y(k));
    }
    run.finish(carries);
  }
  for (size_t c = 0; c < f.n_carry; ++c) out[c] = std::move(carries[c]);
  for (size_t k = 0; k < ys.size(); ++k) out[f.n_carry + k] = ys[k].take();
}

}  // namespace

TensorType stacked_type(const TensorType& row, int64_t length) {
  TensorType t{row.dtype, Dims{length}};
  for (int64_t d : row.shape) t.shape.push_back(d);
  return t;
}

std::vector<AttrDeclaration> ScanForm::declarations() {
  return {{{0, "body"}, attr_kind::object},     {{1, "length"}, attr_kind::integer},
          {{2, "n_carry"}, attr_kind::integer}, {{3, "n_xs"}, attr_kind::integer},
          {{4, "reverse"}, attr_kind::flag},    {{5, "checkpoints"}, attr_kind::integer}};
}

ScanForm::ScanForm(const Attrs& a)
    : body(body_of(a, 0)),
      length(a.integer(1)),
      n_carry(static_cast<size_t>(a.integer(2))),
      n_xs(static_cast<size_t>(a.integer(3))),
      reverse(a.flag(4)),
      checkpoints(a.integer(5)) {}

Attrs ScanForm::attrs() const {
  return {AttrRef(body), length,     static_cast<int64_t>(n_carry), static_cast<int64_t>(n_xs),
          reverse,       checkpoints};
}

const Op& scan_op() {
  static const Op& op = [&]() -> const Op& {
    register_all_ops();
    return register_op({.name = "scan",
                        .n_in = -1,
                        .n_out = -1,
                        .attrs = ScanForm::declarations(),
                        .infer = infer_scan,
                        .eval = eval_scan,
                        .vjp = vjp_scan,
                        .jvp = jvp_scan,
                        .lanes = lanes_scan,
                        .reads = {reads_all_inputs | reads_all_outputs},
                        .summary = "the body applied step by step; carries "
                                   "go from step to step, ys are stacked"});
  }();
  return op;
}

std::vector<Ref> scan(const ScanForm& form, std::vector<Ref> inputs) {
  check_form(form);
  return apply(scan_op(), form.attrs(), std::move(inputs));
}

BodyPtr with_carries(const ScanForm& form) {
  return form.body->derived("carries:" + std::to_string(form.n_carry), [&] {
    Program p = form.body->program();
    for (size_t c = 0; c < form.n_carry; ++c) p.outputs.push_back(p.inputs[c]);
    return Body::of(std::move(p));
  });
}

ScanForm keeping_outputs(const ScanForm& form, const Flags& outputs, Flags& inputs) {
  ScanForm kept = form;
  if (std::find(outputs.begin(), outputs.end(), 0) != outputs.end())
    kept.body = form.body->keeping_outputs(outputs);
  inputs.assign(form.body->n_in(), 1);
  for (size_t i = 0; i < inputs.size(); ++i)
    inputs[i] = i < form.n_carry ? outputs[i] : kept.body->reads(i);
  if (std::find(inputs.begin(), inputs.end(), 0) == inputs.end()) return kept;
  for (size_t i = 0; i < form.n_carry; ++i) kept.n_carry -= !inputs[i];
  for (size_t i = form.n_carry; i < form.n_carry + form.n_xs; ++i) kept.n_xs -= !inputs[i];
  kept.body = kept.body->keeping_inputs(inputs);
  return kept;
}

ScanForm keeping_ys(const ScanForm& form, const Flags& ys, Flags& inputs) {
  Flags outputs(form.n_carry, 1);
  outputs.insert(outputs.end(), ys.begin(), ys.end());
  return keeping_outputs(form, outputs, inputs);
}

}  // namespace tapegrad
