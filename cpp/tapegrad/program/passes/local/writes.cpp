#include <algorithm>
#include <numeric>
#include <unordered_map>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/local/local.h"

// An array that is written element by element, and read only when all is written: every write is a
// step, which costs more than the number that it writes. Here the numbers are joined into an array
// by one step, or put into one that was there before. part_rule() has seen to it that what is read
// between the writes is read where it was written, so that little else keeps versions of such an
// array alive.

namespace tapegrad {
namespace {

constexpr size_t least_writes = 4;

class WriteChains {
 public:
  explicit WriteChains(const Program& p)
      : p_(p), uses_(p.values.size(), 0), chain_of_(p.steps.size(), none) {
    const auto use = [this](ValueId v) { ++uses_[v]; };
    std::ranges::for_each(p.operands, use);
    std::ranges::for_each(p.outputs, use);
    for (const Program::Guard& g : p.guards) use(g.value);
  }

  // Fewer steps, or nothing where there are no such arrays.
  std::optional<Program> run() {
    for (uint32_t i = 0; i < p_.steps.size(); ++i) follow(i);
    const auto is_long = [](const Chain& c) { return c.writes.size() >= least_writes; };
    if (std::ranges::none_of(chains_, is_long)) return std::nullopt;
    Edit edit(p_);
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      const Program::Step& s = p_.steps[i];
      const uint32_t k = chain_of_[i];
      if (k == none || !is_long(chains_[k])) {
        edit.copy(s);
      } else if (chains_[k].writes.back() == i) {
        edit.set(s.first_out, joined(edit, chains_[k]));
      }
    }
    return edit.finish();
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};
  struct Chain {
    ValueId root;
    std::vector<uint32_t> writes;  // steps, each of which alone reads what the one before wrote
  };

  // The element that a step writes a number of the array's own dtype to, in C order; -1 where it
  // does not do that.
  int64_t element_written(const Program::Step& s) const {
    if (s.kernel >= 0 || s.held || is_elementwise(s.op)) return -1;
    const Op& op = op_by_id(s.op);
    if (op.key != KeyKind::basic || op.update == UpdateKind::none) return -1;
    const TensorType &array = p_.type_of(p_.in(s)[0]), &update = p_.type_of(p_.in(s)[1]);
    if (!is_floating(array.dtype) || update.dtype != array.dtype || !update.shape.empty())
      return -1;
    const IndexItems items(p_.attrs_of(s).integers(index_attrs::code));
    if (static_cast<int>(items.size()) != array.shape.ndim()) return -1;
    int64_t element = 0;
    for (size_t k = 0; k < items.size(); ++k) {
      if (items[k].kind != IndexKind::at) return -1;
      element = element * array.shape[k] + items[k].start;
    }
    return element;
  }

  void follow(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    if (element_written(s) < 0) return;
    const ValueId base = p_.in(s)[0];
    const Program::ValueInfo& info = p_.values[base];
    uint32_t k = info.source == Source::step ? chain_of_[info.index] : none;
    if (k == none || uses_[base] != 1) {
      if (!is_root(base)) return;
      k = static_cast<uint32_t>(chains_.size());
      chains_.push_back({base, {}});
    }
    chains_[k].writes.push_back(i);
    chain_of_[i] = k;
  }

  // What is joined anew lies packed in memory. Of more than one axis a root may not be, and what
  // reads the array may round by that.
  bool is_root(ValueId v) const {
    if (p_.type_of(v).shape.ndim() == 1 || p_.is_constant(v)) return true;
    if (p_.values[v].source != Source::step) return false;
    const Program::Step& s = p_.steps[p_.values[v].index];
    return s.kernel >= 0 || is_elementwise(s.op);
  }

  ValueId joined(Edit& edit, const Chain& chain) {
    const uint32_t array = p_.values[chain.root].type;
    const TensorType type = p_.types[array];
    const uint32_t number = edit.type({type.dtype, {}});
    const auto fill = uniform_.at(p_, chain.root);
    const auto constant = [&] { return edit.constant(Value::scalar(*fill, type.dtype)); };
    std::unordered_map<int64_t, ValueId> now;
    for (uint32_t i : chain.writes) {
      const Program::Step& s = p_.steps[i];
      const ValueId update = edit.at(p_.in(s)[1]);
      const auto [at, is_new] = now.try_emplace(element_written(s), update);
      if (op_by_id(s.op).update == UpdateKind::set) {
        at->second = update;
        continue;
      }
      const ValueId before = !is_new ? at->second
                             : fill  ? constant()
                                     : read(edit, s, edit.at(chain.root), number);
      at->second = apply(edit, op_of_fn<Add>(), 0, {before, update}, number);
    }
    const int64_t n = element_count(type.shape);
    const auto written = static_cast<int64_t>(now.size());
    if (fill && n <= 2 * written)
      for (int64_t e = 0; e < n; ++e) now.try_emplace(e, no_value);
    std::vector<std::pair<int64_t, ValueId>> elements(now.begin(), now.end());
    std::ranges::sort(elements);
    std::vector<ValueId> numbers;
    std::vector<int64_t> places;
    for (const auto& [e, v] : elements) {
      places.push_back(e);
      numbers.push_back(v == no_value ? constant() : v);
    }
    const auto length = static_cast<int64_t>(numbers.size());
    const uint32_t row = edit.type({type.dtype, {length}});
    const ValueId stacked = apply(edit, stack_op().id, edit.attrs(Attrs{int64_t{0}}), numbers, row);
    if (length == n) return in_shape(edit, stacked, type.shape, array);
    const uint32_t flat = edit.type({type.dtype, {n}});
    const ValueId root = in_shape(edit, edit.at(chain.root), Dims{n}, flat);
    const ValueId at = edit.constant(Value::from_int64(places, Dims{length}));
    const ValueId put = apply(edit, gather_set_op().id, edit.attrs(IndexSpec().array().attrs()),
                              {root, stacked, at}, flat);
    return in_shape(edit, put, type.shape, array);
  }

  ValueId read(Edit& edit, const Program::Step& write, ValueId root, uint32_t number) const {
    return apply(edit, slice_op().id, write.attrs, {root}, number);
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
  std::vector<Chain> chains_;
  UniformConstants uniform_;
};

}  // namespace

Program join_writes(Program p) {
  std::optional<Program> found = WriteChains(p).run();
  return found ? std::move(*found) : std::move(p);
}

}  // namespace tapegrad
