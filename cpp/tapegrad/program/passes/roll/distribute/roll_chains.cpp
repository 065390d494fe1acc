#include "tapegrad/program/passes/roll/distribute/roll_chains.h"

#include <algorithm>
#include <optional>

#include "tapegrad/program/passes/local/local.h"

namespace tapegrad {
namespace {

using Kind = RolledLoop::Kind;

constexpr size_t most_chained = 16;  // additions of a turn to one sum

class Chains {
 public:
  Chains(const Program& p, const RolledLoop& loop,
         const std::function<bool(uint32_t, uint32_t)>& is_run)
      : p_(p), loop_(loop), is_run_(is_run), readers_(loop.period) {
    for (uint32_t k = 0; k < loop.period; ++k)
      for (uint32_t a = 0; a < step(k).n_in; ++a)
        if (const uint32_t from = source_in_body(p, loop, k, a); from != made_outside)
          readers_[from].push_back({k, a});
  }

  SumChains run() {
    SumChains found;
    found.summand.assign(loop_.period, made_outside);
    found.of.assign(loop_.period, made_outside);
    for (uint32_t last = 0; last < loop_.period; ++last) {
      std::optional<std::vector<uint32_t>> chain = chain_that_ends_at(last);
      if (!chain) continue;
      for (uint32_t before = last; uint32_t k : *chain) {
        found.of[k] = static_cast<uint32_t>(found.chains.size());
        found.summand[k] = 1 - readers_[before][0].a;
        before = k;
      }
      found.chains.push_back(std::move(*chain));
    }
    return found;
  }

 private:
  struct Reader {
    uint32_t k, a;
  };

  const Program::Step& step(uint32_t k) const { return p_.steps[loop_.first + k]; }

  std::optional<std::vector<uint32_t>> chain_that_ends_at(uint32_t last) {
    std::vector<uint32_t> chain;
    for (uint32_t before = last; chain.empty() || before != last; before = chain.back()) {
      if (readers_[before].size() != 1 || chain.size() == most_chained) return std::nullopt;
      const auto [k, a] = readers_[before][0];
      if (!adds_to(k, a, chain.empty() ? last : made_outside)) return std::nullopt;
      chain.push_back(k);
    }
    if (chain.size() > 1 && !are_read_by_next(chain)) return std::nullopt;
    return chain;
  }

  // Whether step k adds something to its operand a, or takes it away; `carried`: from the turn
  // before, in which that step made it.
  bool adds_to(uint32_t k, uint32_t a, uint32_t carried) const {
    const bool takes_away = step(k).op == op_of_fn<Subtract>();
    if (loop_.roles[k] != RolledLoop::Role::computed ||
        !(takes_away || step(k).op == op_of_fn<Add>()) || (takes_away && a != 0))
      return false;
    const RolledLoop::Operand& sum = loop_.operand(k, a);
    if (carried == made_outside
            ? sum.kind != Kind::local
            : sum.kind != Kind::carry || loop_.carries[sum.index].step != carried ||
                  loop_.carries[sum.index].age != 1)
      return false;
    const Kind other = loop_.operand(k, 1 - a).kind;
    const uint32_t made = p_.values[step(k).first_out].type;
    return p_.values[p_.in(step(k))[0]].type == made && p_.values[p_.in(step(k))[1]].type == made &&
           (other == Kind::local || (other == Kind::series && is_run_(k, 1 - a)));
  }

  // Whether nothing else reads what the steps of a chain make, but for the last.
  bool are_read_by_next(const std::vector<uint32_t>& chain) {
    if (uses_.empty()) uses_ = use_counts(p_);
    for (size_t n = 0; n + 1 < chain.size(); ++n)
      for (uint32_t turn = 0; turn < loop_.count; ++turn)
        if (uses_[p_.steps[loop_.step(turn, chain[n])].first_out] != 1) return false;
    return true;
  }

  const Program& p_;
  const RolledLoop& loop_;
  const std::function<bool(uint32_t, uint32_t)>& is_run_;
  std::vector<std::vector<Reader>> readers_;  // by step of the body
  LongVector<uint32_t> uses_;                 // by value
};

}  // namespace

SumChains chains_of_sums(const Program& p, const RolledLoop& loop,
                         const std::function<bool(uint32_t, uint32_t)>& is_run) {
  return Chains(p, loop, is_run).run();
}

}  // namespace tapegrad
