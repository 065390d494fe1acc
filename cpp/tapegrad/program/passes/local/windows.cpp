#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/local/local.h"

// A loop that reads a window of an array at each turn, x[i:i+w], is as many slices as it has turns,
// whose ranges move: no part of one array in which turns have a position each. Here all windows are
// taken at once, as rows of one array, of which each turn reads its row; where the adjoint adds to
// window after window, the rows are added at once, in the order of the additions. Windows that lie
// end to end are the array itself in another shape; others are gathered.

namespace tapegrad {
namespace {

constexpr size_t least_windows = 16;
constexpr int64_t most_elements = int64_t{1} << 23;  // of all windows together
constexpr int64_t long_window = 64;  // from there on a slice costs less than copying it

class Windows {
 public:
  explicit Windows(const Program& p)
      : p_(p), uses_(use_counts(p)), group_of_(p.steps.size(), none) {}

  // Nothing where there are no such loops.
  std::optional<Program> run() {
    for (uint32_t i = 0; i < p_.steps.size(); ++i) follow(i);
    for (Group& g : groups_) settle(g);
    if (std::ranges::none_of(groups_, &Group::is_joined)) return std::nullopt;
    Edit edit(p_);
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      const uint32_t k = group_of_[i];
      if (k == none || !groups_[k].is_joined) {
        edit.copy(p_.steps[i]);
      } else if (!groups_[k].adds) {
        edit.set(p_.steps[i].first_out, row_of(edit, groups_[k], i));
      } else if (groups_[k].steps.back() == i) {
        edit.set(p_.steps[i].first_out, added(edit, groups_[k]));
      }
    }
    return edit.finish();
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};
  // Steps whose keys differ in their starts alone.
  struct Group {
    bool adds = false;
    std::vector<uint32_t> steps{};
    std::vector<size_t> moving{};  // items, in order
    bool is_end_to_end = false;
    bool is_joined = false;
    int64_t first = 0;             // position
    std::vector<size_t> row_of{};  // by step, where they lie end to end
    ValueId rows = no_value;       // once they are written
    size_t next = 0;               // step to be written
  };

  IndexItems items_of(uint32_t i) const {
    return IndexItems(p_.attrs_of(p_.steps[i]).integers(index_attrs::code));
  }

  void follow(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    if (s.kernel >= 0 || s.held) return;
    const Op& op = op_by_id(s.op);
    if (op.key != KeyKind::basic || op.update == UpdateKind::set) return;
    const bool adds = op.update == UpdateKind::add;
    const IndexItems items = items_of(i);
    const Dims& shape = p_.type_of(p_.in(s)[0]).shape;
    if (items.source_axes() != shape.ndim()) return;
    bool has_part = false;  // of an axis
    int axis = 0;
    for (size_t k = 0; k < items.size(); ++k) {
      if (!items[k].takes_axis()) continue;
      has_part |= items[k].kind == IndexKind::range && items[k].length < shape[axis];
      ++axis;
    }
    if (!has_part || (adds && !adds_whole_window(s))) return;
    group_of_[i] = adds ? run_of(i) : group_of_read(i);
    groups_[group_of_[i]].steps.push_back(i);
  }

  // Not broadcast, nor converted.
  bool adds_whole_window(const Program::Step& s) const {
    const TensorType& base = p_.type_of(p_.in(s)[0]);
    IndexSpec spec;
    spec.code = p_.attrs_of(s).integers(index_attrs::code);
    return p_.type_of(p_.in(s)[1]) == TensorType{base.dtype, result_shape(spec, base.shape)};
  }

  // What all keys of a group have in common.
  std::vector<int64_t> shape_of_key(uint32_t i) const {
    std::vector<int64_t> code = p_.attrs_of(p_.steps[i]).integers(index_attrs::code);
    for (size_t k = 0; 4 * k < code.size(); ++k) code[4 * k + 1] = 0;
    return code;
  }

  uint32_t new_group(bool adds) {
    groups_.push_back({.adds = adds});
    return static_cast<uint32_t>(groups_.size() - 1);
  }

  uint32_t group_of_read(uint32_t i) {
    std::vector<int64_t> key = shape_of_key(i);
    key.push_back(p_.in(p_.steps[i])[0]);
    const auto [at, is_new] = reads_.try_emplace(std::move(key), 0);
    if (is_new) at->second = new_group(false);
    return at->second;
  }

  // One addition after the other to one array, which nobody reads in between.
  uint32_t run_of(uint32_t i) {
    const ValueId base = p_.in(p_.steps[i])[0];
    const Program::ValueInfo& info = p_.values[base];
    const uint32_t k = info.source == Source::step ? group_of_[info.index] : none;
    if (k != none && groups_[k].adds && uses_[base] == 1 && groups_[k].steps.back() == info.index &&
        shape_of_key(info.index) == shape_of_key(i))
      return k;
    return new_group(true);
  }

  // The type of a window.
  const TensorType& type_of(const Group& g) const {
    const Program::Step& s = p_.steps[g.steps[0]];
    return p_.type_of(g.adds ? p_.in(s)[1] : s.first_out);
  }

  void settle(Group& g) {
    if (g.steps.size() < least_windows) return;
    const IndexItems first = items_of(g.steps[0]);
    bool is_window = false;  // that moves
    for (size_t k = 0; k < first.size(); ++k) {
      const auto stays = [&](uint32_t i) { return items_of(i)[k].start == first[k].start; };
      if (std::ranges::all_of(g.steps, stays)) continue;
      g.moving.push_back(k);
      is_window |= first[k].kind == IndexKind::range;
    }
    if (!is_window) return;
    const int64_t elements = element_count(type_of(g).shape);
    if (elements * static_cast<int64_t>(g.steps.size()) > most_elements) return;
    g.is_end_to_end = lie_end_to_end(g);
    g.is_joined = g.is_end_to_end || (elements < long_window && can_be_gathered(g));
  }

  // Along the first axis of the windows, each once.
  bool lie_end_to_end(Group& g) const {
    const IndexItems one = items_of(g.steps[0]);
    const size_t item = g.moving[0];
    if (g.moving.size() > 1 || one[item].kind != IndexKind::range || one[item].step != 1)
      return false;
    for (size_t k = 0; k < item; ++k)
      if (one[k].makes_axis()) return false;
    std::vector<int64_t> starts;
    for (uint32_t i : g.steps) starts.push_back(items_of(i)[item].start);
    g.first = std::ranges::min(starts);
    g.row_of.assign(starts.size(), 0);
    std::vector<bool> is_taken(starts.size(), false);
    for (size_t t = 0; t < starts.size(); ++t) {
      const int64_t ahead = starts[t] - g.first;
      const auto row = static_cast<size_t>(ahead / one[item].length);
      if (ahead % one[item].length != 0 || row >= starts.size() || is_taken[row]) return false;
      is_taken[row] = true;
      g.row_of[t] = row;
    }
    return true;
  }

  // Axes that the key makes in front of the last moving range become positions too: their order
  // stays. Those of length 1 that the array does not have can't.
  size_t positions_until(const Group& g) const {
    const IndexItems first = items_of(g.steps[0]);
    size_t until = 0;
    for (size_t k : g.moving)
      if (first[k].kind == IndexKind::range) until = k + 1;
    return until;
  }
  bool can_be_gathered(const Group& g) const {
    const IndexItems first = items_of(g.steps[0]);
    for (size_t k = 0; k < positions_until(g); ++k)
      if (first[k].kind == IndexKind::newaxis) return false;
    return true;
  }

  TensorType rows_type(const Group& g) const {
    const TensorType& one = type_of(g);
    Dims shape{static_cast<int64_t>(g.steps.size())};
    for (int64_t d : one.shape) shape.push_back(d);
    return {one.dtype, shape};
  }

  static ValueId reshaped(Edit& edit, ValueId x, const TensorType& to) {
    return edit.write(reshape_op(), Attrs{std::vector<int64_t>(to.shape.begin(), to.shape.end())},
                      {&x, 1}, to);
  }

  // The key of all windows that lie end to end, and what it takes.
  std::pair<IndexSpec, TensorType> all_of(const Group& g) const {
    IndexSpec all;
    all.code = p_.attrs_of(p_.steps[g.steps[0]]).integers(index_attrs::code);
    all.code[4 * g.moving[0] + 1] = g.first;
    all.code[4 * g.moving[0] + 3] *= static_cast<int64_t>(g.steps.size());
    const TensorType& one = type_of(g);
    Dims shape(one.shape);
    shape[0] *= static_cast<int64_t>(g.steps.size());
    return {all, {one.dtype, shape}};
  }

  // The positions of all windows: a key, and an array for each of its items that has one.
  Attrs positions(Edit& edit, const Group& g, std::vector<ValueId>& in) const {
    const IndexItems first = items_of(g.steps[0]);
    const size_t until = positions_until(g);
    const auto n = static_cast<int64_t>(g.steps.size());
    int ranges = 0;
    for (size_t k = 0; k < until; ++k) ranges += first[k].kind == IndexKind::range;
    IndexSpec spec;
    int axis = 0;  // of the block of positions, behind that of the windows
    for (size_t k = 0; k < first.size(); ++k) {
      const IndexItem item = first[k];
      const bool moves = std::ranges::find(g.moving, k) != g.moving.end();
      const bool is_range = item.kind == IndexKind::range;
      if (!moves && (k >= until || !is_range)) {
        spec.append(item.kind, item.start, item.step, item.length);
        continue;
      }
      const int64_t length = is_range ? item.length : 1, rows = moves ? n : 1;
      std::vector<int64_t> at;
      at.reserve(static_cast<size_t>(rows * length));
      for (int64_t t = 0; t < rows; ++t) {
        const int64_t start = items_of(g.steps[static_cast<size_t>(t)])[k].start;
        for (int64_t j = 0; j < length; ++j) at.push_back(start + j * item.step);
      }
      Dims shape{rows};
      for (int a = 0; a < ranges; ++a) shape.push_back(is_range && a == axis ? length : 1);
      axis += is_range;
      spec.array();
      in.push_back(edit.constant(Value::from_int64(at, shape)));
    }
    return spec.attrs();
  }

  ValueId row_of(Edit& edit, Group& g, uint32_t i) const {
    const TensorType rows = rows_type(g);
    if (g.rows == no_value) {
      std::vector<ValueId> in{edit.at(p_.in(p_.steps[i])[0])};
      if (g.is_end_to_end) {
        const auto [key, type] = all_of(g);
        g.rows = reshaped(edit, edit.write(slice_op(), key.attrs(), in, type), rows);
      } else {
        const Attrs key = positions(edit, g, in);
        g.rows = edit.write(gather_op(), key, in, rows);
      }
    }
    const size_t row = g.is_end_to_end ? g.row_of[g.next] : g.next;
    ++g.next;
    return edit.write(slice_op(),
                      IndexSpec::entry(rows.shape, 0, static_cast<int64_t>(row)).attrs(),
                      {&g.rows, 1}, p_.type_of(p_.steps[i].first_out));
  }

  ValueId added(Edit& edit, const Group& g) const {
    const Program::Step &first = p_.steps[g.steps.front()], &last = p_.steps[g.steps.back()];
    std::vector<ValueId> updates(g.steps.size());
    for (size_t t = 0; t < g.steps.size(); ++t)
      updates[g.is_end_to_end ? g.row_of[t] : t] = edit.at(p_.in(p_.steps[g.steps[t]])[1]);
    ValueId rows = edit.write(stack_op(), Attrs{int64_t{0}}, updates, rows_type(g));
    const TensorType& out = p_.type_of(last.first_out);
    std::vector<ValueId> in{edit.at(p_.in(first)[0]), rows};
    if (!g.is_end_to_end) {
      const Attrs key = positions(edit, g, in);
      return edit.write(gather_add_op(), key, in, out);
    }
    const auto [key, type] = all_of(g);
    in[1] = reshaped(edit, rows, type);
    return edit.write(op_by_id(last.op), key.attrs(), in, out);
  }

  const Program& p_;
  LongVector<uint32_t> uses_, group_of_;  // by value; by step
  std::vector<Group> groups_;
  std::map<std::vector<int64_t>, uint32_t> reads_;
};

}  // namespace

Program join_windows(Program p) {
  std::optional<Program> found = Windows(p).run();
  return found ? std::move(*found) : std::move(p);
}

}  // namespace tapegrad
