#include "tapegrad/program/passes/roll/distribute/roll_terms.h"

#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/roll/distribute/roll_at_once.h"

namespace tapegrad {
namespace {

// Elements of terms that are kept for all turns: beyond them it is cheaper to make each where it is
// added, but for those of which a step makes few.
constexpr int64_t most_near = int64_t{1} << 14, few_of_turn = 128;

class Terms {
 public:
  Terms(const Program& p, const RolledLoop& loop, const LoopCycles& cycles)
      : found(loop.period, false), p_(p), loop_(loop), cycles_(cycles), readers_(loop.period, 0) {
    for (uint32_t k = 0; k < loop.period; ++k)
      for (uint32_t a = 0; a < step(k).n_in; ++a)
        if (const uint32_t from = source_in_body(p, loop, k, a); from != made_outside)
          readers_[from] += from != k;
  }

  void find(uint32_t reader, uint32_t a) {
    if (loop_.operand(reader, a).kind != RolledLoop::Kind::local) return;
    const uint32_t k = source_in_body(p_, loop_, reader, a);
    if (loop_.roles[k] != RolledLoop::Role::computed || readers_[k] != 1 || cycles_.recurs_at(k) ||
        !is_simple(step(k)))
      return;
    found[k] = is_outer(step(k)) || is_large(step(k));
    if (!found[k]) return;
    for (uint32_t b = 0; b < step(k).n_in; ++b) find(k, b);
  }

  std::vector<bool> found;

 private:
  const Program::Step& step(uint32_t k) const { return p_.steps[loop_.first + k]; }

  bool is_simple(const Program::Step& s) const {
    return (is_elementwise(s.op) || op_by_id(s.op).is_whole_view()) && can_be_at_once(p_, s);
  }
  // A column times a row: the sum is taken of its factors, in registers.
  bool is_outer(const Program::Step& s) const {
    const auto elements = [this](ValueId v) { return element_count(p_.type_of(v).shape); };
    return s.op == op_of_fn<Multiply>() && elements(p_.in(s)[0]) < elements(s.first_out) &&
           elements(p_.in(s)[1]) < elements(s.first_out);
  }
  bool is_large(const Program::Step& s) const {
    const int64_t elements = element_count(p_.type_of(s.first_out).shape);
    return elements <= most_of_turn &&
           elements * loop_.count > (elements < few_of_turn ? most_at_once : most_near);
  }

  const Program& p_;
  const RolledLoop& loop_;
  const LoopCycles& cycles_;
  std::vector<uint32_t> readers_;
};

}  // namespace

std::vector<bool> terms_of_sums(const Program& p, const RolledLoop& loop, const LoopCycles& cycles,
                                const std::vector<uint32_t>& summand) {
  Terms terms(p, loop, cycles);
  for (uint32_t k = 0; k < loop.period; ++k)
    if (summand[k] != made_outside) terms.find(k, summand[k]);
  return std::move(terms.found);
}

}  // namespace tapegrad
