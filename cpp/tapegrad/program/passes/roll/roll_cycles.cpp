#include "tapegrad/program/passes/roll/roll_cycles.h"

#include <algorithm>

namespace tapegrad {
namespace {

// Tarjan's algorithm (Depth-first search and linear graph algorithms, 1972), without recursion.
// Edges lead from a step to what it reads, so that components are found behind what they read.
class Components {
 public:
  Components(const Program& p, const RolledLoop& loop)
      : p_(p), loop_(loop), number_(loop.period, unseen), low_(loop.period, 0) {
    found_.of.assign(loop.period, 0);
  }

  LoopCycles run() {
    for (uint32_t k = 0; k < loop_.period; ++k)
      if (number_[k] == unseen) visit(k);
    return std::move(found_);
  }

 private:
  static constexpr uint32_t unseen = ~uint32_t{0}, done = unseen - 1;
  struct Frame {
    uint32_t k, operand;
  };

  void enter(uint32_t k) {
    number_[k] = low_[k] = next_++;
    open_.push_back(k);
    path_.push_back({k, 0});
  }

  void visit(uint32_t root) {
    enter(root);
    while (!path_.empty()) {
      Frame& at = path_.back();
      const uint32_t k = at.k;
      if (at.operand < p_.steps[loop_.first + k].n_in) {
        const uint32_t from = source_in_body(p_, loop_, k, at.operand++);
        if (from == made_outside || number_[from] == done) continue;
        if (number_[from] == unseen) {
          enter(from);
        } else {
          low_[k] = std::min(low_[k], number_[from]);
        }
        continue;
      }
      path_.pop_back();
      if (!path_.empty()) low_[path_.back().k] = std::min(low_[path_.back().k], low_[k]);
      if (low_[k] == number_[k]) close(k);
    }
  }

  void close(uint32_t k) {
    const auto component = static_cast<uint32_t>(found_.recurs.size());
    bool recurs = open_.back() != k;
    for (uint32_t a = 0; a < p_.steps[loop_.first + k].n_in; ++a)
      recurs |= source_in_body(p_, loop_, k, a) == k;
    for (uint32_t member = ~k; member != k;) {
      member = open_.back();
      open_.pop_back();
      number_[member] = done;
      found_.of[member] = component;
    }
    found_.recurs.push_back(recurs);
  }

  const Program& p_;
  const RolledLoop& loop_;
  LoopCycles found_;
  std::vector<uint32_t> number_, low_, open_;
  std::vector<Frame> path_;
  uint32_t next_ = 0;
};

}  // namespace

uint32_t source_in_body(const Program& p, const RolledLoop& loop, uint32_t k, uint32_t a) {
  const RolledLoop::Operand& operand = loop.operand(k, a);
  if (operand.kind == RolledLoop::Kind::carry)
    return loop.roles[k] == RolledLoop::Role::scatter && a == 0 ? k
                                                                : loop.carries[operand.index].step;
  if (operand.kind != RolledLoop::Kind::local) return made_outside;
  return p.values[p.in(p.steps[loop.step(0, k)])[a]].index - loop.first;
}

LoopCycles cycles_of(const Program& p, const RolledLoop& loop) { return Components(p, loop).run(); }

}  // namespace tapegrad
