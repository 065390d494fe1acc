#include "tapegrad/program/scan/scan_residuals.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tapegrad/program/body/body_rules.h"
#include "tapegrad/program/body/call.h"
#include "tapegrad/program/costs.h"
#include "tapegrad/program/passes/tiles/run_cost.h"
#include "tapegrad/program/scan/scan_parts.h"

namespace tapegrad {
namespace {

double elements_of(const Program& p, ValueId v) {
  return static_cast<double>(element_count(p.type_of(v).shape));
}

double bytes_of(const Program& p, ValueId v) {
  return elements_of(p, v) * static_cast<double>(item_size(p.type_of(v).dtype));
}

double cost_of(const Program& p);

// What a step costs in the body of a scan.
double cost_of(const Program& p, const Program::Step& s) {
  const Op& op = op_by_id(s.op);
  const Attrs& attrs = p.attrs_of(s);
  if (attrs.calls_host()) return std::numeric_limits<double>::infinity();
  if (s.op == call_op().id) return cost_of(body_of(attrs, 0)->program());
  if (s.op == scan_op().id) {
    const ScanForm f(attrs);
    return static_cast<double>(f.length) * (costs::turn + cost_of(f.body->program()));
  }
  if (op.view != ViewKind::none && op.n_out == 1) return 0;
  double made = 0, largest = 0, volume = 1;
  for (uint32_t j = 0; j < s.n_out; ++j) made += elements_of(p, s.first_out + j);
  if (op.scalar_fn >= 0) {
    const auto fn = static_cast<ScalarFn>(op.scalar_fn);
    return made > 1 ? costs::row_instruction + lane_cost(fn) * made : number_cost(fn);
  }
  for (ValueId v : p.in(s)) {
    largest = std::max(largest, elements_of(p, v));
    volume *= elements_of(p, v);
  }
  const double moved = costs::planned_step + costs::element * made;
  if (op.copies()) return moved;
  if (op.matrix_stack) return moved + costs::product * largest * std::sqrt(largest);
  // (m, k) (k, n) -> (m, n) is m k n multiplications; of other sums of products it is a low guess.
  if (s.n_in == 2 && op.pattern() == Pattern::dense)
    return moved + costs::product * std::sqrt(volume * made);
  return moved + costs::element * largest;
}

double cost_of(const Program& p) {
  double ns = 0;
  for (const Program::Step& s : p.steps) ns += cost_of(p, s);
  return ns;
}

constexpr double near_bytes = 1 << 20;  // of a stack that is still in a near cache when it is read

// To store it at each of so many steps, and to read it.
double storing_cost(const Program& p, ValueId v, double steps) {
  const double bytes = bytes_of(p, v);
  const double far = bytes * steps > near_bytes ? costs::far_byte * bytes : 0;
  return 2 * (costs::row_instruction + costs::row_element * elements_of(p, v) + far);
}

// Goes over the steps in order: what a rule reads is stored, where that is allowed and pays, or
// else computed again, and then so is all that this takes.
class Chooser {
 public:
  Chooser(const ScanForm& f, const Flags& inputs)
      : p_(f.body->program()),
        n_carry_(f.n_carry),
        length_(static_cast<double>(f.length)),
        read_(p_.values.size(), false) {
    find_read(inputs);
    at_hand_.assign(p_.values.size(), false);
    for (size_t v = 0; v < p_.values.size(); ++v) at_hand_[v] = p_.values[v].source != Source::step;
  }

  // `allowed`: by value.
  void run(const std::vector<bool>& allowed, double most_bytes) {
    for (size_t c = 0; c < n_carry_; ++c) {
      const ValueId v = p_.outputs[c];
      next.push_back(read_[v] && !at_hand_[v]);
    }
    for (size_t c = 0; c < n_carry_; ++c)
      if (next[c]) at_hand_[p_.outputs[c]] = true;
    for (const Program::Step& s : p_.steps) {
      std::vector<ValueId> wanted;
      double bytes = 0, storing = 0;
      bool may_store = true;
      for (uint32_t j = 0; j < s.n_out; ++j) {
        const ValueId v = s.first_out + j;
        if (!read_[v] || at_hand_[v]) continue;
        wanted.push_back(v);
        bytes += bytes_of(p_, v);
        storing += storing_cost(p_, v, length_);
        may_store = may_store && allowed[v];
      }
      if (wanted.empty()) continue;
      std::vector<const Program::Step*> steps;
      const double again = cost_again(s, steps);
      if (may_store && bytes <= most_bytes && storing < again) {
        most_bytes -= bytes;
        for (ValueId v : wanted) at_hand_[v] = true;
        stored.insert(stored.end(), wanted.begin(), wanted.end());
      } else {
        for (const Program::Step* each : steps)
          for (uint32_t j = 0; j < each->n_out; ++j) at_hand_[each->first_out + j] = true;
      }
    }
  }

  Flags next;
  std::vector<ValueId> stored;

 private:
  // Whole views stand for what they show.
  ValueId shown_by(ValueId v) const {
    while (p_.values[v].source == Source::step) {
      const Program::Step& s = p_.steps[p_.values[v].index];
      const Op& op = op_by_id(s.op);
      if (!op.is_whole_view() || s.n_out != 1) break;
      v = p_.in(s)[0];
    }
    return v;
  }

  void find_read(const Flags& inputs) {
    const std::vector<bool> moving = values_reached(p_, inputs);
    for (const Program::Step& s : p_.steps) {
      if (s.held) continue;
      const Op& op = op_by_id(s.op);
      ReadMask reads = reads_nothing;
      for (size_t i = 0; i < s.n_in; ++i)
        if (moving[p_.in(s)[i]]) reads |= op.reads_of(i);
      for (size_t i = 0; i < s.n_in; ++i)
        if (reads & reads_in(static_cast<int>(i))) read_[shown_by(p_.in(s)[i])] = true;
      for (uint32_t j = 0; j < s.n_out; ++j)
        if (reads & reads_out(static_cast<int>(j))) read_[shown_by(s.first_out + j)] = true;
    }
  }

  // Of this step and those that it takes.
  double cost_again(const Program::Step& s, std::vector<const Program::Step*>& steps) const {
    double ns = 0;
    steps.push_back(&s);
    for (size_t k = 0; k < steps.size(); ++k) {
      ns += cost_of(p_, *steps[k]);
      for (ValueId v : p_.in(*steps[k])) {
        if (at_hand_[v]) continue;
        const Program::Step* made_by = &p_.steps[p_.values[v].index];
        if (std::ranges::find(steps, made_by) == steps.end()) steps.push_back(made_by);
      }
    }
    return ns;
  }

  const Program& p_;
  const size_t n_carry_;
  const double length_;
  std::vector<bool> read_, at_hand_;  // by value
};

constexpr size_t most_steps = 2000;  // of a body that is looked at: the time grows with the square

bool is_looked_at(const ScanForm& f) {
  const Program& p = f.body->program();
  return f.length > 1 && p.steps.size() <= most_steps &&
         std::ranges::none_of(p.steps, [](const auto& s) { return s.kernel >= 0; });
}

}  // namespace

Residuals::Residuals(const ScanForm& form, const Flags& inputs) : next(form.n_carry, 0) {
  if (!is_looked_at(form)) return;
  Chooser chooser(form, inputs);
  chooser.run(std::vector<bool>(form.body->program().values.size(), true),
              most_residual_bytes / static_cast<double>(form.length));
  next = std::move(chooser.next);
  stored = std::move(chooser.stored);
}

BodyPtr with_residuals(const ScanForm& form, Flags inputs) {
  close_over_carries(form, inputs, reached_outputs);
  const std::string name =
      form_name("residuals", form, {&inputs}) + ',' + std::to_string(form.length);
  return form.body->derived(name, [&] {
    const Residuals found(form, inputs);
    const BodyPtr handing = with_carries(form);
    if (found.stored.empty()) return handing;
    Program p = handing->program();
    const auto ys = p.outputs.begin() + static_cast<std::ptrdiff_t>(form.n_carry);
    std::vector<ValueId> further;
    for (ValueId v : found.stored)
      if (std::find(ys, p.outputs.end(), v) == p.outputs.end()) further.push_back(v);
    p.outputs.insert(p.outputs.end(), further.begin(), further.end());
    return Body::of(std::move(p));
  });
}

KnownResults::KnownResults(const ScanForm& form, const Flags& inputs)
    : next(form.n_carry, 0), ys(form.body->n_out(), 0) {
  if (!is_looked_at(form)) return;
  const Program& p = form.body->program();
  std::vector<bool> allowed(p.values.size(), false);
  for (size_t j = form.n_carry; j < p.outputs.size(); ++j) allowed[p.outputs[j]] = true;
  Chooser chooser(form, inputs);
  chooser.run(allowed, std::numeric_limits<double>::infinity());
  next = std::move(chooser.next);
  for (ValueId v : chooser.stored)
    ys[static_cast<size_t>(std::find(p.outputs.begin() + static_cast<std::ptrdiff_t>(form.n_carry),
                                     p.outputs.end(), v) -
                           p.outputs.begin())] = 1;
}

}  // namespace tapegrad
