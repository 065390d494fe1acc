#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "tapegrad/kernels/array/index.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/local/local.h"

// A loop that looks up x[k[t]] at each turn t is as many gathers as it has turns, each at an
// element of k, and its adjoint as many additions to one array. Here one gather takes all that the
// turns look up, and each turn reads its row of that; one gather_add adds what the turns give, in
// their order, and where the turns give to several parts, one for each part. What is left in the
// turns are slices at the number of the turn, which loops are rolled by.
//
// One gather of all complains of any bad position, the gathers of the turns of those that are
// reached. So nothing is done where guards may end the path before.

namespace tapegrad {
namespace {

constexpr size_t least_lookups = 32;
constexpr int64_t most_elements = int64_t{1} << 23;  // of the array that they are taken into

class Lookups {
 public:
  explicit Lookups(const Program& p)
      : p_(p), uses_(use_counts(p)), group_of_(p.steps.size(), none) {
    for (uint32_t i = 0; i < p_.steps.size(); ++i) follow(i);
  }

  bool any() const { return std::ranges::any_of(groups_, is_long); }

  Program run() {
    Edit edit(p_);
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      const uint32_t k = group_of_[i];
      if (k != none && groups_[k].adds) {
        const Chain& chain = chains_[groups_[k].chain];
        if (!has_long(chain)) {
          edit.copy(p_.steps[i]);
        } else if (chain.last == i) {
          edit.set(p_.steps[i].first_out, added(edit, chain));
        }
      } else if (k == none || !is_long(groups_[k])) {
        edit.copy(p_.steps[i]);
      } else {
        edit.set(p_.steps[i].first_out, looked_up(edit, groups_[k], i));
      }
    }
    return edit.finish();
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};

  // An integer without axes: an element of an array, perhaps converted.
  struct Element {
    ValueId root;
    int64_t number;       // in C order
    uint32_t conversion;  // a step, or none
  };
  struct Group {
    bool adds;
    std::vector<uint32_t> steps;
    std::vector<std::vector<Element>> places;  // by index array
    ValueId rows = no_value;                   // once they are written
    size_t next = 0;
    uint32_t chain = none;  // of additions
  };
  // Additions to one array, one after the other, which nobody else reads in between. Those of
  // different groups are to parts of the array that have nothing in common.
  struct Chain {
    uint32_t last;  // step
    std::vector<uint32_t> groups;
  };

  static bool is_long(const Group& g) { return g.steps.size() >= least_lookups; }
  bool has_long(const Chain& chain) const {
    return std::ranges::any_of(chain.groups, [this](uint32_t k) { return is_long(groups_[k]); });
  }

  const Program::Step* maker(ValueId v) const {
    const Program::ValueInfo& info = p_.values[v];
    if (info.source != Source::step) return nullptr;
    const Program::Step& s = p_.steps[info.index];
    return s.kernel >= 0 || is_elementwise(s.op) ? nullptr : &s;
  }

  std::optional<Element> element_of(ValueId v) const {
    if (!p_.type_of(v).shape.empty()) return std::nullopt;
    Element found{v, 0, none};
    if (const Program::Step* s = maker(v); s && op_by_id(s->op).converts) {
      found.conversion = p_.values[v].index;
      found.root = p_.in(*s)[0];
    }
    std::vector<int64_t> at;
    for (const Program::Step* s = maker(found.root); s; s = maker(found.root)) {
      const Op& op = op_by_id(s->op);
      if (op.key != KeyKind::basic || op.update != UpdateKind::none) break;
      const IndexItems items(p_.attrs_of(*s).integers(index_attrs::code));
      if (items.source_axes() != p_.type_of(p_.in(*s)[0]).shape.ndim()) return std::nullopt;
      std::vector<int64_t> before;
      size_t next = 0;
      for (size_t k = 0; k < items.size(); ++k) {
        const int64_t own = items[k].makes_axis() ? at[next++] : 0;
        if (items[k].takes_axis()) before.push_back(items[k].start + own * items[k].step);
      }
      at = std::move(before);
      found.root = p_.in(*s)[0];
    }
    const TensorType& root = p_.type_of(found.root);
    if (at.empty() || !is_integer(root.dtype)) return std::nullopt;
    for (size_t k = 0; k < at.size(); ++k) found.number = found.number * root.shape[k] + at[k];
    return found;
  }

  void follow(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    if (s.kernel >= 0 || s.held || is_elementwise(s.op)) return;
    const Op& op = op_by_id(s.op);
    if (op.key != KeyKind::arrays || op.update == UpdateKind::set) return;
    const bool adds = op.update == UpdateKind::add;
    if (adds && !adds_whole_region(s)) return;
    std::vector<Element> places;
    for (const ValueId index : p_.in(s).subspan(adds ? 2 : 1)) {
      const std::optional<Element> place = element_of(index);
      if (!place) return;
      places.push_back(*place);
    }
    uint32_t& k = group_of_[i];
    k = adds ? run_of(i, places) : lookups_of(s, places);
    Group& group = groups_[k];
    group.steps.push_back(i);
    for (size_t j = 0; j < places.size(); ++j) group.places[j].push_back(places[j]);
  }

  // Not broadcast, nor converted.
  bool adds_whole_region(const Program::Step& s) const {
    const std::span<const ValueId> in = p_.in(s);
    std::vector<TensorType> types{p_.type_of(in[0])};
    for (const ValueId index : in.subspan(2)) types.push_back(p_.type_of(index));
    return gather_op().infer(p_.attrs_of(s), types)[0] == p_.type_of(in[1]);
  }

  std::vector<uint32_t> key_of(const Program::Step& s, const std::vector<Element>& places) const {
    std::vector<uint32_t> key{s.attrs};
    for (const Element& place : places) {
      key.push_back(place.root);
      key.push_back(place.conversion == none ? none : p_.steps[place.conversion].attrs);
    }
    return key;
  }

  uint32_t new_group(bool adds, size_t n_arrays, uint32_t chain = none) {
    groups_.push_back({adds, {}, std::vector<std::vector<Element>>(n_arrays), no_value, 0, chain});
    return static_cast<uint32_t>(groups_.size() - 1);
  }

  // All of one array.
  uint32_t lookups_of(const Program::Step& s, const std::vector<Element>& places) {
    std::vector<uint32_t> key = key_of(s, places);
    key.push_back(p_.in(s)[0]);
    const auto [at, is_new] = lookups_.try_emplace(std::move(key), 0);
    if (is_new || is_full(groups_[at->second], s.first_out))
      at->second = new_group(false, places.size());
    return at->second;
  }

  uint32_t run_of(uint32_t i, const std::vector<Element>& places) {
    constexpr size_t most_groups = 64;  // of a chain
    const Program::Step& s = p_.steps[i];
    const ValueId base = p_.in(s)[0];
    const Program::ValueInfo& info = p_.values[base];
    const uint32_t before = info.source == Source::step ? group_of_[info.index] : none;
    uint32_t chain = before == none ? none : groups_[before].chain;
    if (chain != none && uses_[base] == 1 && chains_[chain].last == info.index) {
      chains_[chain].last = i;
      for (const uint32_t k : chains_[chain].groups)
        if (key_of(p_.steps[groups_[k].steps.back()], places_of(k)) == key_of(s, places) &&
            !is_full(groups_[k], p_.in(s)[1]))
          return k;
      const bool apart = std::ranges::all_of(chains_[chain].groups, [&](uint32_t k) {
        return are_apart(p_.steps[groups_[k].steps.back()], s);
      });
      if (apart && chains_[chain].groups.size() < most_groups) {
        const uint32_t k = new_group(true, places.size(), chain);
        chains_[chain].groups.push_back(k);
        return k;
      }
      chains_[chain].last = info.index;
    }
    chain = static_cast<uint32_t>(chains_.size());
    const uint32_t k = new_group(true, places.size(), chain);
    chains_.push_back({i, {k}});
    return k;
  }

  // Whether both keep to one position of an axis, and not to the same.
  bool are_apart(const Program::Step& s, const Program::Step& t) const {
    const auto code_of = [this](const Program::Step& step) -> const std::vector<int64_t>& {
      return p_.attrs_of(step).integers(index_attrs::code);
    };
    const IndexItems a(code_of(s)), b(code_of(t));
    for (size_t k = 0; k < std::min(a.size(), b.size()); ++k) {
      if (!a[k].takes_axis() || !b[k].takes_axis()) return false;
      if (a[k].kind == IndexKind::at && b[k].kind == IndexKind::at && a[k].start != b[k].start)
        return true;
    }
    return false;
  }

  bool is_full(const Group& group, ValueId row) const {
    const int64_t elements = element_count(p_.type_of(row).shape);
    return static_cast<int64_t>(group.steps.size() + 1) * elements > most_elements;
  }

  std::vector<Element> places_of(uint32_t group) const {
    std::vector<Element> last;
    for (const auto& places : groups_[group].places) last.push_back(places.back());
    return last;
  }

  // The elements of one array that a group's steps name, in order.
  ValueId picked(Edit& edit, const std::vector<Element>& places) const {
    const TensorType& root = p_.type_of(places[0].root);
    const auto n = static_cast<int64_t>(places.size());
    ValueId found = edit.at(places[0].root);
    if (root.shape.ndim() != 1) {
      const Dims flat{element_count(root.shape)};
      found = edit.write(reshape_op(), Attrs{to_vector(flat)}, {&found, 1}, {root.dtype, flat});
    }
    const int64_t first = places[0].number, step = places[1].number - first;
    const auto is_next = [&](const Element& a, const Element& b) {
      return b.number - a.number == step;
    };
    const TensorType row{root.dtype, Dims{n}};
    if (step != 0 && std::ranges::adjacent_find(places, std::not_fn(is_next)) == places.end()) {
      const Attrs range = IndexSpec().range(first, step, n).attrs();
      found = edit.write(slice_op(), range, {&found, 1}, row);
    } else {
      std::vector<int64_t> numbers;
      for (const Element& place : places) numbers.push_back(place.number);
      const ValueId in[] = {found, edit.constant(Value::from_int64(numbers, Dims{n}))};
      found = edit.write(gather_op(), IndexSpec().array().attrs(), in, row);
    }
    if (places[0].conversion == none) return found;
    const Program::Step& conversion = p_.steps[places[0].conversion];
    return edit.write(op_by_id(conversion.op), p_.attrs_of(conversion), {&found, 1},
                      {p_.type_of(conversion.first_out).dtype, Dims{n}});
  }

  // The key of a step, for one array of positions in place of each number.
  Attrs rows_key(const Program::Step& s) const {
    IndexSpec spec = IndexSpec::from(p_.attrs_of(s));
    spec.position = 0;
    return spec.attrs();
  }

  TensorType rows_type(const Group& group, const TensorType& row) const {
    Dims shape{static_cast<int64_t>(group.steps.size())};
    for (const int64_t d : row.shape) shape.push_back(d);
    return {row.dtype, shape};
  }

  ValueId looked_up(Edit& edit, Group& group, uint32_t i) const {
    const Program::Step& s = p_.steps[i];
    const TensorType& row = p_.type_of(s.first_out);
    const TensorType rows = rows_type(group, row);
    if (group.rows == no_value) {
      std::vector<ValueId> in{edit.at(p_.in(s)[0])};
      for (const auto& places : group.places) in.push_back(picked(edit, places));
      group.rows = edit.write(gather_op(), rows_key(s), in, rows);
    }
    const auto number = static_cast<int64_t>(group.next++);
    return edit.write(slice_op(), IndexSpec::entry(rows.shape, 0, number).attrs(), {&group.rows, 1},
                      row);
  }

  ValueId added(Edit& edit, const Chain& chain) const {
    ValueId sum = edit.at(p_.in(p_.steps[groups_[chain.groups[0]].steps[0]])[0]);
    for (const uint32_t k : chain.groups) {
      if (is_long(groups_[k])) {
        sum = added(edit, groups_[k], sum);
        continue;
      }
      for (const uint32_t i : groups_[k].steps) {
        const Program::Step& s = p_.steps[i];
        std::vector<ValueId> in{sum};
        for (const ValueId v : p_.in(s).subspan(1)) in.push_back(edit.at(v));
        sum = edit.write(s, in, {&p_.values[s.first_out].type, 1});
      }
    }
    return sum;
  }

  // `array` and what all steps of a group add to it.
  ValueId added(Edit& edit, const Group& group, ValueId array) const {
    const Program::Step &first = p_.steps[group.steps.front()],
                        &last = p_.steps[group.steps.back()];
    std::vector<ValueId> updates;
    for (const uint32_t i : group.steps) updates.push_back(edit.at(p_.in(p_.steps[i])[1]));
    const TensorType rows = rows_type(group, p_.type_of(p_.in(first)[1]));
    std::vector<ValueId> in{array, edit.write(stack_op(), Attrs{int64_t{0}}, updates, rows)};
    for (const auto& places : group.places) in.push_back(picked(edit, places));
    return edit.write(op_by_id(last.op), rows_key(last), in, p_.type_of(last.first_out));
  }

  const Program& p_;
  LongVector<uint32_t> uses_, group_of_;  // by value; by step
  std::vector<Group> groups_;
  std::vector<Chain> chains_;
  std::map<std::vector<uint32_t>, uint32_t> lookups_;
};

}  // namespace

Program join_lookups(Program p) {
  const auto looks_up = [](const Program::Step& s) {
    return s.kernel < 0 && op_by_id(s.op).key == KeyKind::arrays;
  };
  if (!p.guards.empty() || std::ranges::none_of(p.steps, looks_up)) return p;
  Lookups lookups(p);
  return lookups.any() ? lookups.run() : std::move(p);
}

}  // namespace tapegrad
