#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <vector>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/local/local.h"

// A loop that reads x[t, k] at each turn t, where k are the same positions every time, is as many
// gathers as it has turns, each with a key of its own, and its adjoint as many additions. Here one
// gather takes x[:, k], of which each turn reads its row by a slice, and one gather_add adds all
// rows: rows have nothing in common, and within a row the order stays.

namespace tapegrad {
namespace {

constexpr size_t least_rows = 8;
constexpr int64_t most_elements = int64_t{1} << 23;  // of the rows together

class RowLookups {
 public:
  explicit RowLookups(const Program& p)
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
  // Steps whose keys differ in one position alone.
  struct Group {
    bool adds;
    size_t item;  // of the key, which moves
    std::vector<uint32_t> steps{};
    std::map<int64_t, uint32_t> step_at{};  // by row
    int64_t first = 0, by = 1, count = 0;   // the rows that are read or added to
    int axis = 0;                           // where they stand in the result
    IndexSpec all{};                        // the key that takes them
    ValueId gathered = no_value;
    bool is_joined = false;
  };

  std::span<const ValueId> arrays(const Program::Step& s, bool adds) const {
    return p_.in(s).subspan(adds ? 2 : 1);
  }

  // Where guards may end the path before, a lookup must not complain of a position that plain code
  // does not come to: positions that are constant were looked at when they were recorded.
  bool is_harmless(const Program::Step& s, bool adds) const {
    return p_.guards.empty() ||
           std::ranges::all_of(arrays(s, adds), [this](ValueId v) { return p_.is_constant(v); });
  }

  void follow(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    if (s.kernel >= 0 || s.held || is_elementwise(s.op)) return;
    const Op& op = op_by_id(s.op);
    if (op.key != KeyKind::arrays || op.update == UpdateKind::set) return;
    const bool adds = op.update == UpdateKind::add;
    const IndexSpec spec = IndexSpec::from(p_.attrs_of(s));
    const IndexItems items(spec.code);
    std::optional<size_t> moving;
    for (size_t k = 0; k < items.size(); ++k) {
      if (items[k].kind == IndexKind::flag) return;
      if (!moving && items[k].kind == IndexKind::at) moving = k;
    }
    if (!moving || !is_harmless(s, adds) || (adds && !adds_whole_region(s))) return;
    const int64_t row = items[*moving].start;
    const uint32_t k = adds ? run_of(i, *moving, row) : group_of_read(s, spec, *moving);
    Group& g = groups_[k];
    group_of_[i] = k;
    g.steps.push_back(i);
    g.step_at.try_emplace(row, i);
  }

  // Not broadcast, nor converted.
  bool adds_whole_region(const Program::Step& s) const {
    std::vector<TensorType> types{p_.type_of(p_.in(s)[0])};
    for (const ValueId index : arrays(s, true)) types.push_back(p_.type_of(index));
    return gather_op().infer(p_.attrs_of(s), types)[0] == p_.type_of(p_.in(s)[1]);
  }

  uint32_t new_group(bool adds, size_t item) {
    groups_.push_back({adds, item});
    return static_cast<uint32_t>(groups_.size() - 1);
  }

  uint32_t group_of_read(const Program::Step& s, const IndexSpec& spec, size_t item) {
    std::vector<int64_t> key = spec.code;
    key[4 * item + 1] = 0;
    key.push_back(spec.position);
    for (ValueId v : p_.in(s)) key.push_back(v);
    const auto [at, is_new] = reads_.try_emplace(std::move(key), 0);
    if (is_new) at->second = new_group(false, item);
    return at->second;
  }

  // One addition after the other to one array, which nobody reads in between.
  uint32_t run_of(uint32_t i, size_t item, int64_t row) {
    const ValueId base = p_.in(p_.steps[i])[0];
    const Program::ValueInfo& info = p_.values[base];
    const uint32_t k = info.source == Source::step ? group_of_[info.index] : none;
    if (k != none && groups_[k].adds && uses_[base] == 1 && groups_[k].steps.back() == info.index &&
        groups_[k].item == item && !groups_[k].step_at.contains(row) &&
        differ_in_row(p_.steps[info.index], p_.steps[i], item))
      return k;
    return new_group(true, item);
  }

  bool differ_in_row(const Program::Step& s, const Program::Step& t, size_t item) const {
    IndexSpec a = IndexSpec::from(p_.attrs_of(s)), b = IndexSpec::from(p_.attrs_of(t));
    if (a.code.size() != b.code.size()) return false;
    a.code[4 * item + 1] = b.code[4 * item + 1] = 0;
    return a.code == b.code && a.position == b.position &&
           std::ranges::equal(arrays(s, true), arrays(t, true));
  }

  // Whether the rows follow one another, so that a range takes them, and what that looks like.
  void settle(Group& g) {
    if (g.step_at.size() < least_rows) return;
    const auto rows = static_cast<int64_t>(g.step_at.size());
    g.first = g.step_at.begin()->first;
    g.by = std::next(g.step_at.begin())->first - g.first;
    int64_t next = g.first;
    for (const auto& [row, step] : g.step_at) {
      if (row != next) return;
      next += g.by;
    }
    g.count = rows;
    const Program::Step& s = p_.steps[g.steps.front()];
    g.all = IndexSpec::from(p_.attrs_of(s));
    const IndexItems items(g.all.code);
    int64_t before = 0;  // axes that the key makes in front of the rows
    for (size_t k = 0; k < g.item; ++k) before += items[k].makes_axis();
    const ValueId row = row_value(g, s);
    const Dims& shape = p_.type_of(row).shape;
    const int64_t lanes = p_.type_of(p_.in(s)[0]).shape.ndim() - items.source_axes();
    int64_t kept = 0;
    for (size_t k = 0; k < items.size(); ++k) kept += items[k].makes_axis();
    const int64_t block = shape.ndim() - lanes - kept;  // axes of the positions
    const bool is_in_front = before <= g.all.position;
    g.axis = static_cast<int>(lanes + before + (is_in_front ? 0 : block));
    if (is_in_front) ++g.all.position;
    const int64_t range[] = {static_cast<int64_t>(IndexKind::range), g.first, g.by, g.count};
    std::ranges::copy(range, g.all.code.begin() + static_cast<std::ptrdiff_t>(4 * g.item));
    g.is_joined = element_count(shape) * g.count <= most_elements;
  }

  // The value that holds a row: what a step gives, or what it adds.
  ValueId row_value(const Group& g, const Program::Step& s) const {
    return g.adds ? p_.in(s)[1] : s.first_out;
  }

  TensorType rows_type(const Group& g) const {
    const TensorType& row = p_.type_of(row_value(g, p_.steps[g.steps.front()]));
    std::vector<int64_t> shape(row.shape.begin(), row.shape.end());
    shape.insert(shape.begin() + g.axis, g.count);
    return {row.dtype, Dims(shape)};
  }

  ValueId row_of(Edit& edit, Group& g, uint32_t i) {
    const Program::Step& s = p_.steps[i];
    const TensorType rows = rows_type(g);
    if (g.gathered == no_value) {
      std::vector<ValueId> in;
      for (ValueId v : p_.in(s)) in.push_back(edit.at(v));
      g.gathered = edit.write(op_by_id(s.op), g.all.attrs(), in, rows);
    }
    const IndexItem at = IndexItems(p_.attrs_of(s).integers(index_attrs::code))[g.item];
    const int64_t number = (at.start - g.first) / g.by;
    const Op& op = g.axis == 0 ? slice_op() : slice_copy_op();  // packed, as the row was
    return edit.write(op, IndexSpec::entry(rows.shape, g.axis, number).attrs(), {&g.gathered, 1},
                      p_.type_of(s.first_out));
  }

  ValueId added(Edit& edit, const Group& g) {
    const Program::Step &first = p_.steps[g.steps.front()], &last = p_.steps[g.steps.back()];
    std::vector<ValueId> updates;
    for (const auto& [row, i] : g.step_at) updates.push_back(edit.at(p_.in(p_.steps[i])[1]));
    const TensorType rows = rows_type(g), one = p_.type_of(p_.in(first)[1]);
    std::vector<int64_t> shape(one.shape.begin(), one.shape.end());
    shape.insert(shape.begin(), g.count);
    ValueId stacked = edit.write(stack_op(), Attrs{int64_t{0}}, updates, {one.dtype, Dims(shape)});
    if (g.axis != 0) {
      std::vector<int64_t> perm(shape.size() - 1);
      std::iota(perm.begin(), perm.end(), 1);
      perm.insert(perm.begin() + g.axis, 0);
      stacked = edit.write(transpose_op(), Attrs{perm}, {&stacked, 1}, rows);
    }
    std::vector<ValueId> in{edit.at(p_.in(first)[0]), stacked};
    for (ValueId v : arrays(last, true)) in.push_back(edit.at(v));
    return edit.write(op_by_id(last.op), g.all.attrs(), in, p_.type_of(last.first_out));
  }

  const Program& p_;
  LongVector<uint32_t> uses_, group_of_;  // by value; by step
  std::vector<Group> groups_;
  std::map<std::vector<int64_t>, uint32_t> reads_;
};

}  // namespace

Program join_row_lookups(Program p) {
  std::optional<Program> found = RowLookups(p).run();
  return found ? std::move(*found) : std::move(p);
}

}  // namespace tapegrad
