// What the steps of a loop's body cost, in ns a turn: made turn by turn, or for all turns at once.
#pragma once

#include "tapegrad/program/passes/roll/find/roll_find.h"

namespace tapegrad {

class TurnCosts {
 public:
  TurnCosts() = default;
  // `stays`: there will be a scan over rows in any case.
  TurnCosts(const Program& p, const RolledLoop& loop, bool stays);

  // `apart`: behind what is made at once, where no scan may be left for it.
  double straight(uint32_t k, bool apart) const;
  double at_once(uint32_t k) const;
  double fixed(uint32_t k) const;  // of one that is made at once, whatever the number of turns
  double sum(uint32_t k) const;    // of one that adds up what was made at once
  double sum_of_products(uint32_t k) const;  // of one that makes what it adds
  // Of what one kind of step makes and the other reads.
  double crossing(uint32_t k, bool made_at_once) const;
  double joining(const RolledLoop::Series& s) const;  // what is no part of an array yet

 private:
  const Program::Step& step(uint32_t k) const { return p_->steps[loop_->first + k]; }
  double elements(uint32_t k) const;
  double work(uint32_t k) const;
  double scalars(uint32_t k) const;

  const Program* p_ = nullptr;
  const RolledLoop* loop_ = nullptr;
  bool stays_ = false;
  bool is_of_numbers_ = true;
  bool is_of_few_ = true;  // elements, each array
  bool is_row_ = true;     // a kernel over a row may do all of a turn
  double lanes_ = 1;       // of that row
};

}  // namespace tapegrad
