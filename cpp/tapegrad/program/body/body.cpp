#include "tapegrad/program/body/body.h"

#include <algorithm>
#include <ostream>

#include "tapegrad/base/error.h"
#include "tapegrad/program/passes/passes.h"

namespace tapegrad {
namespace {

// There may be derived bodies for very many lane counts or patterns: at this number all are
// dropped.
constexpr size_t most_derived = 64;

// A body that is differentiated further must be free of what nothing needs.
Program cleaned(const Program& p) {
  PassOptions only{.roll = false, .parts = false, .algebra = false, .views = false, .fuse = false};
  return optimise(p, only);
}

}  // namespace

BodyPtr Body::of(Program program) {
  if (!program.captures.empty() || !program.guards.empty())
    throw_error<RuntimeError>("internal error: a body has captures or guards");
  return std::make_shared<const Body>(std::move(program));
}

Body::Body(Program program) : program_(std::move(program)), hash_(hash_of(program_)) {
  std::vector<bool> read(program_.values.size(), false);
  for (ValueId v : program_.operands) read[v] = true;
  for (ValueId v : program_.outputs) read[v] = true;
  for (ValueId v : program_.inputs) read_.push_back(read[v]);
  for (const Program::Step& s : program_.steps)
    calls_host_ = calls_host_ || program_.attrs_of(s).calls_host();
}

bool Body::equals(const AttrObject& other) const {
  const auto* body = dynamic_cast<const Body*>(&other);
  return body != nullptr && hash_ == body->hash_ && same_program(program_, body->program_);
}

void Body::print(std::ostream& out) const {
  out << "body of " << program_.steps.size() << " steps";
}

std::string Body::machine_code() const {
  std::vector<std::shared_ptr<const Executor>> executors;
  std::vector<std::shared_ptr<const LaneBody>> lane_bodies;
  std::vector<std::shared_ptr<const BodyExtra>> extras;
  std::vector<BodyPtr> derived;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, running] : running_)
      executors.push_back(running.optimised ? running.optimised : running.plain);
    for (const auto& [key, body] : lane_bodies_) lane_bodies.push_back(body);
    for (const auto& [key, extra] : extras_) extras.push_back(extra);
    for (const auto& [name, body] : derived_) derived.push_back(body);
  }
  std::string all;
  for (const auto& e : executors)
    if (e) all += tapegrad::machine_code(e->program());
  for (const auto& body : lane_bodies)
    if (body) all += body->machine_code();
  for (const auto& extra : extras)
    if (extra) all += extra->machine_code();
  for (const BodyPtr& body : derived) all += body->machine_code();
  return all;
}

std::shared_ptr<const Executor> Body::executor(size_t runs, size_t n_owned) const {
  bool repeated = false;
  {
    const std::lock_guard lock(mutex_);
    Running& r = running_[n_owned];
    r.runs += runs;
    repeated = r.runs > 1;
    if (const auto& known = repeated ? r.optimised : r.plain) return known;
  }
  auto made = repeated ? std::make_shared<const Executor>(program_, PassOptions(), n_owned)
                       : std::make_shared<const Executor>(program_, n_owned);
  const std::lock_guard lock(mutex_);
  Running& r = running_[n_owned];
  auto& known = repeated ? r.optimised : r.plain;
  if (!known) known = std::move(made);
  if (repeated) r.plain.reset();
  return known;
}

std::shared_ptr<const LaneBody> Body::lane_body(size_t n_carry, size_t n_series) const {
  const std::pair key{n_carry, n_series};
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = lane_bodies_.find(key); it != lane_bodies_.end()) return it->second;
  }
  std::shared_ptr<const LaneBody> made = as_lane_body(program_, n_carry, n_series);
  const std::lock_guard lock(mutex_);
  return lane_bodies_.try_emplace(key, std::move(made)).first->second;
}

std::shared_ptr<const BodyExtra> Body::extra(
    uint64_t key, const std::function<std::shared_ptr<const BodyExtra>()>& make) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = extras_.find(key); it != extras_.end()) return it->second;
  }
  std::shared_ptr<const BodyExtra> made = make();
  const std::lock_guard lock(mutex_);
  return extras_.try_emplace(key, std::move(made)).first->second;
}

BodyPtr Body::derived(const std::string& name, const std::function<BodyPtr()>& make) const {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = derived_.find(name); it != derived_.end()) return it->second;
  }
  BodyPtr made = make();
  const std::lock_guard lock(mutex_);
  if (derived_.size() >= most_derived) derived_.clear();
  return derived_.try_emplace(name, std::move(made)).first->second;
}

BodyPtr Body::keeping_outputs(const Flags& kept) const {
  return derived(flags_name("outputs", {&kept}), [&] {
    Program p = program_;
    p.outputs.clear();
    for (size_t j = 0; j < kept.size(); ++j)
      if (kept[j]) p.outputs.push_back(program_.outputs[j]);
    return of(drop_dead(p));
  });
}

BodyPtr Body::keeping_inputs(const Flags& kept) const {
  return derived(flags_name("inputs", {&kept}), [&] {
    // The other inputs become values that nothing reads.
    Program p = program_;
    p.inputs.clear();
    for (size_t i = 0; i < kept.size(); ++i) {
      Program::ValueInfo& info = p.values[program_.inputs[i]];
      if (kept[i]) {
        info.index = static_cast<uint32_t>(p.inputs.size());
        p.inputs.push_back(program_.inputs[i]);
      } else {
        info = {Source::constant, info.type, static_cast<uint32_t>(p.constants.size())};
        p.constants.push_back(Value::zeros(p.types[info.type].dtype, Dims()));
      }
    }
    return of(drop_dead(p));
  });
}

const BodyPtr body_of(const Attrs& attrs, size_t i) {
  auto body = std::dynamic_pointer_cast<const Body>(attrs.object(i));
  if (!body) throw_error<TypeError>("attribute ", i, " must be a body");
  return body;
}

BodyPtr record_body(std::span<const Value> arguments,
                    const std::function<std::vector<Ref>(std::span<const Ref>)>& f) {
  Tracer tracer;
  std::vector<Ref> in;
  for (const Value& v : arguments) in.push_back(tracer.argument(v));
  Recording r = freeze(tracer, f(in));
  if (!r.refusal.empty() || !r.captures.empty() || !r.program.guards.empty())
    throw_error<RuntimeError>("internal error: a derived body reads what is not its own",
                              r.refusal.empty() ? "" : ": ", r.refusal);
  return Body::of(cleaned(r.program));
}

BodyPtr body_from(const Recording& recording) {
  Program p = recording.program;
  for (ValueId v : p.captures) {
    p.values[v] = {Source::input, p.values[v].type, static_cast<uint32_t>(p.inputs.size())};
    p.inputs.push_back(v);
  }
  p.captures.clear();
  for (const Program::Guard& g : p.guards) p.outputs.push_back(g.value);
  p.guards.clear();
  return Body::of(std::move(p));
}

std::string flags_name(const char* kind, std::initializer_list<const Flags*> flags) {
  std::string name = kind;
  for (const Flags* each : flags) {
    name += ':';
    for (uint8_t flag : *each) name += flag ? '1' : '0';
  }
  return name;
}

}  // namespace tapegrad
