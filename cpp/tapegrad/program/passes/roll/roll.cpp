#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/distribute/roll_stages.h"
#include "tapegrad/program/passes/roll/find/roll_lookups.h"
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

class Roller : StageWriter {
 public:
  Roller(const Program& p, std::vector<RolledLoop> loops) : StageWriter(p, std::move(loops)) {}

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

// What passes made anew for each turn, positions above all, is the same at every turn.
Program with_shared_constants(Program p) {
  const std::vector<uint32_t> same = equal_constants(p);
  std::vector<ValueId> stands_for(same.size(), no_value);  // by constant
  for (ValueId& v : p.operands) {
    if (!p.is_constant(v) || p.constant_of(v).is_scalar()) continue;
    ValueId& first = stands_for[same[p.values[v].index]];
    if (first == no_value) first = v;
    v = first;
  }
  return p;
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
  p = with_shared_constants(std::move(p));
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
  p = with_shared_constants(std::move(p));
  const std::optional<Program> moved = lookups_before_loops(p);
  const Program& before = moved ? *moved : p;
  std::vector<RolledLoop> loops = loops_to_roll(before);
  if (loops.empty()) return p;
  Program found = written(before, std::move(loops));
  return moved ? drop_dead(found) : found;
}

}  // namespace tapegrad
