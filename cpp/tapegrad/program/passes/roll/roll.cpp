#include <algorithm>
#include <unordered_map>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/roll_plan.h"
#include "tapegrad/program/scan/scan_products.h"
#include "tapegrad/program/writer.h"

// Writes each loop that was found as one scan. What later steps read of single turns becomes a
// result of the scan that is stacked over the turns, and what a loop reads of something that
// changes with the turn a stacked array: taken from another loop's results, a range of x[t], or put
// together.

namespace tapegrad {
namespace {

using Role = RolledLoop::Role;

constexpr uint32_t least_turns = 8;
constexpr uint32_t least_steps = 256;  // of all turns together
constexpr uint32_t many_turns = 64;    // of a loop of small arrays
constexpr uint32_t many_steps = 4096;
constexpr uint32_t some_turns = 12;                 // of another
constexpr uint32_t many_numbers = 250'000;          // steps of numbers alone
constexpr int64_t most_elements = most_ungathered;  // of an array in a loop that is no kernel
constexpr int64_t small_array = 64;     // which expand() takes apart, in programs of so many
constexpr int64_t few_scalars = 20000;  // scalars

// Whether a turn does more with what the turn before made than to add to it: turns that only add
// up could also be made all at once.
bool recurs(const Program& p, const RolledLoop& loop) {
  for (uint32_t k = 0; k < loop.period; ++k) {
    const Program::Step& s = p.steps[loop.step(0, k)];
    if (loop.roles[k] != Role::computed || s.op == op_of_fn<Add>()) continue;
    for (uint32_t a = 0; a < s.n_in; ++a)
      if (loop.operand(k, a).kind == RolledLoop::Kind::carry) return true;
  }
  return false;
}

bool is_worth_rolling(const Program& p, const RolledLoop& loop) {
  if (loop.period * loop.count < least_steps) return false;
  bool is_short = true;
  int64_t largest = 0, scalars = 0;
  Dims space;
  for (uint32_t k = 0; k < loop.period; ++k) {
    if (loop.roles[k] != Role::computed) continue;
    const Program::Step& s = p.steps[loop.step(0, k)];
    const Op& op = op_by_id(s.op);
    is_short &= op.scalar_fn >= 0 || op.view == ViewKind::broadcast || op.adds_up() ||
                op.reduces == ReductionKind::mean;
    for (uint32_t j = 0; j < s.n_out; ++j) {
      const Dims& shape = p.type_of(s.first_out + j).shape;
      largest = std::max(largest, element_count(shape));
      scalars += element_count(shape);
      if (shape.empty()) continue;
      if (space.empty()) space = shape;
      is_short &= shape == space;
    }
  }
  // One long scalar tape is as fast as a short one again and again, until it outgrows the caches.
  if (is_short && space.empty()) return loop.period * loop.count >= many_numbers;
  if (is_short && largest <= most_loop_lanes) return true;
  const bool is_little = largest <= small_array && scalars * loop.count <= few_scalars;
  if (largest > most_elements) return false;
  if (is_little || !recurs(p, loop))
    return loop.count >= many_turns && loop.period * loop.count >= many_steps;
  return loop.count >= some_turns;
}

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
        return state.last[at->key];
      case Role::computed:
        if (at->turn + 1 == loop.count && state.is_carry[at->key]) return state.last[at->key];
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

  static void append_whole(std::vector<int64_t>& code, std::span<const int64_t> shape) {
    for (int64_t n : shape)
      code.insert(code.end(), {static_cast<int64_t>(IndexKind::range), 0, 1, n});
  }

  ValueId element(ValueId stacked, int64_t index) {
    const TensorType from = edit_.program().type_of(stacked);
    const std::span<const int64_t> rest(from.shape.data() + 1, from.shape.size() - 1);
    std::vector<int64_t> code{static_cast<int64_t>(IndexKind::at), index, 0, 0};
    append_whole(code, rest);
    return write(slice_op(), Attrs{code}, {&stacked, 1}, {from.dtype, Dims(rest)});
  }

  // Elements first, first + by ... of the first axis; `rest`: the code for the others.
  ValueId range(ValueId from, int64_t first, int64_t by, int64_t n, std::span<const int64_t> rest,
                const TensorType& out) {
    std::vector<int64_t> code{static_cast<int64_t>(IndexKind::range), first, by, n};
    code.insert(code.end(), rest.begin(), rest.end());
    return write(slice_op(), Attrs{code}, {&from, 1}, out);
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
    const Element first = element_of(list[0]), second = element_of(list[1]);
    const int64_t by = second.index - first.index;
    const TensorType out = stacked_type(p_.type_of(list[0]), n);
    if (first.from == Element::From::slice) {
      const std::vector<int64_t>& code =
          p_.attrs_of(p_.steps[first.step]).integers(index_attrs::code);
      return range(resolve(first.base), first.index, by, n, std::span(code).subspan(4), out);
    }
    const ValueId from = first.from == Element::From::unstack
                             ? resolve(first.base)
                             : states_[first.source >> 32].stacked[first.source & none];
    if (edit_.program().type_of(from) == out && by == 1) return from;
    std::vector<int64_t> rest;
    append_whole(rest, std::span<const int64_t>(out.shape.data() + 1, out.shape.size() - 1));
    return range(from, first.index, by, n, rest, out);
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
    for (const RolledLoop::Carry& c : loop.carries) {
      const Program::Step& s = p_.steps[loop.step(0, c.step)];
      w.body.output(made_in_turn(w, *place_of(s.first_out + c.out)));
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
    for (const RolledLoop::Carry& c : loop.carries)
      state.last[state.first_key[c.step] + c.out] = next++;
    for (uint32_t key : ys) state.stacked[key] = next++;
    for (uint32_t k = 0; k < loop.period; ++k)
      if (loop.roles[k] == Role::scatter) write_scatter(i, k);
  }

  // All elements at once, after the loop.
  void write_scatter(uint32_t i, uint32_t k) {
    const RolledLoop& loop = loops_[i];
    State& state = states_[i];
    const auto code_at = [&](uint32_t t) -> const std::vector<int64_t>& {
      return p_.attrs_of(p_.steps[loop.step(index_of_turn(i, t), k)]).integers(index_attrs::code);
    };
    std::vector<int64_t> code = code_at(0);
    const int64_t first = code[1], by = code_at(1)[1] - first;
    const std::vector<int64_t> head{static_cast<int64_t>(IndexKind::range), first, by, loop.count};
    std::copy(head.begin(), head.end(), code.begin());
    const uint32_t key = state.first_key[k];
    const ValueId in[] = {resolve(read(i, 0, k, 0)), state.stacked[key]};
    state.last[key] =
        write(slice_add_op(), Attrs{code}, in, p_.type_of(p_.steps[loop.first + k].first_out));
  }

  Edit edit_;
};

}  // namespace

Program roll_loops(const Program& p) {
  if (p.steps.size() < least_steps) return p;
  std::vector<RolledLoop> loops = find_loops(p, least_turns);
  std::erase_if(loops, [&](const RolledLoop& loop) { return !is_worth_rolling(p, loop); });
  if (loops.empty()) return p;
  return Roller(p, std::move(loops)).run();
}

}  // namespace tapegrad
