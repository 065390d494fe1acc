#include <algorithm>
#include <optional>
#include <unordered_map>

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

  void find_steps() {
    for (const Program::Step& s : p_.steps) {
      const auto same = std::ranges::find_if(
          in_.steps, [&](const Program::Step& other) { return is_same(s, other); });
      if (same == in_.steps.end()) {
        missing_.push_back(&s);
      } else {
        for (uint32_t j = 0; j < s.n_out; ++j) found_[s.first_out + j] = same->first_out + j;
      }
    }
  }
  bool has_all() const { return missing_.empty(); }
  bool is(ValueId v, ValueId other) const {
    return found_[v] ? *found_[v] == other : same_constants(p_, v, in_, other);
  }

  // Returns the other body with these outputs too; what is missing for them is written behind it.
  BodyPtr with_outputs(std::span<const ValueId> outputs) const {
    Rewriter writer(in_);
    writer.begin();
    for (const Program::Step& s : in_.steps) writer.copy(s);
    writer.end();
    std::vector<std::optional<ValueId>> written(found_.size());
    const auto at = [&](ValueId v) {
      if (!written[v])
        written[v] = found_[v] ? writer.at(*found_[v]) : writer.to().constant(p_.constant_of(v));
      return *written[v];
    };
    for (const Program::Step* s : missing_) {
      std::vector<ValueId> in;
      for (ValueId v : p_.in(*s)) in.push_back(at(v));
      std::vector<TensorType> out;
      for (uint32_t j = 0; j < s->n_out; ++j) out.push_back(p_.type_of(s->first_out + j));
      writer.to().at_line(p_.line_of(*s));
      const ValueId first = writer.to().step(op_by_id(s->op), p_.attrs_of(*s), in, out, s->held);
      for (uint32_t j = 0; j < s->n_out; ++j) written[s->first_out + j] = first + j;
    }
    for (ValueId v : outputs) writer.to().output(at(v));
    return Body::of(std::move(writer).finish());
  }

 private:
  bool is_same(const Program::Step& s, const Program::Step& other) const {
    return other.kernel < 0 && s.op == other.op && s.n_in == other.n_in && s.n_out == other.n_out &&
           s.held == other.held && p_.attrs_of(s) == in_.attrs_of(other) &&
           std::ranges::equal(
               p_.in(s), in_.in(other), [this](ValueId v, ValueId w) { return is(v, w); });
  }

  const Program &p_, &in_;
  std::vector<std::optional<ValueId>> found_;  // by value of p_; constants have none
  std::vector<const Program::Step*> missing_;
};

bool is_scan(const Program::Step& s) { return s.kernel < 0 && s.op == scan_op().id; }

// Returns the body of scan `b` with the ys of scan `a` behind its own, where its carries are those
// of `a` and others.
BodyPtr with_ys_of(const Program& p, const Program::Step& a, const ScanForm& f,
                   const Program::Step& b, const ScanForm& g) {
  const Program &body = f.body->program(), &other = g.body->program();
  const auto has_kernels = [](const Program& q) {
    return std::ranges::any_of(q.steps, [](const auto& s) { return s.kernel >= 0; });
  };
  if (f.length != g.length || f.reverse != g.reverse || f.checkpoints != g.checkpoints ||
      f.n_carry > g.n_carry || f.body->calls_host() ||
      body.steps.size() * other.steps.size() > most_compared || has_kernels(body))
    return {};
  const auto same_operand = [&](ValueId v, ValueId w) {
    return v == w || same_constants(p, v, p, w);
  };
  Inside inside(body, other);
  for (size_t i = 0; i < a.n_in; ++i) {
    const size_t first = f.is_xs(i) ? g.n_carry : i < f.n_carry ? i : g.n_carry + g.n_xs;
    const size_t end = f.is_xs(i) ? g.n_carry + g.n_xs : i < f.n_carry ? i + 1 : b.n_in;
    size_t at = first;
    while (at < end && !same_operand(p.in(a)[i], p.in(b)[at])) ++at;
    if (at == end) return {};
    inside.set_input(i, at);
  }
  inside.find_steps();
  for (size_t c = 0; c < f.n_carry; ++c)
    if (!inside.is(body.outputs[c], other.outputs[c])) return {};
  if (f.n_carry == 0 && !inside.has_all()) return {};
  return inside.with_outputs(std::span(body.outputs).subspan(f.n_carry));
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

Program merged(const Program& p, size_t a, size_t b, BodyPtr body,
               const std::vector<size_t>& delayed) {
  const Program::Step &first = p.steps[a], &second = p.steps[b];
  const ScanForm f(p.attrs_of(first));
  ScanForm g(p.attrs_of(second));
  g.body = std::move(body);
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

// The scans of a program, and which of them read a value.
class Scans {
 public:
  struct Scan {
    size_t step;
    ScanForm form;
  };

  explicit Scans(const Program& p) : p_(p) {
    for (size_t k = 0; k < p.steps.size(); ++k) {
      const Program::Step& s = p.steps[k];
      if (!is_scan(s) || s.held) continue;
      for (ValueId v : p.in(s))
        if (std::vector<size_t>& readers = readers_[v]; readers.empty() || readers.back() != size())
          readers.push_back(size());
      scans_.push_back({k, ScanForm(p.attrs_of(s))});
    }
  }
  size_t size() const { return scans_.size(); }
  const Scan& operator[](size_t i) const { return scans_[i]; }

  // Returns the next ones behind scan i that read what it reads: the readers of that operand which
  // fewest read. A program of a thousand scans is not asked for a million pairs.
  std::span<const size_t> behind(size_t i) const {
    constexpr size_t most_asked = 16;
    std::span<const size_t> fewest = {};
    bool found = false;
    for (ValueId v : p_.in(p_.steps[scans_[i].step])) {
      if (p_.is_constant(v)) continue;  // another one may be equal
      const std::vector<size_t>& readers = readers_.at(v);
      const auto next = std::ranges::upper_bound(readers, i);
      const std::span<const size_t> rest(next, readers.end());
      if (!found || rest.size() < fewest.size()) fewest = rest;
      found = true;
    }
    return fewest.first(std::min(fewest.size(), most_asked));
  }

 private:
  const Program& p_;
  std::vector<Scan> scans_;
  std::unordered_map<ValueId, std::vector<size_t>> readers_;
};

std::optional<Program> with_one_merged(const Program& p) {
  const Scans scans(p);
  for (size_t i = 0; i < scans.size(); ++i)
    for (size_t j : scans.behind(i)) {
      const size_t a = scans[i].step, b = scans[j].step;
      BodyPtr body = with_ys_of(p, p.steps[a], scans[i].form, p.steps[b], scans[j].form);
      if (!body) continue;
      if (const auto delayed = delayed_steps(p, a, b))
        return merged(p, a, b, std::move(body), *delayed);
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
