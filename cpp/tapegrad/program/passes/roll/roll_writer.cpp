#include "tapegrad/program/passes/roll/roll_writer.h"

#include <algorithm>
#include <numeric>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

void RollWriter::copy(uint32_t k) {
  const Program::Step& s = p_.steps[k];
  if (is_long_stack(s)) return edit_.set(s.first_out, stacked(p_.in(s)));
  std::vector<ValueId> in;
  for (ValueId v : p_.in(s)) in.push_back(resolve(v));
  write_copy(k, in);
}

void RollWriter::write_copy(uint32_t k, std::span<const ValueId> in) {
  const Program::Step& s = p_.steps[k];
  std::vector<uint32_t> out;
  for (uint32_t j = 0; j < s.n_out; ++j) out.push_back(p_.values[s.first_out + j].type);
  const ValueId first = edit_.write(s, in, out);
  for (uint32_t j = 0; j < s.n_out; ++j) edit_.set(s.first_out + j, first + j);
}

ValueId RollWriter::resolve(ValueId v) {
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
    case Role::straight:
      break;  // written when its turn comes, before anybody reads it
    case Role::computed:
      if (is_left_over(*at)) return state.last[at->key][loop.count - 1 - at->turn];
      edit_.set(v, element(state.stacked[at->key], index_of_turn(at->loop, at->turn)));
  }
  return edit_.at(v);
}

ValueId RollWriter::write(const Op& op, const Attrs& attrs, std::span<const ValueId> in,
                          const TensorType& out) {
  Program::Step like;
  like.op = op.id;
  like.attrs = edit_.attrs(attrs);
  const uint32_t type = edit_.type(out);
  return edit_.write(like, in, {&type, 1});
}

ValueId RollWriter::element(ValueId stacked, int64_t index) {
  const TensorType from = edit_.program().type_of(stacked);
  const IndexSpec key = IndexSpec::entry(from.shape, 0, index);
  const std::span<const int64_t> rest(from.shape.data() + 1, from.shape.size() - 1);
  return write(slice_op(), key.attrs(), {&stacked, 1}, {from.dtype, Dims(rest)});
}

ValueId RollWriter::axis_moved(ValueId x, size_t from, size_t to) {
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

ValueId RollWriter::stacked(std::span<const ValueId> list) {
  if (std::all_of(list.begin(), list.end(), [&](ValueId v) { return p_.is_constant(v); })) {
    std::vector<Value> in, out(1);
    for (ValueId v : list) in.push_back(p_.constant_of(v));
    stack_op().eval(Attrs{int64_t{0}}, in, out);
    return edit_.constant(std::move(out[0]));
  }
  const TensorType& type = p_.type_of(list[0]);
  if (const auto positions = scattered(list)) return gathered(list[0], *positions);
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

ValueId RollWriter::gathered(ValueId first, const Positions& positions) {
  const Element e = element_of(first);
  std::vector<ValueId> in{resolve(e.base)};
  for (const std::vector<int64_t>& at : positions.at) in.push_back(series_of(at));
  return write(gather_op(), Attrs{with_arrays(code_of(e), positions.items), int64_t{0}}, in,
               stacked_type(p_.type_of(first), static_cast<int64_t>(positions.at[0].size())));
}

ValueId RollWriter::series_of(const std::vector<int64_t>& positions) {
  return edit_.constant(Value::from_int64(positions, Dims{static_cast<int64_t>(positions.size())}));
}

ValueId RollWriter::run(std::span<const ValueId> list) {
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
  return write(slice_op(), IndexSpec::along(shape, 0, first.index, move.by, n).attrs(), {&from, 1},
               out);
}

void RollWriter::write_scatters(uint32_t i) {
  const RolledLoop& loop = loops_[i];
  for (uint32_t k = 0; k < loop.period; ++k) {
    if (loop.roles[k] != Role::scatter) continue;
    const auto chain = std::ranges::find_if(loop.together, [&](const auto& steps) {
      return std::ranges::find(steps, k) != steps.end();
    });
    if (chain == loop.together.end()) {
      write_scatter(i, k);
    } else if (chain->front() == k) {
      write_additions(i, *chain);
    }
  }
}

void RollWriter::write_scatter(uint32_t i, uint32_t k) {
  const RolledLoop& loop = loops_[i];
  State& state = states_[i];
  const auto step_at = [&](uint32_t t) -> const Program::Step& {
    return p_.steps[loop.step(index_of_turn(i, t), k)];
  };
  const auto code_at = [&](uint32_t t) -> std::span<const int64_t> {
    return p_.attrs_of(step_at(t)).integers(index_attrs::code);
  };
  if (loop.is_anywhere[k]) return write_additions(i, {&k, 1});
  const KeyMove move = *key_move(code_at(0), code_at(1));
  const uint32_t key = state.first_key[k];
  const TensorType table = p_.type_of(p_.steps[loop.first + k].first_out);
  const ValueId parts =
      axis_moved(state.stacked[key], 0, range_axis(code_at(0), move.item, table.shape.ndim()));
  const ValueId in[] = {resolve(read(i, 0, k, 0)), parts};
  state.last[key][0] =
      write(op_by_id(step_at(0).op), Attrs{with_range(code_at(0), move, loop.count)}, in, table);
}

ValueId RollWriter::reversed(ValueId x) {
  const TensorType type = edit_.program().type_of(x);
  const int64_t n = type.shape[0];
  return write(slice_op(), IndexSpec::along(type.shape, 0, n - 1, -1, n).attrs(), {&x, 1}, type);
}

void RollWriter::write_additions(uint32_t i, std::span<const uint32_t> steps) {
  const RolledLoop& loop = loops_[i];
  State& state = states_[i];
  const Program::Step& s = p_.steps[loop.step(0, steps[0])];
  const Positions positions = positions_of(i, steps);
  std::vector<ValueId> each;
  for (uint32_t k : steps) {
    const ValueId parts = state.stacked[state.first_key[k]];
    each.push_back(state.reverse ? reversed(parts) : parts);
  }
  ValueId parts = each[0];
  if (each.size() > 1) {
    const TensorType one = edit_.program().type_of(parts);
    const auto n = static_cast<int64_t>(each.size());
    std::vector<int64_t> beside(one.shape.begin(), one.shape.end()), flat = beside;
    beside.insert(beside.begin() + 1, n);
    flat[0] *= n;
    parts = write(stack_op(), Attrs{int64_t{1}}, each, {one.dtype, Dims(beside)});
    parts = write(reshape_op(), Attrs{flat}, {&parts, 1}, {one.dtype, Dims(flat)});
  }
  std::vector<ValueId> in{resolve(read(i, 0, steps[0], 0)), parts};
  for (const std::vector<int64_t>& at : positions.at) in.push_back(series_of(at));
  const std::span<const int64_t> code = p_.attrs_of(s).integers(index_attrs::code);
  const ValueId written =
      write(gather_add_op(), Attrs{with_arrays(code, positions.items), int64_t{0}}, in,
            p_.type_of(s.first_out));
  for (uint32_t k : steps) state.last[state.first_key[k]][0] = written;
}

}  // namespace tapegrad
