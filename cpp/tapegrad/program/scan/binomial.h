// This is the order in which a chain of steps is gone back over when only few of its states can be
// kept (Griewank and Walther, Algorithm 799: revolve, 2000). Going back over a step needs the state
// before it; states that are not kept are computed again from a kept one. The splits are such that
// no order takes fewer steps again.
#pragma once

#include <cstdint>
#include <vector>

namespace tapegrad {

class BinomialSchedule {
 public:
  enum class Kind { keep, reverse, drop };
  // keep: go from state `from`, the last that is kept, to state `to` and keep that too.
  // reverse: go from it to state `to`, and back over the step that starts there.
  // drop: the last one that is kept is needed no more.
  struct Action {
    Kind kind;
    int64_t from, to;
  };

  // Plans `steps` steps with at most `kept` states at a time, of which state 0 is one.
  BinomialSchedule(int64_t steps, int64_t kept);
  bool next(Action& action);  // false at the end

 private:
  struct Segment {
    int64_t begin, end, kept;
  };
  static int64_t split(const Segment& s);

  std::vector<Segment> open_;  // the state at the begin of each is kept
};

}  // namespace tapegrad
