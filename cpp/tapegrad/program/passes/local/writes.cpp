#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/split/part_order.h"

// An array that is written element by element, and read only when all is written: every write is a
// step, which costs more than the number that it writes. Here the numbers are joined into an array
// by one step, or put into one that was there before. So are the rows of an array that was the same
// number everywhere, where most of them are written. A write that another one replaces goes.
// part_rule() has seen to it that what is read between the writes is read where it was written, so
// that little else keeps versions of such an array alive. What turns of a loop add to the same few
// numbers, each in its place, is added where it was, so that it stays a part of the turns.

namespace tapegrad {
namespace {

constexpr size_t least_writes = 4;

class WriteChains {
 public:
  explicit WriteChains(const Program& p)
      : p_(p),
        uses_(use_counts(p)),
        chain_of_(p.steps.size(), none),
        is_overwritten_(p.steps.size(), false) {}

  // Fewer steps, or nothing where there are no such arrays.
  std::optional<Program> run() {
    for (uint32_t i = 0; i < p_.steps.size(); ++i) follow(i);
    bool is_changed = false;
    for (Chain& c : chains_) {
      is_changed |= drop_overwritten(c);
      c.is_joined = c.writes.size() >= least_writes && can_join(c);
      c.is_in_turns = c.is_joined && adds_in_turns(c);
      is_changed |= c.is_joined;
    }
    if (!is_changed) return std::nullopt;
    find_added_at_once();
    Edit edit(p_);
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      const Program::Step& s = p_.steps[i];
      const uint32_t k = chain_of_[i];
      if (k != none && chains_[k].is_joined) {
        Chain& c = chains_[k];
        if (c.is_in_turns) write(edit, c, i);
        if (c.writes.back() == i) edit.set(s.first_out, joined(edit, c));
      } else if (is_overwritten_[i]) {
        edit.set(s.first_out, edit.at(p_.in(s)[0]));
      } else {
        edit.copy(s);
      }
    }
    return edit.finish();
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};
  static constexpr int no_axis = -1;
  struct Chain {
    ValueId root;
    int axis;  // along which its rows lie side by side; no_axis: elements are written
    std::vector<uint32_t> writes{};  // steps, each of which alone reads what the one before wrote
    bool is_joined = false;
    bool is_in_turns = false;  // additions to the same numbers, again and again
    // To rows that were zeros, behind all that is added: 0 + x is x but for the sign of a zero.
    bool adds_zero_at_once = false;
    std::unordered_map<int64_t, ValueId> now{};  // by place, what it holds after the last write
  };
  // What a step writes: an element, numbered in C order, or a row: all of the other axes.
  struct Place {
    int64_t number;
    int axis;
  };

  // Nothing where it does not write that, in the array's own dtype.
  std::optional<Place> place_written(const Program::Step& s) const {
    if (s.kernel >= 0 || s.held || is_elementwise(s.op)) return std::nullopt;
    const Op& op = op_by_id(s.op);
    if (op.key != KeyKind::basic || op.update == UpdateKind::none) return std::nullopt;
    const TensorType &array = p_.type_of(p_.in(s)[0]), &update = p_.type_of(p_.in(s)[1]);
    if (!is_floating(array.dtype) || update.dtype != array.dtype) return std::nullopt;
    const IndexItems items(p_.attrs_of(s).integers(index_attrs::code));
    const Dims& shape = array.shape;
    if (items.size() == 0 || static_cast<int>(items.size()) != shape.ndim()) return std::nullopt;
    int64_t element = 0, positions = 0, others = 0;
    int axis = no_axis;
    for (size_t k = 0; k < items.size(); ++k) {
      const IndexItem item = items[k];
      element = element * shape[k] + item.start;
      if (item.kind == IndexKind::at) {
        ++positions;
        axis = static_cast<int>(k);
      }
      others += item.kind == IndexKind::range && item.start == 0 && item.step == 1 &&
                item.length == shape[k];
    }
    const bool is_number = update.shape.empty();
    if (positions == shape.ndim())
      return is_number ? std::optional(Place{element, no_axis}) : std::nullopt;
    if (positions != 1 || others != shape.ndim() - 1) return std::nullopt;
    if (!is_number && update.shape != row_shape(array, axis)) return std::nullopt;
    return Place{items[axis].start, axis};
  }

  static Dims row_shape(const TensorType& array, int axis) {
    std::vector<int64_t> shape = to_vector(array.shape);
    shape.erase(shape.begin() + axis);
    return Dims(shape.data(), shape.size());
  }

  void follow(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    const std::optional<Place> place = place_written(s);
    if (!place) return;
    const ValueId base = p_.in(s)[0];
    const Program::ValueInfo& info = p_.values[base];
    uint32_t k = info.source == Source::step ? chain_of_[info.index] : none;
    if (k == none || uses_[base] != 1 || chains_[k].axis != place->axis) {
      // What is joined anew is packed. Of more than one axis a root may not be, and what reads the
      // array may round by that.
      if (p_.type_of(base).shape.ndim() > 1 && !is_packed(p_, base, true)) return;
      k = static_cast<uint32_t>(chains_.size());
      chains_.push_back({base, place->axis});
    }
    chains_[k].writes.push_back(i);
    chain_of_[i] = k;
  }

  // Nobody reads what another write replaces before the end of the chain.
  bool drop_overwritten(Chain& c) {
    std::unordered_set<int64_t> replaced;
    const size_t n = c.writes.size();
    for (size_t j = n; j-- > 0;) {
      const Program::Step& s = p_.steps[c.writes[j]];
      const int64_t place = place_written(s)->number;
      if (replaced.contains(place))
        is_overwritten_[c.writes[j]] = true;
      else if (op_by_id(s.op).update == UpdateKind::set)
        replaced.insert(place);
    }
    std::erase_if(c.writes, [&](uint32_t i) { return is_overwritten_[i]; });
    return c.writes.size() != n;
  }

  bool can_join(const Chain& c) {
    if (c.axis == no_axis) return true;
    if (!uniform_.at(p_, c.root)) return false;
    std::unordered_set<int64_t> rows;
    for (uint32_t i : c.writes) rows.insert(place_written(p_.steps[i])->number);
    // What is added to few rows again and again belongs to the turns that add it: add_up_parts().
    return p_.type_of(c.root).shape[c.axis] <= 2 * static_cast<int64_t>(rows.size()) &&
           c.writes.size() <= 2 * rows.size();
  }

  // Whether numbers are added to by all writes, most of them again and again.
  bool adds_in_turns(const Chain& c) const {
    if (c.axis != no_axis) return false;
    std::vector<uint32_t> places;  // by write
    std::unordered_map<int64_t, uint32_t> known;
    for (uint32_t i : c.writes) {
      const Program::Step& s = p_.steps[i];
      if (op_by_id(s.op).update != UpdateKind::add) return false;
      const auto next = static_cast<uint32_t>(known.size());
      places.push_back(known.try_emplace(place_written(s)->number, next).first->second);
    }
    return 2 * known.size() <= places.size() && come_in_turns(places, known.size());
  }

  // Whoever reads parts of the array finds what was written to them.
  void find_added_at_once() {
    std::vector<bool> is_read_in_parts(p_.values.size(), false);
    for (const Program::Step& s : p_.steps)
      if (s.kernel < 0 && op_by_id(s.op).key != KeyKind::none) is_read_in_parts[p_.in(s)[0]] = true;
    const auto adds = [this](uint32_t i) {
      return op_by_id(p_.steps[i].op).update == UpdateKind::add;
    };
    for (Chain& c : chains_) {
      if (!c.is_joined || c.axis == no_axis || !std::ranges::all_of(c.writes, adds)) continue;
      const auto fill = uniform_.at(p_, c.root);
      c.adds_zero_at_once = fill && *fill == 0 && !std::signbit(*fill) &&
                            !is_read_in_parts[p_.steps[c.writes.back()].first_out];
    }
  }

  uint32_t part_type(Edit& edit, const Chain& chain) const {
    const TensorType type = p_.type_of(chain.root);
    return edit.type({type.dtype, chain.axis != no_axis ? row_shape(type, chain.axis) : Dims()});
  }

  void write(Edit& edit, Chain& chain, uint32_t i) {
    const uint32_t part = part_type(edit, chain);
    const Program::Step& s = p_.steps[i];
    const ValueId update = as_part(edit, edit.at(p_.in(s)[1]), part);
    const auto [at, is_new] = chain.now.try_emplace(place_written(s)->number, update);
    if (op_by_id(s.op).update == UpdateKind::set || (is_new && chain.adds_zero_at_once)) {
      at->second = update;
      return;
    }
    const auto fill = uniform_.at(p_, chain.root);
    const ValueId before = !is_new ? at->second
                           : fill
                               ? edit.constant(Value::scalar(*fill, p_.type_of(chain.root).dtype))
                               : read(edit, s, edit.at(chain.root), part);
    at->second = apply(edit, op_of_fn<Add>(), 0, {before, update}, part);
  }

  ValueId joined(Edit& edit, Chain& chain) {
    if (!chain.is_in_turns)
      for (uint32_t i : chain.writes) write(edit, chain, i);
    const uint32_t array = p_.values[chain.root].type;
    const TensorType type = p_.types[array];
    const bool of_rows = chain.axis != no_axis;
    const Dims row = of_rows ? row_shape(type, chain.axis) : Dims();
    std::unordered_map<int64_t, ValueId>& now = chain.now;
    const auto fill = uniform_.at(p_, chain.root);
    const auto constant = [&] {
      return edit.constant(of_rows ? Value::full(type.dtype, row, *fill)
                                   : Value::scalar(*fill, type.dtype));
    };
    const int64_t n = of_rows ? type.shape[chain.axis] : element_count(type.shape);
    if (fill && n <= 2 * static_cast<int64_t>(now.size()))
      for (int64_t e = 0; e < n; ++e) now.try_emplace(e, no_value);
    std::vector<std::pair<int64_t, ValueId>> parts(now.begin(), now.end());
    std::ranges::sort(parts);
    std::vector<ValueId> values;
    std::vector<int64_t> places;
    ValueId filled = no_value;
    for (const auto& [e, v] : parts) {
      if (v == no_value && filled == no_value) filled = constant();
      places.push_back(e);
      values.push_back(v == no_value ? filled : v);
    }
    const auto length = static_cast<int64_t>(values.size());
    const uint32_t along = edit.attrs(Attrs{int64_t{of_rows ? chain.axis : 0}});
    if (of_rows) return with_zero(edit, chain, apply(edit, stack_op().id, along, values, array));
    const ValueId stacked =
        apply(edit, stack_op().id, along, values, edit.type({type.dtype, {length}}));
    if (length == n) return in_shape(edit, stacked, type.shape, array);
    const uint32_t flat = edit.type({type.dtype, {n}});
    const ValueId root = in_shape(edit, edit.at(chain.root), Dims{n}, flat);
    const ValueId at = edit.constant(Value::from_int64(places, Dims{length}));
    const ValueId put = apply(edit, gather_set_op().id, edit.attrs(IndexSpec().array().attrs()),
                              {root, stacked, at}, flat);
    return in_shape(edit, put, type.shape, array);
  }

  ValueId with_zero(Edit& edit, const Chain& chain, ValueId stacked) const {
    if (!chain.adds_zero_at_once) return stacked;
    const ValueId zero = edit.constant(Value::scalar(0, p_.type_of(chain.root).dtype));
    const uint32_t type = edit.program().values[stacked].type;
    return apply(edit, op_of_fn<Add>(), 0, {zero, stacked}, type);
  }

  ValueId read(Edit& edit, const Program::Step& write, ValueId root, uint32_t part) const {
    return apply(edit, slice_op().id, write.attrs, {root}, part);
  }

  // A number that fills a row, as one.
  static ValueId as_part(Edit& edit, ValueId update, uint32_t part) {
    const Dims shape = edit.program().types[part].shape;
    if (edit.program().type_of(update).shape == shape) return update;
    return apply(edit, broadcast_to_op().id, edit.attrs(Attrs{to_vector(shape)}), {update}, part);
  }

  static ValueId in_shape(Edit& edit, ValueId v, const Dims& shape, uint32_t type) {
    if (edit.program().type_of(v).shape == shape) return v;
    return apply(edit, reshape_op().id, edit.attrs(Attrs{to_vector(shape)}), {v}, type);
  }

  static ValueId apply(Edit& edit, uint16_t op, uint32_t attrs, std::span<const ValueId> in,
                       uint32_t type) {
    Program::Step like;
    like.op = op;
    like.attrs = attrs;
    return edit.write(like, in, {&type, 1});
  }
  static ValueId apply(Edit& edit, uint16_t op, uint32_t attrs, std::initializer_list<ValueId> in,
                       uint32_t type) {
    return apply(edit, op, attrs, std::span(in.begin(), in.size()), type);
  }

  const Program& p_;
  LongVector<uint32_t> uses_, chain_of_;  // by value; by step
  std::vector<bool> is_overwritten_;      // by step: all that it writes, later in its chain
  std::vector<Chain> chains_;
  UniformConstants uniform_;
};

}  // namespace

Program join_writes(Program p) {
  std::optional<Program> found = WriteChains(p).run();
  return found ? std::move(*found) : std::move(p);
}

}  // namespace tapegrad
