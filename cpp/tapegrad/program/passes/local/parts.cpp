#include <algorithm>

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

// Numbers in ascending order by key; most keys have but one.
class NumberLists {
 public:
  void add(uint64_t key, uint32_t number) {
    const uint64_t hash = mix_hash(1, key);
    const uint32_t at = find(hash, key);
    if (at != FlatTable::none) {
      lists_[at].more.push_back(number);
      return;
    }
    table_.insert(hash, static_cast<uint32_t>(lists_.size()));
    lists_.push_back({key, number, {}});
  }

  // The last of the numbers below `end`, counted from 1; 0 where there is none.
  uint32_t last_below(uint64_t key, uint32_t end) const {
    const uint32_t at = find(mix_hash(1, key), key);
    if (at == FlatTable::none || lists_[at].first >= end) return 0;
    const std::vector<uint32_t>& more = lists_[at].more;
    const auto above = std::ranges::lower_bound(more, end);
    return (above == more.begin() ? lists_[at].first : *(above - 1)) + 1;
  }

 private:
  struct List {
    uint64_t key;
    uint32_t first;
    std::vector<uint32_t> more;
  };
  uint32_t find(uint64_t hash, uint64_t key) const {
    return table_.find(hash, [&](uint32_t k) { return lists_[k].key == key; });
  }

  FlatTable table_;
  std::vector<List> lists_;
};

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
    of_part_.add(key(v.chain, part.number), number);
    (part.is_element ? elements_ : others_).add(key(v.chain, part.lead), number);
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
    uint32_t number = none;  // equal keys have one: the attributes that had it first
    bool is_seen = false, is_element = false;
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
  static uint64_t key(uint32_t chain, uint32_t x) { return uint64_t{chain} << 32 | x; }

  static bool touches_part(const Program::Step& s, UpdateKind update) {
    if (s.kernel >= 0 || is_elementwise(s.op)) return false;
    const Op& op = op_by_id(s.op);
    return op.key == KeyKind::basic && op.update == update;
  }

  // Equal keys may stand in the program as several attributes.
  const Part& part_of(const LocalPass& pass, uint32_t attrs, ValueId array) {
    const Program& p = pass.program();
    if (attrs >= part_of_attrs_.size()) part_of_attrs_.resize(p.attrs.size());
    Part& part = part_of_attrs_[attrs];
    if (part.is_seen) return part;
    part.is_seen = true;
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
    uint64_t hash = code.size();
    for (int64_t x : code) hash = mix_hash(hash, static_cast<uint64_t>(x));
    part.number = part_numbers_.find(
        hash, [&](uint32_t k) { return p.attrs[k].integers(index_attrs::code) == code; });
    if (part.number == FlatTable::none) part_numbers_.insert(hash, part.number = attrs);
    part.is_element = is_element;
    part.lead = static_cast<uint32_t>(items[0].start);
    return part;
  }

  Version version_of(ValueId v) const {
    return v < versions_.size() ? versions_[v] : Version{none, 0};
  }

  // The writes among the first `end` of a chain that touch a part, counted from 1: the last of this
  // very part, and the last of another that overlaps with it.
  struct Touched {
    uint32_t same, other;
  };
  Touched touched(uint32_t chain, const Part& part, uint32_t end) const {
    const uint32_t same = of_part_.last_below(key(chain, part.number), end);
    uint32_t other = others_.last_below(key(chain, part.lead), end);
    if (!part.is_element) {
      if (other == same) other = 0;
      other = std::max(other, elements_.last_below(key(chain, part.lead), end));
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

  std::vector<Part> part_of_attrs_;
  FlatTable part_numbers_;
  std::vector<Version> versions_;  // by value
  std::vector<Chain> chains_;
  NumberLists of_part_;            // by chain and part
  NumberLists elements_, others_;  // by chain and first index
  std::vector<Term> terms_;
};

}  // namespace

std::unique_ptr<LocalRule> part_rule() { return std::make_unique<Parts>(); }

}  // namespace tapegrad
