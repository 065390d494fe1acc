#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/find/roll_lookups.h"
#include "tapegrad/program/passes/roll/roll_at_once.h"
#include "tapegrad/program/passes/roll/roll_cycles.h"
#include "tapegrad/program/passes/roll/roll_writer.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/writer.h"

// Writes each loop that was found as one scan. What later steps read of single turns becomes a
// result of the scan that is stacked over the turns, and what a loop reads of something that
// changes with the turn a stacked array: taken from another loop's results, a range of x[t], or put
// together. A loop that is distributed is written stage by stage: what recurs turn by turn, the
// rest as steps on such stacked arrays.

namespace tapegrad {
namespace {

using Role = RolledLoop::Role;

class Roller : RollWriter {
 public:
  Roller(const Program& p, std::vector<RolledLoop> loops) : RollWriter(p, std::move(loops)) {}

  Program run() {
    for (uint32_t k = 0; k < p_.steps.size(); ++k) {
      if (at_[k] == none) {
        copy(k);
      } else if (loops_[at_[k]].first == k) {
        write_loop(at_[k]);
      }
    }
    for (ValueId v : p_.outputs) edit_.set(v, resolve(v));
    for (const Program::Guard& g : p_.guards) edit_.set(g.value, resolve(g.value));
    return edit_.finish();
  }

 private:
  // The body as a program; what it reads, in the order of the scan's inputs.
  struct Writing {
    ProgramWriter body;
    std::vector<ValueId> by_key;  // body values
    std::vector<ValueId> carries, xs, rest;
    std::unordered_map<ValueId, ValueId> of_rest;  // by new value
    std::vector<ValueId> in;                       // new values
    std::vector<std::vector<ValueId>> at;          // by step: positions, as body values
  };

  void write_loop(uint32_t i) {
    const RolledLoop& loop = loops_[i];
    if (loop.only_writes()) return write_parts(i);
    for (uint32_t k = 0; k < loop.period; ++k)
      if (loop.roles[k] == Role::hoisted) copy(loop.first + k);
    if (!loop.stages.empty()) return write_stages(i);
    Writing w;
    w.by_key.assign(states_[i].wanted.size(), no_value);
    for (const RolledLoop::Carry& c : loop.carries) {
      w.in.push_back(resolve(c.initial));
      w.carries.push_back(w.body.input(p_.type_of(c.initial)));
    }
    for (const RolledLoop::Series& s : loop.series)
      add_series(w, turns_of(i, s.step, s.operand, false), no_value);
    for (uint32_t k = 0; k < loop.period; ++k)
      if (loop.roles[k] == Role::varying)
        add_series(w, turns_of(i, k, 0, true), states_[i].first_key[k]);
    w.at.resize(loop.period);
    for (uint32_t k = 0; k < loop.period; ++k)
      if (loop.roles[k] == Role::computed && loop.is_anywhere[k]) add_positions(w, i, k);
    std::vector<ValueId> outer = invariants(i);
    for (ValueId v : outer) {
      w.in.push_back(v);
      w.of_rest[v] = w.body.input(edit_.program().type_of(v));
    }
    for (uint32_t k = 0; k < loop.period; ++k) write_step(w, i, k);
    write_scan(w, i);
  }

  // What is written is there already.
  void write_parts(uint32_t i) {
    for (uint32_t k = 0; k < loops_[i].period; ++k)
      states_[i].stacked[states_[i].first_key[k]] = stacked(turns_of(i, k, 1, false));
    write_scatters(i);
  }

  // Stacked arrays that a distributed loop has made already: by kind and number of an operand.
  using Stacks = std::map<std::pair<Kind, uint32_t>, ValueId>;

  void write_stages(uint32_t i) {
    const RolledLoop& loop = loops_[i];
    Stacks known;
    for (const RolledLoop::Stage& stage : loop.stages) {
      for (uint32_t turn = 0; turn < loop.count; ++turn)
        for (uint32_t k : stage.straight) copy(loop.step(turn, k));
      for (uint32_t k : stage.at_once) {
        const Program::Step& s = p_.steps[loop.first + k];
        std::vector<ValueId> in;
        for (uint32_t a = 0; a < s.n_in; ++a) in.push_back(of_all_turns(known, i, k, a));
        states_[i].stacked[states_[i].first_key[k]] = write_at_once(edit_, p_, s, in, loop.count);
      }
      for (std::span<const uint32_t> left = stage.sums; !left.empty();) {
        const auto type = [&](uint32_t k) { return p_.values[output_of(i, k)].type; };
        const auto other =
            std::ranges::find_if(left, [&](uint32_t k) { return type(k) != type(left[0]); });
        const auto n = static_cast<size_t>(other - left.begin());
        write_sums(known, i, left.first(n));
        left = left.subspan(n);
      }
    }
  }

  ValueId output_of(uint32_t i, uint32_t k) const {
    return p_.steps[loops_[i].step(0, k)].first_out;
  }

  // What the scan of sums reads: something else each turn, or the same.
  struct SumOperands {
    struct Operand {
      uint32_t k, a;  // of the loop: the step and which of its operands
      ValueId of_loop, in_body;
      TensorType type;
    };
    std::vector<Operand> of_turns, of_all;

    ValueId at(uint32_t k, uint32_t a) const {
      for (const auto* some : {&of_turns, &of_all})
        for (const Operand& o : *some)
          if (o.k == k && o.a == a) return o.in_body;
      return no_value;
    }
  };
  using Terms = std::vector<std::pair<uint32_t, ValueId>>;  // steps, and their values in the body

  // The step that makes an operand there.
  std::optional<uint32_t> term_of(uint32_t i, uint32_t k, uint32_t a) const {
    const RolledLoop& loop = loops_[i];
    if (loop.operand(k, a).kind != Kind::local) return std::nullopt;
    const uint32_t from = source_in_body(p_, loop, k, a);
    return loop.is_term[from] ? std::optional(from) : std::nullopt;
  }

  void add_operand(SumOperands& operands, Stacks& known, uint32_t i, uint32_t k, uint32_t a) {
    const TensorType& own = p_.type_of(p_.in(p_.steps[loops_[i].first + k])[a]);
    if (const std::optional<uint32_t> term = term_of(i, k, a)) {
      for (uint32_t b = 0; b < p_.steps[loops_[i].first + *term].n_in; ++b)
        add_operand(operands, known, i, *term, b);
      return;
    }
    const ValueId v = of_all_turns(known, i, k, a);
    const bool has_turns = edit_.program().type_of(v).shape.ndim() > own.shape.ndim();
    (has_turns ? operands.of_turns : operands.of_all).push_back({k, a, v, no_value, own});
  }

  ValueId summand(ProgramWriter& body, const SumOperands& operands, Terms& terms, uint32_t i,
                  uint32_t k, uint32_t a) const {
    const std::optional<uint32_t> term = term_of(i, k, a);
    if (!term) return operands.at(k, a);
    const Program::Step& s = p_.steps[loops_[i].first + *term];
    std::vector<ValueId> in;
    for (uint32_t b = 0; b < s.n_in; ++b) in.push_back(summand(body, operands, terms, i, *term, b));
    const TensorType& type = p_.type_of(s.first_out);
    const ValueId made = body.step(op_by_id(s.op), p_.attrs_of(s), in, {&type, 1});
    terms.emplace_back(*term, made);
    return made;
  }

  // Sums of one type, in the order of the turns.
  void write_sums(Stacks& known, uint32_t i, std::span<const uint32_t> sums) {
    const RolledLoop& loop = loops_[i];
    State& state = states_[i];
    const TensorType& type = p_.type_of(output_of(i, sums[0]));
    std::vector<ValueId> in;
    std::vector<uint32_t> types(sums.size(), edit_.type(type));
    ProgramWriter body;
    SumOperands operands;
    for (uint32_t k : sums) {
      const uint32_t c = loop.operand(k, 0).kind == Kind::carry ? 0 : 1;
      in.push_back(resolve(loop.carries[loop.operand(k, c).index].initial));
      body.input(type);
      add_operand(operands, known, i, k, 1 - c);
    }
    const size_t n_rows = operands.of_turns.size();
    for (auto* some : {&operands.of_turns, &operands.of_all})
      for (SumOperands::Operand& operand : *some) {
        in.push_back(operand.of_loop);
        operand.in_body = body.input(operand.type);
      }
    std::vector<ValueId> made;
    Terms terms;
    for (size_t n = 0; n < sums.size(); ++n) {
      const uint32_t c = loop.operand(sums[n], 0).kind == Kind::carry ? 0 : 1;
      ValueId parts[2];
      parts[c] = body.program().inputs[n];
      parts[1 - c] = summand(body, operands, terms, i, sums[n], 1 - c);
      const Op& op = op_by_id(p_.steps[loop.step(0, sums[n])].op);  // an addition or subtraction
      made.push_back(body.step(op, Attrs(), parts, {&type, 1}));
      body.output(made.back());
    }
    std::vector<uint32_t> keys;
    const auto keep = [&](uint32_t k, ValueId v) {
      const uint32_t key = state.first_key[k];
      if (!state.wanted[key]) return;
      body.output(v);
      keys.push_back(key);
      types.push_back(edit_.type(stacked_type(p_.type_of(output_of(i, k)), loop.count)));
    };
    for (size_t n = 0; n < sums.size(); ++n) keep(sums[n], made[n]);
    for (const auto& [term, v] : terms) keep(term, v);
    const ScanForm form(Body::of(std::move(body).finish()), loop.count, sums.size(), n_rows,
                        state.reverse);
    Program::Step like;
    like.op = scan_op().id;
    like.attrs = edit_.attrs(form.attrs());
    ValueId next = edit_.write(like, in, types);
    for (uint32_t k : sums) state.last[state.first_key[k]][0] = next++;
    for (uint32_t key : keys) state.stacked[key] = next++;
  }

  // An operand of a step that is made at once: a number, or one for each turn.
  ValueId of_all_turns(Stacks& known, uint32_t i, uint32_t k, uint32_t a) {
    const RolledLoop& loop = loops_[i];
    const RolledLoop::Operand& operand = loop.operand(k, a);
    const ValueId first = read(i, 0, k, a);
    const auto at = place_of(first);
    const bool is_local = operand.kind == Kind::local;
    if (operand.kind == Kind::invariant || (is_local && role_of(*at) == Role::hoisted))
      return resolve(first);
    if (is_local && role_of(*at) == Role::computed) return states_[i].stacked[at->key];
    const uint32_t number = is_local ? at->key : operand.index;
    const auto [found, is_new] = known.try_emplace({operand.kind, number}, no_value);
    if (is_new) {
      const std::vector<ValueId> list = turns_of(i, k, a, false);
      const bool stays = std::ranges::all_of(list, [&](ValueId v) { return v == list[0]; });
      found->second = stays ? resolve(list[0]) : stacked(list);
    }
    return found->second;
  }

  void add_series(Writing& w, const std::vector<ValueId>& list, ValueId key) {
    w.in.push_back(stacked(list));
    const ValueId x = w.body.input(p_.type_of(list[0]));
    if (key == no_value) {
      w.xs.push_back(x);
    } else {
      w.by_key[key] = x;
    }
  }

  void add_positions(Writing& w, uint32_t i, uint32_t k) {
    for (std::vector<int64_t> at : positions_of(i, {&k, 1}).at) {
      if (states_[i].reverse) std::ranges::reverse(at);
      w.in.push_back(series_of(at));
      w.at[k].push_back(w.body.input({DType::int64, Dims{}}));
    }
  }

  // New values that the steps of the body read, and what goes over to the next turn.
  std::vector<ValueId> invariants(uint32_t i) {
    const RolledLoop& loop = loops_[i];
    std::vector<ValueId> found;
    const auto add = [&](ValueId old) {
      if (p_.is_constant(old)) return;
      const ValueId v = resolve(old);
      if (std::find(found.begin(), found.end(), v) == found.end()) found.push_back(v);
    };
    for (uint32_t k = 0; k < loop.period; ++k) {
      const Program::Step& s = p_.steps[loop.first + k];
      if (loop.roles[k] == Role::hoisted)
        for (uint32_t j = 0; j < s.n_out; ++j) add(s.first_out + j);
      if (loop.roles[k] != Role::computed && loop.roles[k] != Role::scatter) continue;
      for (uint32_t a = 0; a < s.n_in; ++a)
        if (loop.operand(k, a).kind == Kind::invariant) add(p_.in(s)[a]);
    }
    return found;
  }

  ValueId body_value(Writing& w, uint32_t i, uint32_t k, uint32_t a) {
    const RolledLoop::Operand& operand = loops_[i].operand(k, a);
    const ValueId old = read(i, 0, k, a);
    switch (operand.kind) {
      case Kind::carry:
        return w.carries[operand.index];
      case Kind::series:
        return w.xs[operand.index];
      case Kind::invariant:
        return p_.is_constant(old) ? w.body.constant(p_.constant_of(old))
                                   : w.of_rest.at(resolve(old));
      case Kind::local:
        break;
    }
    return made_in_turn(w, *place_of(old));
  }

  ValueId made_in_turn(Writing& w, const Place& at) {
    if (role_of(at) != Role::hoisted) return w.by_key[at.key];
    const Program::Step& s = p_.steps[loops_[at.loop].step(0, at.k)];
    const uint32_t j = at.key - states_[at.loop].first_key[at.k];
    return w.of_rest.at(resolve(s.first_out + j));
  }

  void write_step(Writing& w, uint32_t i, uint32_t k) {
    const RolledLoop& loop = loops_[i];
    const Program::Step& s = p_.steps[loop.first + k];
    const uint32_t key = states_[i].first_key[k];
    if (loop.roles[k] == Role::scatter) w.by_key[key] = body_value(w, i, k, 1);
    if (loop.roles[k] != Role::computed) return;
    std::vector<ValueId> in;
    for (uint32_t a = 0; a < s.n_in; ++a) in.push_back(body_value(w, i, k, a));
    std::vector<TensorType> out;
    for (uint32_t j = 0; j < s.n_out; ++j) out.push_back(p_.type_of(s.first_out + j));
    const Op* op = &op_by_id(s.op);
    Attrs attrs = p_.attrs_of(s);
    if (!w.at[k].empty()) {
      in.insert(in.end(), w.at[k].begin(), w.at[k].end());
      attrs = Attrs{with_arrays(attrs.integers(index_attrs::code), positions_of(i, {&k, 1}).items),
                    int64_t{0}};
      op = op->update == UpdateKind::none  ? &gather_op()
           : op->update == UpdateKind::add ? &gather_add_op()
                                           : &gather_set_op();
    }
    const ValueId first = w.body.step(*op, attrs, in, out, s.held);
    for (uint32_t j = 0; j < s.n_out; ++j) w.by_key[key + j] = first + j;
  }

  void write_scan(Writing& w, uint32_t i) {
    const RolledLoop& loop = loops_[i];
    State& state = states_[i];
    std::vector<TensorType> out;
    for (size_t k = 0; k < loop.carries.size(); ++k) {
      const RolledLoop::Carry& c = loop.carries[k];
      const Program::Step& s = p_.steps[loop.step(0, c.step)];
      w.body.output(c.age == 1 ? made_in_turn(w, *place_of(s.first_out + c.out))
                               : w.carries[k - 1]);
      out.push_back(p_.type_of(c.initial));
    }
    std::vector<uint32_t> ys;  // keys
    for (uint32_t k = 0; k < loop.period; ++k) {
      const Program::Step& s = p_.steps[loop.first + k];
      for (uint32_t j = 0; j < s.n_out; ++j) {
        const uint32_t key = state.first_key[k] + j;
        if (!state.wanted[key] && loop.roles[k] != Role::scatter) continue;
        const ValueId y = w.by_key[key];
        w.body.output(y);
        ys.push_back(key);
        out.push_back(stacked_type(w.body.program().type_of(y), loop.count));
      }
    }
    const ScanForm form(Body::of(std::move(w.body).finish()), loop.count, loop.carries.size(),
                        w.in.size() - loop.carries.size() - w.of_rest.size(), state.reverse);
    Program::Step like;
    like.op = scan_op().id;
    like.attrs = edit_.attrs(form.attrs());
    std::vector<uint32_t> types;
    for (const TensorType& t : out) types.push_back(edit_.type(t));
    ValueId next = edit_.write(like, w.in, types);
    for (const RolledLoop::Carry& c : loop.carries) {
      std::vector<ValueId>& last = state.last[state.first_key[c.step] + c.out];
      last.resize(std::max<size_t>(last.size(), c.age));
      last[c.age - 1] = next++;
    }
    for (uint32_t key : ys) state.stacked[key] = next++;
    write_scatters(i);
  }
};

uint32_t turns_of(const std::vector<RolledLoop>& loops) {
  uint32_t n = 0;
  for (const RolledLoop& loop : loops) n += loop.count;
  return n;
}

Program written(const Program& p, std::vector<RolledLoop> loops) {
  return Roller(p, std::move(loops)).run();
}

// Whether turns make arrays: numbers alone are as well off in one scalar tape.
bool makes_arrays(const Program& p, const RolledLoop& loop) {
  for (uint32_t k = 0; k < loop.period; ++k) {
    const Program::Step& s = p.steps[loop.first + k];
    if (!p.type_of(s.first_out).shape.empty() && !writes_by_key(op_by_id(s.op))) return true;
  }
  return false;
}

}  // namespace

// Turns in which shared lookups stand are in no loop: where these stand before all turns, loops may
// have more of them.
Program distribute_loops(Program p) {
  std::vector<RolledLoop> loops = loops_to_distribute(p);
  if (const std::optional<Program> moved = lookups_before_loops(p)) {
    std::vector<RolledLoop> others = loops_to_distribute(*moved);
    const bool are_better = !loops.empty() || std::ranges::any_of(others, [&](const auto& loop) {
      return makes_arrays(*moved, loop);
    });
    if (are_better && turns_of(others) > turns_of(loops))
      return drop_dead(written(*moved, std::move(others)));
  }
  return loops.empty() ? std::move(p) : written(p, std::move(loops));
}

Program roll_loops(Program p) {
  const std::optional<Program> moved = lookups_before_loops(p);
  const Program& before = moved ? *moved : p;
  std::vector<RolledLoop> loops = loops_to_roll(before);
  if (loops.empty()) return p;
  Program found = written(before, std::move(loops));
  return moved ? drop_dead(found) : found;
}

}  // namespace tapegrad
