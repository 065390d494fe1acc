#include "tapegrad/program/passes/roll/distribute/roll_stages.h"

#include <algorithm>

#include "tapegrad/program/passes/roll/distribute/roll_at_once.h"
#include "tapegrad/program/passes/roll/roll_cycles.h"
#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

using Kind = RolledLoop::Kind;
using Role = RolledLoop::Role;

ValueId StageWriter::SumOperands::at(uint32_t k, uint32_t a) const {
  for (const auto* some : {&of_turns, &of_all})
    for (const Operand& o : *some)
      if (o.k == k && o.a == a) return o.in_body;
  return no_value;
}

void StageWriter::write_stages(uint32_t i) {
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

std::optional<uint32_t> StageWriter::term_of(uint32_t i, uint32_t k, uint32_t a) const {
  const RolledLoop& loop = loops_[i];
  if (loop.operand(k, a).kind != Kind::local) return std::nullopt;
  const uint32_t from = source_in_body(p_, loop, k, a);
  return loop.is_term[from] ? std::optional(from) : std::nullopt;
}

void StageWriter::add_operand(SumOperands& operands, Stacks& known, uint32_t i, uint32_t k,
                              uint32_t a) {
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

ValueId StageWriter::summand(ProgramWriter& body, const SumOperands& operands, Terms& terms,
                             uint32_t i, uint32_t k, uint32_t a) const {
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

std::vector<StageWriter::Addition> StageWriter::additions_of(uint32_t i, uint32_t last) const {
  const RolledLoop& loop = loops_[i];
  const auto chain =
      std::ranges::find_if(loop.chains, [&](const auto& steps) { return steps.back() == last; });
  if (chain == loop.chains.end())
    return {{last, loop.operand(last, 0).kind == Kind::carry ? 0U : 1U}};
  std::vector<Addition> found;
  uint32_t before = last;
  for (uint32_t k : *chain) {
    found.push_back({k, source_in_body(p_, loop, k, 0) == before ? 0U : 1U});
    before = k;
  }
  return found;
}

void StageWriter::write_sums(Stacks& known, uint32_t i, std::span<const uint32_t> sums) {
  const RolledLoop& loop = loops_[i];
  State& state = states_[i];
  const TensorType& type = p_.type_of(output_of(i, sums[0]));
  std::vector<ValueId> in;
  std::vector<uint32_t> types(sums.size(), edit_.type(type));
  ProgramWriter body;
  SumOperands operands;
  for (uint32_t k : sums) {
    const std::vector<Addition> additions = additions_of(i, k);
    const RolledLoop::Operand& first = loop.operand(additions[0].k, additions[0].sum);
    in.push_back(resolve(loop.carries[first.index].initial));
    body.input(type);
    for (const Addition& add : additions) add_operand(operands, known, i, add.k, 1 - add.sum);
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
    ValueId sum = body.program().inputs[n];
    for (const Addition& add : additions_of(i, sums[n])) {
      ValueId parts[2];
      parts[add.sum] = sum;
      parts[1 - add.sum] = summand(body, operands, terms, i, add.k, 1 - add.sum);
      const Op& op = op_by_id(p_.steps[loop.step(0, add.k)].op);  // an addition or subtraction
      sum = body.step(op, Attrs(), parts, {&type, 1});
    }
    made.push_back(sum);
    body.output(sum);
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

ValueId StageWriter::of_all_turns(Stacks& known, uint32_t i, uint32_t k, uint32_t a) {
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

}  // namespace tapegrad
