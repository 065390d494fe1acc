#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/roll/roll_plan.h"
#include "tapegrad/program/scan/scan.h"
#include "tapegrad/program/writer.h"

// Writes each loop that was found as one scan. What later steps read of single turns becomes a
// result of the scan that is stacked over the turns, and what a loop reads of something that
// changes with the turn a stacked array: taken from another loop's results, a range of x[t], or put
// together.

namespace tapegrad {
namespace {

using Role = RolledLoop::Role;

class Roller : RollPlan {
 public:
  Roller(const Program& p, std::vector<RolledLoop> loops)
      : RollPlan(p, std::move(loops)), edit_(p) {}

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
  void copy(uint32_t k) {
    const Program::Step& s = p_.steps[k];
    if (is_long_stack(s)) return edit_.set(s.first_out, stacked(p_.in(s)));
    std::vector<ValueId> in;
    for (ValueId v : p_.in(s)) in.push_back(resolve(v));
    write_copy(k, in);
  }

  void write_copy(uint32_t k, std::span<const ValueId> in) {
    const Program::Step& s = p_.steps[k];
    std::vector<uint32_t> out;
    for (uint32_t j = 0; j < s.n_out; ++j) out.push_back(p_.values[s.first_out + j].type);
    const ValueId first = edit_.write(s, in, out);
    for (uint32_t j = 0; j < s.n_out; ++j) edit_.set(s.first_out + j, first + j);
  }

  // The new value of an old one, single turns of loops included.
  ValueId resolve(ValueId v) {
    if (edit_.has(v)) return edit_.at(v);
    const auto at = place_of(v);
    if (!at) return edit_.at(v);
    const RolledLoop& loop = loops_[at->loop];
    const State& state = states_[at->loop];
    switch (role_of(*at)) {
      case Role::hoisted: {
        const Program::Step& s = p_.steps[loop.step(at->turn, at->k)];
        const ValueId first = p_.steps[loop.step(0, at->k)].first_out;
        edit_.set(v, edit_.at(first + (v - s.first_out)));
        break;
      }
      case Role::varying: {
        const uint32_t k = loop.step(at->turn, at->k);
        const ValueId in[] = {resolve(p_.in(p_.steps[k])[0])};
        write_copy(k, in);
        break;
      }
      case Role::scatter:
        return state.last[at->key][0];
      case Role::computed:
        if (is_left_over(*at)) return state.last[at->key][loop.count - 1 - at->turn];
        edit_.set(v, element(state.stacked[at->key], index_of_turn(at->loop, at->turn)));
    }
    return edit_.at(v);
  }

  ValueId write(const Op& op, const Attrs& attrs, std::span<const ValueId> in,
                const TensorType& out) {
    Program::Step like;
    like.op = op.id;
    like.attrs = edit_.attrs(attrs);
    const uint32_t type = edit_.type(out);
    return edit_.write(like, in, {&type, 1});
  }

  ValueId element(ValueId stacked, int64_t index) {
    const TensorType from = edit_.program().type_of(stacked);
    const IndexSpec key = IndexSpec::entry(from.shape, 0, index);
    const std::span<const int64_t> rest(from.shape.data() + 1, from.shape.size() - 1);
    return write(slice_op(), key.attrs(), {&stacked, 1}, {from.dtype, Dims(rest)});
  }

  // x with its axis `from` as axis `to`.
  ValueId axis_moved(ValueId x, size_t from, size_t to) {
    if (from == to) return x;
    const TensorType type = edit_.program().type_of(x);
    std::vector<int64_t> perm(type.shape.size());
    std::iota(perm.begin(), perm.end(), 0);
    const int64_t axis = perm[from];
    perm.erase(perm.begin() + static_cast<std::ptrdiff_t>(from));
    perm.insert(perm.begin() + static_cast<std::ptrdiff_t>(to), axis);
    Dims shape;
    for (int64_t k : perm) shape.push_back(type.shape[static_cast<size_t>(k)]);
    return write(transpose_op(), Attrs{perm}, {&x, 1}, {type.dtype, shape});
  }

  // Old values, all of one type, as one array with a leading axis.
  ValueId stacked(std::span<const ValueId> list) {
    if (std::all_of(list.begin(), list.end(), [&](ValueId v) { return p_.is_constant(v); })) {
      std::vector<Value> in, out(1);
      for (ValueId v : list) in.push_back(p_.constant_of(v));
      stack_op().eval(Attrs{int64_t{0}}, in, out);
      return edit_.constant(std::move(out[0]));
    }
    const TensorType& type = p_.type_of(list[0]);
    std::vector<ValueId> parts, singles;
    const auto flush = [&] {
      if (singles.empty()) return;
      parts.push_back(write(stack_op(), Attrs{int64_t{0}}, singles,
                            stacked_type(type, static_cast<int64_t>(singles.size()))));
      singles.clear();
    };
    for (size_t i = 0; i < list.size();) {
      const size_t n = run_length(list.subspan(i));
      if (n < 2) {
        singles.push_back(resolve(list[i++]));
        continue;
      }
      flush();
      parts.push_back(run(list.subspan(i, n)));
      i += n;
    }
    flush();
    if (parts.size() == 1) return parts[0];
    return write(concatenate_op(), Attrs{int64_t{0}}, parts,
                 stacked_type(type, static_cast<int64_t>(list.size())));
  }

  ValueId run(std::span<const ValueId> list) {
    const auto n = static_cast<int64_t>(list.size());
    const Element first = element_of(list[0]);
    const KeyMove move = *move_between(first, element_of(list[1]));
    const TensorType out = stacked_type(p_.type_of(list[0]), n);
    if (first.from == Element::From::slice) {
      const std::span<const int64_t> code = code_of(first);
      const size_t axis = range_axis(code, move.item, p_.type_of(first.base).shape.ndim());
      std::vector<int64_t> shape(out.shape.begin() + 1, out.shape.end());
      shape.insert(shape.begin() + static_cast<std::ptrdiff_t>(axis), n);
      const ValueId base = resolve(first.base);
      const ValueId wide =
          write(slice_op(), Attrs{with_range(code, move, n)}, {&base, 1}, {out.dtype, Dims(shape)});
      return axis_moved(wide, axis, 0);
    }
    const ValueId from = first.from == Element::From::unstack
                             ? resolve(first.base)
                             : states_[first.source >> 32].stacked[first.source & none];
    if (edit_.program().type_of(from) == out && move.by == 1) return from;
    const Dims& shape = edit_.program().type_of(from).shape;
    return write(slice_op(), IndexSpec::along(shape, 0, first.index, move.by, n).attrs(),
                 {&from, 1}, out);
  }

  // The body as a program; what it reads, in the order of the scan's inputs.
  struct Writing {
    ProgramWriter body;
    std::vector<ValueId> by_key;  // body values
    std::vector<ValueId> carries, xs, rest;
    std::unordered_map<ValueId, ValueId> of_rest;  // by new value
    std::vector<ValueId> in;                       // new values
  };

  void write_loop(uint32_t i) {
    const RolledLoop& loop = loops_[i];
    for (uint32_t k = 0; k < loop.period; ++k)
      if (loop.roles[k] == Role::hoisted) copy(loop.first + k);
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
    std::vector<ValueId> outer = invariants(i);
    for (ValueId v : outer) {
      w.in.push_back(v);
      w.of_rest[v] = w.body.input(edit_.program().type_of(v));
    }
    for (uint32_t k = 0; k < loop.period; ++k) write_step(w, i, k);
    write_scan(w, i);
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
    const ValueId first = w.body.step(op_by_id(s.op), p_.attrs_of(s), in, out, s.held);
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
    for (uint32_t k = 0; k < loop.period; ++k)
      if (loop.roles[k] == Role::scatter) write_scatter(i, k);
  }

  // All parts at once, after the loop.
  void write_scatter(uint32_t i, uint32_t k) {
    const RolledLoop& loop = loops_[i];
    State& state = states_[i];
    const auto step_at = [&](uint32_t t) -> const Program::Step& {
      return p_.steps[loop.step(index_of_turn(i, t), k)];
    };
    const auto code_at = [&](uint32_t t) -> std::span<const int64_t> {
      return p_.attrs_of(step_at(t)).integers(index_attrs::code);
    };
    const KeyMove move = *key_move(code_at(0), code_at(1));
    const uint32_t key = state.first_key[k];
    const TensorType table = p_.type_of(p_.steps[loop.first + k].first_out);
    const ValueId parts =
        axis_moved(state.stacked[key], 0, range_axis(code_at(0), move.item, table.shape.ndim()));
    const ValueId in[] = {resolve(read(i, 0, k, 0)), parts};
    state.last[key][0] =
        write(op_by_id(step_at(0).op), Attrs{with_range(code_at(0), move, loop.count)}, in, table);
  }

  Edit edit_;
};

}  // namespace

Program roll_loops(Program p) {
  std::vector<RolledLoop> loops = loops_to_roll(p);
  if (loops.empty()) return p;
  return Roller(p, std::move(loops)).run();
}

}  // namespace tapegrad
