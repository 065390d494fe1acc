#include <algorithm>
#include <map>
#include <unordered_map>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/program/passes/local/local.h"

// Arrays that are written part by part (`c[i] = ...` in a loop), and read part by part: what was
// written is read directly. Such an array is a *chain* of versions, each made by one write from the
// version before. A read of a part goes back over the writes of its chain: a write of the same part
// is the answer, an addition to it a term, and writes of other parts are passed over. Each chain
// keeps its writes by part, so that a read takes no time that grows with the chain.
//
// Parts are told apart by their first index, which must be one position (x[i], x[i, j], x[i, 1:]);
// other keys end a chain.

namespace tapegrad {
namespace {

class Parts final : public LocalRule {
 public:
  ValueId replace(LocalPass& pass, const Application& a) override {
    if (!touches_part(a.like, UpdateKind::none) || a.like.held) return no_value;
    const Part part = part_of(pass, a.like.attrs, a.in[0]);
    return part.is_known() ? read(pass, a, part) : no_value;
  }

  void written(LocalPass& pass, const Application& a) override {
    const bool adds = touches_part(a.like, UpdateKind::add);
    if ((!adds && !touches_part(a.like, UpdateKind::set)) || a.like.held) return;
    const Part part = part_of(pass, a.like.attrs, a.in[0]);
    if (!part.is_known()) return;
    Version v = version_of(a.in[0]);
    if (v.chain == none || chains_[v.chain].writes.size() != v.writes) {
      v = {static_cast<uint32_t>(chains_.size()), 0};
      chains_.push_back({a.in[0], {}});
    }
    Chain& chain = chains_[v.chain];
    const auto number = static_cast<uint32_t>(chain.writes.size());
    chain.writes.push_back({a.in[1], adds, no_value});
    of_part_[key(v.chain, part.number)].push_back(number);
    auto& at_lead = part.is_element ? elements_ : others_;
    at_lead[key(v.chain, part.lead)].push_back(number);
    const ValueId now = a.like.first_out;
    if (versions_.size() <= now) versions_.resize(now + 1, {none, 0});
    versions_[now] = {v.chain, number + 1};
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};
  static constexpr int most_chains = 16;     // that one read goes back over
  static constexpr uint32_t few_writes = 8;  // see may_read_root
  static constexpr int64_t most_leads = int64_t{1} << 31;

  struct Part {
    uint32_t number = none;  // equal keys have one number
    bool is_element = false;
    uint32_t lead = 0;  // the first index
    bool is_known() const { return number != none; }
  };
  struct Version {
    uint32_t chain, writes;  // how many writes of the chain it holds
  };
  struct Write {
    ValueId update;
    bool adds;
    ValueId sum;  // of an addition: what the part holds after it, once somebody has read it
  };
  struct Chain {
    ValueId root;
    std::vector<Write> writes;
  };
  using Numbers = std::vector<uint32_t>;
  using Table = std::unordered_map<uint64_t, Numbers>;

  static uint64_t key(uint32_t chain, uint32_t x) { return uint64_t{chain} << 32 | x; }

  static bool touches_part(const Program::Step& s, UpdateKind update) {
    if (s.kernel >= 0 || is_elementwise(s.op)) return false;
    const Op& op = op_by_id(s.op);
    return op.key == KeyKind::basic && op.update == update;
  }

  // Equal keys may stand in the program as several attributes.
  const Part& part_of(const LocalPass& pass, uint32_t attrs, ValueId array) {
    const Program& p = pass.program();
    const auto [at, is_new] = part_of_attrs_.try_emplace(attrs);
    Part& part = at->second;
    if (!is_new) return part;
    const std::vector<int64_t>& code = p.attrs[attrs].integers(index_attrs::code);
    const IndexItems items(code);
    if (items.size() == 0 || static_cast<int>(items.size()) != p.type_of(array).shape.ndim() ||
        items[0].kind != IndexKind::at || items[0].start >= most_leads)
      return part;
    bool is_element = true;
    for (size_t k = 1; k < items.size(); ++k) {
      if (items[k].kind != IndexKind::at && items[k].kind != IndexKind::range) return part;
      is_element &= items[k].kind == IndexKind::at;
    }
    const auto number = static_cast<uint32_t>(part_numbers_.size());
    part = {part_numbers_.try_emplace(code, number).first->second, is_element,
            static_cast<uint32_t>(items[0].start)};
    return part;
  }

  Version version_of(ValueId v) const {
    return v < versions_.size() ? versions_[v] : Version{none, 0};
  }

  // The last of the numbers below `end`, counted from 1; 0 where there is none.
  static uint32_t last_below(const Table& table, uint64_t key, uint32_t end) {
    const auto found = table.find(key);
    if (found == table.end()) return 0;
    const Numbers& numbers = found->second;
    const auto at = std::ranges::lower_bound(numbers, end);
    return at == numbers.begin() ? 0 : *(at - 1) + 1;
  }

  // The writes among the first `end` of a chain that touch a part, counted from 1: the last of this
  // very part, and the last of another that overlaps with it.
  struct Touched {
    uint32_t same, other;
  };
  Touched touched(uint32_t chain, const Part& part, uint32_t end) const {
    const uint32_t same = last_below(of_part_, key(chain, part.number), end);
    uint32_t other = last_below(others_, key(chain, part.lead), end);
    if (!part.is_element) {
      if (other == same) other = 0;
      other = std::max(other, last_below(elements_, key(chain, part.lead), end));
    }
    return {same, other};
  }

  // A root that is read after the chain's writes can't be written in place, and is copied: once,
  // which is little beside many writes.
  bool may_read_root(const Program& p, uint32_t chain) const {
    const Chain& c = chains_[chain];
    return c.writes.size() >= few_writes || p.values[c.root].source != Source::step;
  }

  ValueId read(LocalPass& pass, const Application& a, const Part& part) {
    const uint32_t out = a.out[0];
    const bool is_number = is_floating(pass.type(out).dtype);
    ValueId base = a.in[0], value = no_value;
    uint32_t root_of = none;  // the chain that starts from `base`
    terms_.clear();
    for (int hops = 0; value == no_value;) {
      Version v = version_of(base);
      if (v.chain == none || hops++ == most_chains) break;
      for (uint32_t end = v.writes; value == no_value;) {
        const auto [same, other] = touched(v.chain, part, end);
        if (other > same) return no_value;
        if (same == 0) {
          base = chains_[v.chain].root;
          root_of = v.chain;
          break;
        }
        const Write& w = chains_[v.chain].writes[same - 1];
        if (pass.type_number(w.update) != out || (w.adds && !is_number)) return no_value;
        if (!w.adds) {
          value = w.update;
        } else if (w.sum != no_value) {
          value = w.sum;
        } else {
          terms_.push_back({v.chain, same - 1});
          end = same - 1;
        }
      }
    }
    const std::vector<Term> terms(terms_);  // emit() may come back here
    if (value == no_value) {
      if (base == a.in[0] || !may_read_root(pass.program(), root_of)) return no_value;
      value = pass.emit(a.like.op, a.like.attrs, {&base, 1}, out);
    }
    for (auto t = terms.rbegin(); t != terms.rend(); ++t) {
      const ValueId update = chains_[t->chain].writes[t->write].update;
      value = pass.emit<Add>({value, update}, out);
      chains_[t->chain].writes[t->write].sum = value;
    }
    return value;
  }

  struct Term {
    uint32_t chain, write;
  };

  std::unordered_map<uint32_t, Part> part_of_attrs_;
  std::map<std::vector<int64_t>, uint32_t> part_numbers_;
  std::vector<Version> versions_;  // by value
  std::vector<Chain> chains_;
  Table of_part_;            // by chain and part
  Table elements_, others_;  // by chain and first index
  std::vector<Term> terms_;
};

}  // namespace

std::unique_ptr<LocalRule> part_rule() { return std::make_unique<Parts>(); }

}  // namespace tapegrad
