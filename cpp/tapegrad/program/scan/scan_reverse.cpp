#include "tapegrad/program/scan/scan_reverse.h"

#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/body/call.h"
#include "tapegrad/program/scan/binomial.h"
#include "tapegrad/program/scan/scan_rules.h"
#include "tapegrad/program/scan/scan_run.h"
#include "tapegrad/program/writer.h"

namespace tapegrad {
namespace {

using Refs = std::vector<Ref>;
using Values = std::vector<Value>;

Flags flags_at(const Attrs& a, size_t i) {
  return Flags(a.integers(i).begin(), a.integers(i).end());
}

std::vector<TensorType> infer_reverse(const Attrs& attrs, std::span<const TensorType> in) {
  const ReverseForm r(attrs);
  std::vector<TensorType> out;
  for (size_t i = 0; i < r.n_in(); ++i)
    if (r.gives(i)) out.push_back(in[i]);
  return out;
}

// Runs one sweep. States are the carries that come into a step, numbered as the scan goes.
class Sweep {
 public:
  Sweep(const ReverseForm& r, std::span<const Value> in)
      : r_(r),
        forward_form_(keeping_ys(r.form, Flags(r.form.n_ys(), 0), read_)),
        back_form_(r.reversal.step(in.first(r.n_in()))),
        forward_(forward_form_, read_inputs(in.first(r.n_in()))),
        back_(back_form_, back_inputs(in), r.form.n_carry) {
    for (size_t i = 0; i < r.n_in(); ++i)
      if (r.form.is_xs(i) && r.reversal.wanted[i])
        ys_.emplace_back(r.form.body->in_type(i), length());
  }

  void run(std::span<const Value> in, std::span<Value> out) {
    std::vector<Values> kept{Values(in.begin(), in.begin() + carries())};
    BinomialSchedule schedule(length(), r_.form.checkpoints);
    InterruptPoll poll;
    for (BinomialSchedule::Action a; schedule.next(a);) {
      poll();
      if (a.kind == BinomialSchedule::Kind::drop) {
        kept.pop_back();
        continue;
      }
      Values state = kept.back();
      for (int64_t s = a.from; s < a.to; ++s) {
        poll();
        forward_.step(time(s), state);
      }
      if (a.kind == BinomialSchedule::Kind::keep) {
        kept.push_back(std::move(state));
      } else {
        go_back(time(a.to), state);
      }
    }
    back_.finish(adjoints_);
    hand_out(out);
  }

 private:
  int64_t length() const { return r_.form.length; }
  int64_t time(int64_t step) const { return r_.form.reverse ? length() - 1 - step : step; }
  std::ptrdiff_t carries() const { return static_cast<std::ptrdiff_t>(r_.form.n_carry); }

  Values read_inputs(std::span<const Value> in) const {
    Values found;
    for (size_t i = 0; i < in.size(); ++i)
      if (read_[i]) found.push_back(in[i]);
    return found;
  }

  // Returns the inputs of the step back; the incoming carries are given one by one.
  Values back_inputs(std::span<const Value> in) {
    const ScanForm& f = r_.form;
    const size_t first_rest = f.n_carry + f.n_xs;
    size_t ct = r_.n_in();
    for (size_t c = 0; c < f.n_carry; ++c) {
      if (r_.reversal.has_ct[c])
        adjoints_.push_back(r_.given[c] ? in[ct] : zeros(f.body->out_type(c)));
      ct += r_.given[c];
    }
    for (size_t i = first_rest; i < r_.n_in(); ++i)
      if (r_.reversal.wanted[i]) adjoints_.push_back(zeros(f.body->in_type(i)));
    Values all = adjoints_;
    all.resize(all.size() + f.n_carry);
    all.insert(all.end(), in.begin() + carries(),
               in.begin() + static_cast<std::ptrdiff_t>(first_rest));
    for (size_t j = f.n_carry; j < r_.given.size(); ++j)
      if (r_.given[j]) all.push_back(in[ct++]);
    all.insert(all.end(), in.begin() + static_cast<std::ptrdiff_t>(first_rest),
               in.begin() + static_cast<std::ptrdiff_t>(r_.n_in()));
    return all;
  }

  static Value zeros(const TensorType& t) { return Value::zeros(t.dtype, t.shape); }

  void go_back(int64_t t, Values& state) {
    for (size_t c = 0; c < state.size(); ++c) back_.give(c, std::move(state[c]));
    back_.step(t, adjoints_);
    for (size_t k = 0; k < ys_.size(); ++k) ys_[k].put(t, back_.y(k));
  }

  void hand_out(std::span<Value> out) {
    size_t at = 0, carry = 0, y = 0;
    for (size_t i = 0; i < r_.n_in(); ++i) {
      if (!r_.reversal.wanted[i]) continue;
      Value found = r_.form.is_xs(i) ? ys_[y++].take() : std::move(adjoints_[carry++]);
      if (r_.gives(i)) out[at++] = std::move(found);
    }
  }

  const ReverseForm& r_;
  Flags read_;
  Values adjoints_;
  const ScanForm forward_form_, back_form_;
  ScanRun forward_, back_;
  std::vector<Stack> ys_;
};

void eval_reverse(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  const ReverseForm r(attrs);
  const LongWorkSection section(true);
  Sweep(r, in).run(in, out);
}

// Returns what the op computes, as a sweep over a scan that holds every carry.
BodyPtr plain_body(const Attrs& attrs, std::span<const Value> at) {
  const ReverseForm r(attrs);
  const std::string name = flags_name("plain reverse", {&r.needed, &r.given}) + ':' +
                           std::to_string(r.form.length) + ',' + std::to_string(r.form.n_carry) +
                           ',' + std::to_string(r.form.n_xs) + (r.form.reverse ? 'r' : 'f');
  return r.form.body->derived(name, [&] {
    ScanForm all = r.form;
    all.checkpoints = 0;
    all.body = with_carries(r.form);
    const BodyPtr whole = record_body(at.first(r.n_in()), [&](std::span<const Ref> in) {
      Refs out = scan(all, Refs(in.begin(), in.end()));
      out.resize(r.form.body->n_out());
      return out;
    });
    Flags gives;
    for (size_t i = 0; i < r.n_in(); ++i) gives.push_back(r.gives(i));
    return vjp_body(whole, gives, r.given, at);
  });
}

template <class Context>
Values inputs_of(const Context& ctx) {
  Values found;
  for (int i = 0; i < ctx.n_in(); ++i) found.push_back(ctx.in(i).value());
  return found;
}

void vjp_reverse(VjpContext& ctx) { vjp_as_call(ctx, plain_body(ctx.attrs(), inputs_of(ctx))); }
void jvp_reverse(JvpContext& ctx) { jvp_as_call(ctx, plain_body(ctx.attrs(), inputs_of(ctx))); }

}  // namespace

ReverseForm::ReverseForm(const Attrs& a)
    : form(a), needed(flags_at(a, 6)), given(flags_at(a, 7)), reversal(form, needed, given) {}

const Op& scan_reverse_op() {
  static const Op& op = [&]() -> const Op& {
    register_all_ops();
    std::vector<AttrDeclaration> declarations = ScanForm::declarations();
    declarations.push_back({{6, "needed"}, attr_kind::integers});
    declarations.push_back({{7, "given"}, attr_kind::integers});
    return register_op({.name = "scan_reverse",
                        .n_in = -1,
                        .n_out = -1,
                        .attrs = std::move(declarations),
                        .infer = infer_reverse,
                        .eval = eval_reverse,
                        .vjp = vjp_reverse,
                        .jvp = jvp_reverse,
                        .lanes = lanes_scan_reverse,
                        .reads = {reads_all_inputs},
                        .summary = "the reverse sweep over a "
                                   "scan, with few carries held at a time"});
  }();
  return op;
}

Attrs reverse_attrs(const ScanForm& form, const Flags& needed, const Flags& given) {
  const Attrs own = form.attrs();
  std::vector<Attr> attrs;
  for (size_t k = 0; k < own.size(); ++k) attrs.push_back(own[k]);
  attrs.push_back(std::vector<int64_t>(needed.begin(), needed.end()));
  attrs.push_back(std::vector<int64_t>(given.begin(), given.end()));
  return Attrs(std::move(attrs));
}

std::vector<Ref> scan_reverse(const ScanForm& form, const Flags& needed, const Flags& given,
                              std::vector<Ref> inputs) {
  return apply(scan_reverse_op(), reverse_attrs(form, needed, given), std::move(inputs));
}

}  // namespace tapegrad
