#include "tapegrad/program/lengths/lengths.h"

#include <algorithm>
#include <cmath>

#include "tapegrad/program/lengths/length_table.h"
#include "tapegrad/program/writer.h"

namespace tapegrad {
namespace {

bool contains(const std::vector<ValueId>& ids, ValueId v) {
  return std::find(ids.begin(), ids.end(), v) != ids.end();
}

// Returns 0, 1, 2 ... along one axis.
Value counting_positions(const Dims& shape) {
  Value found = Value::empty(DType::int64, shape);
  for (int64_t i = 0; i < found.size(); ++i) found.data<int64_t>()[i] = i;
  return found;
}

bool is_counting(const Value& v) {
  if (v.dtype() != DType::int64 || v.ndim() == 0) return false;
  const Dims shape = v.shape();
  return std::find(shape.begin(), shape.end(), v.size()) != shape.end() &&
         same_bits(v, counting_positions(shape));
}

// Goes through both recordings, step by step, with lengths solved for those of the inputs.
class Instance {
 public:
  Instance(const Recording& a, const Recording& b, std::span<const TensorType> inputs)
      : a_(a), b_(b), p_(a.program), q_(b.program), table_(is_recorded(inputs)) {
    if (inputs.size() != p_.inputs.size()) refuse_lengths("the number of inputs is another one");
    now_.resize(p_.values.size());
    done_.assign(p_.values.size(), 0);
    constants_ = p_.constants;
    for (size_t k = 0; k < inputs.size(); ++k) enter(p_.inputs[k], inputs[k], true);
    for (ValueId v : p_.captures) enter(v, p_.type_of(v), false);
  }

  Recording run() {
    for (size_t k = 0; k < p_.steps.size(); ++k) step(p_.steps[k], q_.steps[k]);
    for (ValueId v : p_.outputs) settle(v);
    for (size_t k = 0; k < p_.guards.size(); ++k) {
      const Program::Guard& g = p_.guards[k];
      settle(g.value);
      if (!same_bits(g.expected, q_.guards[k].expected) || now_[g.value] != type_of(g.expected))
        refuse_lengths("what is looked into at ", g.where, " depends on a length");
    }
    check_unused();
    Recording found;
    found.captures = b_.captures;
    write(found);
    return found;
  }

 private:
  bool is_recorded(std::span<const TensorType> inputs) const {
    const auto same = [&](const Program& p) {
      for (size_t k = 0; k < inputs.size() && k < p.inputs.size(); ++k)
        if (p.type_of(p.inputs[k]) != inputs[k]) return false;
      return true;
    };
    return same(p_) || same(q_);
  }

  void enter(ValueId v, const TensorType& now, bool is_input) {
    table_.add(p_.type_of(v), q_.type_of(v), now, is_input);
    now_[v] = now;
    done_[v] = 1;
  }

  void settle(ValueId v) {
    if (done_[v]) return;
    Value& c = constants_[p_.values[v].index];
    c = constant(v, c, q_.constant_of(v));
    now_[v] = type_of(c);
    done_[v] = 1;
  }

  // Says whether a rule made the constant, and nowhere the user.
  bool is_made(ValueId v) const {
    return contains(a_.made, v) && contains(b_.made, v) &&
           std::none_of(a_.constants.begin(), a_.constants.end(),
                        [v](const PlainConstant& c) { return c.value == v; });
  }

  // Returns the constant now. The two recorded ones are equal, or uniform in arrays of other
  // lengths, or counts, or 0, 1, 2 ... that a rule made.
  Value constant(ValueId v, const Value& a, const Value& b) const {
    if (same_bits(a, b)) return a;
    if (a.dtype() != b.dtype() || a.ndim() != b.ndim()) refuse_lengths("a constant is another one");
    if (a.ndim() > 0) {
      const bool counting = is_made(v) && is_counting(a) && is_counting(b);
      if (!counting &&
          (!is_uniform(a) || !is_uniform(b) || !same_bits(Value(a.at(0)), Value(b.at(0)))))
        refuse_lengths("an array of shape ", a.shape(),
                       " that it computed or made itself is another one");
      Dims shape = a.shape();
      const Dims other = b.shape();
      for (size_t i = 0; i < shape.size(); ++i) shape[i] = table_.solve(shape[i], other[i]);
      return counting ? counting_positions(shape) : Value::full(a.dtype(), shape, a.at(0));
    }
    const double x = a.as_double(), y = b.as_double();
    const bool counts = is_made(v) && x >= 0 && y >= 0 && std::max(x, y) < 0x1p53 &&
                        x == std::floor(x) && y == std::floor(y);
    if (!counts) refuse_lengths("the number ", x, " is ", y, " in the other recording");
    const int64_t n = table_.solve(static_cast<int64_t>(x), static_cast<int64_t>(y));
    return Value::scalar(static_cast<double>(n), a.dtype());
  }

  void step(const Program::Step& s, const Program::Step& t) {
    const Op& op = op_by_id(s.op);
    if (op.infer == nullptr) refuse_lengths(op.name, " does not tell the type of its result");
    std::vector<TensorType> in;
    for (ValueId v : p_.in(s)) {
      settle(v);
      in.push_back(now_[v]);
    }
    attrs_.push_back(solve(p_.attrs_of(s), q_.attrs_of(t), op));
    const std::vector<TensorType> out = op.infer(attrs_.back(), in);
    if (out.size() != s.n_out) refuse_lengths(op.name, " has another number of results");
    for (uint32_t j = 0; j < s.n_out; ++j) enter(s.first_out + j, out[j], false);
  }

  Attrs solve(const Attrs& a, const Attrs& b, const Op& op) const {
    if (a == b) return a;
    if (a.size() != b.size()) refuse_lengths("attributes of ", op.name, " differ");
    std::vector<Attr> found;
    for (size_t i = 0; i < a.size(); ++i) {
      const auto* x = std::get_if<int64_t>(&a[i]);
      const auto* y = std::get_if<int64_t>(&b[i]);
      const auto* xs = std::get_if<std::vector<int64_t>>(&a[i]);
      const auto* ys = std::get_if<std::vector<int64_t>>(&b[i]);
      if (a[i] == b[i]) {
        found.push_back(a[i]);
      } else if (x && y) {
        found.emplace_back(table_.solve(*x, *y));
      } else if (xs && ys && xs->size() == ys->size()) {
        std::vector<int64_t> list(xs->size());
        for (size_t k = 0; k < list.size(); ++k) list[k] = table_.solve((*xs)[k], (*ys)[k]);
        found.emplace_back(std::move(list));
      } else {
        refuse_lengths("attribute ", i, " of ", op.name, " differs");
      }
    }
    return Attrs(std::move(found));
  }

  // Refuses where plain code could not take the unused steps.
  void check_unused() const {
    if (!a_.unused) return;
    std::vector<TensorType> inputs;
    for (ValueId v : a_.unused->reads) inputs.push_back(now_[v]);
    Instance(a_.unused->recording, b_.unused->recording, inputs).run();
  }

  // Constants are written in the order of the values, as freeze() writes them; a count may become
  // equal to another constant.
  void write(Recording& found) const {
    ProgramWriter to;
    std::vector<ValueId> at(p_.values.size()), in;
    for (ValueId v = 0; v < p_.values.size(); ++v) {
      const Program::ValueInfo& info = p_.values[v];
      if (info.source == Source::input) at[v] = to.input(now_[v]);
      if (info.source == Source::captured) at[v] = to.capture(now_[v]);
      if (info.source == Source::constant) at[v] = to.constant(constants_[info.index]);
      if (info.source != Source::step || p_.steps[info.index].first_out != v) continue;
      const Program::Step& s = p_.steps[info.index];
      in.clear();
      for (ValueId operand : p_.in(s)) in.push_back(at[operand]);
      const ValueId first =
          to.step(op_by_id(s.op), attrs_[info.index], in, {&now_[v], s.n_out}, s.held);
      for (uint32_t j = 0; j < s.n_out; ++j) at[v + j] = first + j;
    }
    for (const Program::Guard& g : p_.guards) to.guard(at[g.value], g.expected, g.where);
    for (ValueId v : p_.outputs) to.output(at[v]);
    found.program = std::move(to).finish();
    for (const PlainConstant& c : a_.constants)
      found.constants.push_back({at[c.value], constants_[p_.values[c.value].index]});
    for (ValueId v : a_.made) found.made.push_back(at[v]);
  }

  const Recording &a_, &b_;
  const Program &p_, &q_;
  LengthTable table_;
  std::vector<TensorType> now_;  // by value
  std::vector<uint8_t> done_;
  std::vector<Value> constants_;
  std::vector<Attrs> attrs_;  // by step
};

// Whether two recordings agree in everything but types, attributes and constants.
bool same_structure(const Recording& a, const Recording& b) {
  const Program &p = a.program, &q = b.program;
  const auto same_values = [](const Program::ValueInfo& x, const Program::ValueInfo& y) {
    return x.source == y.source && x.index == y.index;
  };
  const auto same_steps = [](const Program::Step& x, const Program::Step& y) {
    return x.op == y.op && x.kernel < 0 && y.kernel < 0 && x.n_in == y.n_in && x.n_out == y.n_out &&
           x.first_out == y.first_out && x.held == y.held;
  };
  const auto same_guards = [](const Program::Guard& x, const Program::Guard& y) {
    return x.value == y.value;
  };
  const auto same_captures = [](const Capture& x, const Capture& y) {
    return x.variable.get() == y.variable.get() && x.recorded.slot() == y.recorded.slot();
  };
  const auto same_constants = [](const PlainConstant& x, const PlainConstant& y) {
    return x.value == y.value;
  };
  const auto type_of = [](const Program& r) { return [&r](ValueId v) { return r.type_of(v); }; };
  return std::ranges::equal(p.captures, q.captures, {}, type_of(p), type_of(q)) &&
         p.operands == q.operands && p.outputs == q.outputs && p.inputs == q.inputs &&
         p.captures == q.captures && p.constants.size() == q.constants.size() &&
         std::equal(p.values.begin(), p.values.end(), q.values.begin(), q.values.end(),
                    same_values) &&
         std::equal(p.steps.begin(), p.steps.end(), q.steps.begin(), q.steps.end(), same_steps) &&
         std::equal(p.guards.begin(), p.guards.end(), q.guards.begin(), q.guards.end(),
                    same_guards) &&
         std::equal(a.captures.begin(), a.captures.end(), b.captures.begin(), b.captures.end(),
                    same_captures) &&
         std::equal(a.constants.begin(), a.constants.end(), b.constants.begin(), b.constants.end(),
                    same_constants);
}

std::vector<TensorType> input_types(const Program& p) {
  std::vector<TensorType> types;
  for (ValueId v : p.inputs) types.push_back(p.type_of(v));
  return types;
}

bool same_structure(const UnusedSteps* a, const UnusedSteps* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return a->reads == b->reads && same_structure(a->recording, b->recording);
}

}  // namespace

std::optional<Lengths> Lengths::between(Recording a, Recording b, std::string& why) {
  const std::string& read = a.length_read.empty() ? b.length_read : a.length_read;
  if (!read.empty()) {
    why = "a length is read at " + read;
    return std::nullopt;
  }
  if (!same_structure(a, b) || !same_structure(a.unused.get(), b.unused.get())) {
    why = "another length takes other operations";
    return std::nullopt;
  }
  Lengths found(std::move(a), std::move(b));
  // What is known must explain both recordings.
  for (const Recording* r : {&found.a_, &found.b_}) {
    const std::optional<Recording> again = found.at(input_types(r->program), why);
    if (!again) return std::nullopt;
    if (!same_recording(*again, *r)) {
      why = "what differs between two lengths does not follow from them";
      return std::nullopt;
    }
  }
  return found;
}

std::optional<Recording> Lengths::at(std::span<const TensorType> inputs, std::string& why) const {
  try {
    return Instance(a_, b_, inputs).run();
  } catch (const Error& error) {  // also of infer: what it complains about is recorded
    why = error.what();
    return std::nullopt;
  }
}

std::vector<std::vector<int>> Lengths::free_axes() const {
  std::vector<std::pair<int64_t, int64_t>> lengths;
  std::vector<std::vector<int>> found;
  for (size_t k = 0; k < a_.program.inputs.size(); ++k) {
    const Dims& x = a_.program.type_of(a_.program.inputs[k]).shape;
    const Dims& y = b_.program.type_of(b_.program.inputs[k]).shape;
    std::vector<int>& axes = found.emplace_back();
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i] == y[i]) {
        axes.push_back(-1);
        continue;
      }
      const std::pair<int64_t, int64_t> pair(x[i], y[i]);
      const auto at = std::find(lengths.begin(), lengths.end(), pair);
      axes.push_back(static_cast<int>(at - lengths.begin()));
      if (at == lengths.end()) lengths.push_back(pair);
    }
  }
  return found;
}

}  // namespace tapegrad
