#include "tapegrad/ops/host/host_function.h"

#include <algorithm>
#include <sstream>

#include "tapegrad/base/error.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/tape.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {
namespace {

constexpr AttrKey function(0, "function");

const HostFunction& function_of(const Attrs& attrs) {
  const auto* f = dynamic_cast<const HostFunction*>(attrs.object(function).get());
  if (f == nullptr)
    throw_error<TypeError>("host_function: attribute 'function' must be a function of the host");
  return *f;
}

std::vector<TensorType> infer_host_function(const Attrs& attrs, std::span<const TensorType> in) {
  const HostFunction& f = function_of(attrs);
  const std::span<const TensorType> known = f.in_types();
  if (!std::ranges::equal(in, known)) {
    std::ostringstream what;
    f.print(what);
    throw_error<ValueError>(what.str(),
                            ": it was called with operands of other shapes or dtypes; "
                            "call it again with these");
  }
  return {f.out_types().begin(), f.out_types().end()};
}

}  // namespace

const Op& host_function_op() {
  static const Op& op = [&]() -> const Op& {
    return register_op({.name = "host_function",
                        .n_in = -1,
                        .n_out = -1,
                        .attrs = {{function, attr_kind::object}},
                        .infer = infer_host_function,
                        .eval =
                            [](const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
                              std::vector<Value> found = function_of(attrs).call(in);
                              std::ranges::move(found, out.begin());
                            },
                        .vjp = [](VjpContext& ctx) { function_of(ctx.attrs()).vjp(ctx); },
                        .jvp = [](JvpContext& ctx) { function_of(ctx.attrs()).jvp(ctx); },
                        .lanes =
                            [](const LanesCall& c) {
                              std::vector<Ref> found = function_of(c.attrs).lanes(c);
                              return found.empty() ? apply_each_lane(c) : found;
                            },
                        .reads = {reads_all_inputs | reads_all_outputs},
                        .summary = "a function of the host language with rules of its own"});
  }();
  return op;
}

std::vector<Ref> record_host_function(std::shared_ptr<const HostFunction> f,
                                      std::span<const Ref> inputs, std::vector<Value> results) {
  const Op& op = host_function_op();
  Tape* tape = recording_tape(op, inputs);
  const bool constant = std::ranges::none_of(inputs, &Ref::tracked);
  if (constant && Tape::current().tracing()) tape = &Tape::current();
  if (Tape::current().tracing()) Tape::current().tracer()->read_length();  // no other is known
  if (tape == nullptr)
    return {std::make_move_iterator(results.begin()), std::make_move_iterator(results.end())};
  std::vector<Ref> found =
      record_several(*tape, op, Attrs{AttrRef(std::move(f))}, inputs, std::move(results));
  return found;
}

void register_host_ops() { host_function_op(); }

}  // namespace tapegrad
