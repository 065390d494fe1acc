#include <algorithm>
#include <optional>

#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/writer.h"

// The tangents of a scan are a scan that computes all that the first one does. So the first is not
// run: the second hands out its ys too.

namespace tapegrad {
namespace {

constexpr size_t most_compared = 1'000'000;  // pairs of steps of two bodies

bool same_constants(const Program& p, ValueId v, const Program& q, ValueId w) {
  if (!p.is_constant(v) || !q.is_constant(w)) return false;
  const Value &a = p.constant_of(v), &b = q.constant_of(w);
  return type_of(a) == type_of(b) && same_bits(a, b);
}

// Finds the values of one body among those of another.
class Inside {
 public:
  Inside(const Program& p, const Program& in) : p_(p), in_(in), found_(p.values.size()) {}

  void set_input(size_t i, size_t of_other) { found_[p_.inputs[i]] = in_.inputs[of_other]; }

  bool find_steps() {
    if (p_.steps.size() > in_.steps.size() || p_.steps.size() * in_.steps.size() > most_compared)
      return false;
    for (const Program::Step& s : p_.steps) {
      const auto same = std::ranges::find_if(
          in_.steps, [&](const Program::Step& other) { return is_same(s, other); });
      if (same == in_.steps.end()) return false;
      for (uint32_t j = 0; j < s.n_out; ++j) found_[s.first_out + j] = same->first_out + j;
    }
    return true;
  }

  // Constants have no place of their own there.
  std::optional<ValueId> at(ValueId v) const { return found_[v]; }
  bool is(ValueId v, ValueId other) const {
    return found_[v] ? *found_[v] == other : same_constants(p_, v, in_, other);
  }

 private:
  bool is_same(const Program::Step& s, const Program::Step& other) const {
    return s.kernel < 0 && other.kernel < 0 && s.op == other.op && s.n_in == other.n_in &&
           s.n_out == other.n_out && s.held == other.held &&
           p_.attrs_of(s) == in_.attrs_of(other) &&
           std::ranges::equal(
               p_.in(s), in_.in(other), [this](ValueId v, ValueId w) { return is(v, w); });
  }

  const Program &p_, &in_;
  std::vector<std::optional<ValueId>> found_;  // by value of p_
};

bool is_scan(const Program::Step& s) { return s.kernel < 0 && s.op == scan_op().id; }

// Returns, by output of scan `a`, the value of the body of scan `b`; its carries are carries there.
std::optional<std::vector<ValueId>> computed_along(const Program& p, const Program::Step& a,
                                                   const Program::Step& b) {
  const ScanForm f(p.attrs_of(a)), g(p.attrs_of(b));
  if (f.length != g.length || f.reverse != g.reverse || f.checkpoints != g.checkpoints ||
      f.n_carry > g.n_carry || f.body->calls_host())
    return {};
  const auto same_operand = [&](ValueId v, ValueId w) {
    return v == w || same_constants(p, v, p, w);
  };
  const Program &body = f.body->program(), &other = g.body->program();
  Inside inside(body, other);
  for (size_t i = 0; i < a.n_in; ++i) {
    const size_t first = f.is_xs(i) ? g.n_carry : i < f.n_carry ? i : g.n_carry + g.n_xs;
    const size_t end = f.is_xs(i) ? g.n_carry + g.n_xs : i < f.n_carry ? i + 1 : b.n_in;
    size_t at = first;
    while (at < end && !same_operand(p.in(a)[i], p.in(b)[at])) ++at;
    if (at == end) return {};
    inside.set_input(i, at);
  }
  if (!inside.find_steps()) return {};
  std::vector<ValueId> found;
  for (size_t j = 0; j < a.n_out; ++j) {
    if (j < f.n_carry && !inside.is(body.outputs[j], other.outputs[j])) return {};
    const auto at = j < f.n_carry ? other.outputs[j] : inside.at(body.outputs[j]);
    if (!at) return {};
    found.push_back(*at);
  }
  return found;
}

// Returns the steps between the two that depend on the first; nothing where the second is one of
// them, or one calls the host, whose calls keep their order.
std::optional<std::vector<size_t>> delayed_steps(const Program& p, size_t a, size_t b) {
  std::vector<bool> depends(p.values.size(), false);
  const auto mark = [&](const Program::Step& s) {
    for (uint32_t j = 0; j < s.n_out; ++j) depends[s.first_out + j] = true;
  };
  mark(p.steps[a]);
  std::vector<size_t> delayed;
  for (size_t k = a + 1; k <= b; ++k) {
    const Program::Step& s = p.steps[k];
    if (std::ranges::none_of(p.in(s), [&](ValueId v) { return depends[v]; })) continue;
    if (k == b || p.attrs_of(s).calls_host()) return {};
    mark(s);
    delayed.push_back(k);
  }
  return delayed;
}

Program merged(const Program& p, size_t a, size_t b, const std::vector<ValueId>& along,
               const std::vector<size_t>& delayed) {
  const Program::Step &first = p.steps[a], &second = p.steps[b];
  const ScanForm f(p.attrs_of(first));
  ScanForm g(p.attrs_of(second));
  const std::vector<ValueId> ys(along.begin() + static_cast<std::ptrdiff_t>(f.n_carry),
                                along.end());
  std::string name = "along";
  for (ValueId v : ys) name += ':' + std::to_string(v);
  g.body = g.body->derived(name, [&] {
    Program body = g.body->program();
    body.outputs.insert(body.outputs.end(), ys.begin(), ys.end());
    return Body::of(std::move(body));
  });
  Rewriter writer(p);
  writer.begin();
  for (size_t k = 0; k < p.steps.size(); ++k) {
    if (k == a || std::ranges::binary_search(delayed, k)) continue;
    if (k != b) {
      writer.copy(p.steps[k]);
      continue;
    }
    std::vector<ValueId> in;
    for (ValueId v : p.in(second)) in.push_back(writer.at(v));
    std::vector<TensorType> out;
    for (uint32_t j = 0; j < second.n_out; ++j) out.push_back(p.type_of(second.first_out + j));
    for (size_t j = f.n_carry; j < first.n_out; ++j)
      out.push_back(p.type_of(first.first_out + static_cast<ValueId>(j)));
    writer.to().at_line(p.line_of(second));
    const ValueId at = writer.to().step(scan_op(), g.attrs(), in, out);
    for (uint32_t j = 0; j < second.n_out; ++j) writer.set(second.first_out + j, at + j);
    for (uint32_t j = 0; j < first.n_out; ++j)
      writer.set(
          first.first_out + j,
          j < f.n_carry ? at + j : at + second.n_out + (j - static_cast<uint32_t>(f.n_carry)));
    for (size_t d : delayed) writer.copy(p.steps[d]);
  }
  writer.end();
  return std::move(writer).finish();
}

std::optional<Program> with_one_merged(const Program& p) {
  std::vector<size_t> scans;
  for (size_t k = 0; k < p.steps.size(); ++k)
    if (is_scan(p.steps[k]) && !p.steps[k].held) scans.push_back(k);
  for (size_t i = 0; i < scans.size(); ++i)
    for (size_t j = i + 1; j < scans.size(); ++j) {
      const auto along = computed_along(p, p.steps[scans[i]], p.steps[scans[j]]);
      if (!along) continue;
      if (const auto delayed = delayed_steps(p, scans[i], scans[j]))
        return merged(p, scans[i], scans[j], *along, *delayed);
    }
  return {};
}

}  // namespace

Program merge_scans(Program p) {
  constexpr int most_merged = 64;
  for (int k = 0; k < most_merged; ++k) {
    std::optional<Program> fewer = with_one_merged(p);
    if (!fewer) break;
    p = std::move(*fewer);
  }
  return p;
}

}  // namespace tapegrad
