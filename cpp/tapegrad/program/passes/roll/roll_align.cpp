#include <algorithm>
#include <numeric>

#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/passes/roll/find/roll_find.h"

// The first turn of a loop often differs from the others: it has made what is the same in all turns
// (equal steps were shared), and where others add to a sum it has only a first term. Here the first
// is made before the turns begin, and the second is added to -0, which changes no number. So the
// loop is found with all of its turns, and arrays of turns need not be joined to a first one.

namespace tapegrad {
namespace {

constexpr uint32_t many = 32;         // turns of a loop that is worth it
constexpr uint8_t most_before = 4;    // steps that a shared one stands on, made for it alone
constexpr int64_t most_begun = 4096;  // elements of a sum that is begun at -0

class Alignment {
 public:
  explicit Alignment(const Program& p) : p_(p), uses_(use_counts(p)) {}

  // Whether anything is to be changed.
  bool find() {
    find_shared();
    find_sums();
    return !order_.empty() || !sums_.empty();
  }

  Program write() {
    Edit edit(p_);
    std::vector<uint32_t> order = std::move(order_);
    if (order.empty()) {
      order.resize(p_.steps.size());
      std::iota(order.begin(), order.end(), 0);
    }
    std::vector<uint32_t> begins(p_.steps.size(), none), begun(p_.steps.size(), none);
    for (uint32_t n = 0; n < sums_.size(); ++n) {
      begins[maker(p_.in(p_.steps[sums_[n].head])[sums_[n].side])] = n;
      begun[sums_[n].head] = n;
    }
    for (uint32_t k : order) {
      if (begun[k] == none) {
        edit.copy(p_.steps[k]);
      } else {
        write_head(edit, sums_[begun[k]]);
      }
      if (begins[k] != none) begin(edit, sums_[begins[k]]);
    }
    return edit.finish();
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};
  // An addition of two terms with which a sum begins, and which of them is the first.
  struct Sum {
    uint32_t head;
    uint8_t side;
    ValueId begun = no_value;  // the sum of the first alone
  };

  uint32_t maker(ValueId v) const {
    return p_.values[v].source == Source::step ? p_.values[v].index : none;
  }

  // Steps that many others read, and what was made for them alone, go to where they can first be.
  void find_shared() {
    std::vector<uint8_t> before(p_.steps.size(), 0);  // 0: it stays
    LongVector<uint32_t> moved_uses(p_.values.size(), 0);
    for (size_t k = p_.steps.size(); k-- > 0;) {
      const Program::Step& s = p_.steps[k];
      bool is_shared = false, is_for_shared = true;
      for (ValueId v = s.first_out; v < s.first_out + s.n_out; ++v) {
        is_shared |= uses_[v] >= many;
        is_for_shared = is_for_shared && moved_uses[v] == uses_[v];
      }
      if (is_shared) before[k] = 1;
      // Calls of the user's own functions keep their order.
      if (before[k] == 0 || !(is_shared || is_for_shared) || p_.attrs_of(s).calls_host()) {
        before[k] = 0;
        continue;
      }
      for (ValueId v : p_.in(s)) {
        ++moved_uses[v];
        const uint32_t from = maker(v);
        if (from != none && before[k] <= most_before)
          before[from] = std::max<uint8_t>(before[from], before[k] + 1);
      }
    }
    // Steps that stay have even places, those that follow them odd ones.
    const size_t n = p_.steps.size();
    std::vector<uint32_t> place(n), first(2 * n + 3, 0);
    bool moves = false;
    for (uint32_t k = 0; k < n; ++k) {
      const uint32_t own = 2 * (k + 1);
      place[k] = own;
      if (before[k] > 0) {
        uint32_t last = 0;
        for (ValueId v : p_.in(p_.steps[k]))
          if (const uint32_t from = maker(v); from != none) last = std::max(last, place[from]);
        place[k] = last | 1;
        moves |= place[k] + 1 < own;
      }
      ++first[place[k] + 1];
    }
    if (!moves) return;
    std::partial_sum(first.begin(), first.end(), first.begin());
    order_.resize(n);
    for (uint32_t k = 0; k < n; ++k) order_[first[place[k]]++] = k;
  }

  // Long chains of additions of which the first adds two terms.
  void find_sums() {
    length_.assign(p_.steps.size(), 0);
    std::vector<bool> is_taken(p_.steps.size(), false);
    for (uint32_t k = 0; k < p_.steps.size(); ++k) {
      const Program::Step& s = p_.steps[k];
      if (s.kernel >= 0 || s.held || s.op != op_of_fn<Add>()) continue;
      const uint32_t left = length_of(s, 0), right = length_of(s, 1);
      length_[k] = 1 + std::max(left, right);
      if (length_[k] != many) continue;
      const Sum sum = beginning(k, left < right ? 1 : 0);
      if (!can_begin(sum)) continue;
      const uint32_t from = maker(p_.in(p_.steps[sum.head])[sum.side]);
      if (is_taken[from]) continue;
      is_taken[from] = true;
      sums_.push_back(sum);
    }
  }

  // Of the chain of additions that ends with an operand of a step, which alone reads it.
  uint32_t length_of(const Program::Step& s, uint8_t side) const {
    const ValueId v = p_.in(s)[side];
    const uint32_t from = maker(v);
    return from != none && uses_[v] == 1 && p_.values[v].type == p_.values[s.first_out].type
               ? length_[from]
               : 0;
  }

  // The first step of a chain, whose sums are all read on one side. A term may be a sum, too: then
  // it is made like the term that is added to it.
  Sum beginning(uint32_t k, uint8_t side) const {
    for (;;) {
      const Program::Step& s = p_.steps[k];
      if (length_of(s, side) == 0 || are_alike(p_.in(s)[0], p_.in(s)[1])) return {k, side};
      k = maker(p_.in(s)[side]);
    }
  }

  bool are_alike(ValueId v, ValueId w) const {
    const uint32_t i = maker(v), j = maker(w);
    if (i == none || j == none || !are_of_one_op(i, j)) return false;
    for (uint32_t a = 0; a < p_.steps[i].n_in; ++a) {
      const uint32_t x = maker(p_.in(p_.steps[i])[a]), y = maker(p_.in(p_.steps[j])[a]);
      if ((x == none) != (y == none) || (x != none && !are_of_one_op(x, y))) return false;
    }
    return true;
  }
  bool are_of_one_op(uint32_t i, uint32_t j) const {
    const Program::Step &s = p_.steps[i], &t = p_.steps[j];
    return s.kernel < 0 && t.kernel < 0 && s.op == t.op && s.n_in == t.n_in;
  }

  // Where sums are read on the other side as well, their beginning is somewhere else.
  bool can_begin(const Sum& sum) const {
    constexpr uint32_t long_sum = 8;
    const Program::Step& s = p_.steps[sum.head];
    if (length_of(s, 1 - sum.side) >= long_sum) return false;
    const ValueId term = p_.in(s)[sum.side];
    const uint32_t type = p_.values[s.first_out].type;
    return maker(term) != none && p_.values[term].type == type &&
           p_.values[p_.in(s)[1 - sum.side]].type == type && is_floating(p_.types[type].dtype) &&
           element_count(p_.types[type].shape) <= most_begun;
  }

  void begin(Edit& edit, Sum& sum) const {
    const Program::Step& s = p_.steps[sum.head];
    const ValueId term = p_.in(s)[sum.side];
    const TensorType& type = p_.type_of(term);
    ValueId in[2];
    in[sum.side] = edit.constant(Value::full(type.dtype, type.shape, -0.0));
    in[1 - sum.side] = edit.at(term);
    const uint32_t number = edit.type(type);
    sum.begun = edit.write(s, in, {&number, 1});
  }

  void write_head(Edit& edit, const Sum& sum) const {
    const Program::Step& s = p_.steps[sum.head];
    ValueId in[2];
    in[sum.side] = sum.begun;
    in[1 - sum.side] = edit.at(p_.in(s)[1 - sum.side]);
    const uint32_t type = edit.type(p_.type_of(s.first_out));
    edit.set(s.first_out, edit.write(s, in, {&type, 1}));
  }

  const Program& p_;
  LongVector<uint32_t> uses_;
  std::vector<uint32_t> length_;  // by step: of the chain of additions that it ends
  std::vector<uint32_t> order_;   // of the steps; empty: as they are
  std::vector<Sum> sums_;
};

}  // namespace

Program align_turns(Program p) {
  if (p.steps.size() < least_steps_of_loop) return p;
  Alignment alignment(p);
  if (!alignment.find()) return p;
  return alignment.write();
}

}  // namespace tapegrad
