#include "tapegrad/program/scan/binomial.h"

#include <algorithm>

#include "check.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;

namespace {

// The least number of steps taken again, over every way to place the states.
int64_t least_by_trial(int64_t steps, int64_t kept) {
  const auto n = static_cast<size_t>(steps), k = static_cast<size_t>(kept);
  std::vector<std::vector<int64_t>> cost(k + 1, std::vector<int64_t>(n + 1, 0));
  for (size_t c = 1; c <= k; ++c)
    for (size_t l = 2; l <= n; ++l) {
      int64_t least = static_cast<int64_t>(l * (l - 1) / 2);
      for (size_t m = 1; c > 1 && m < l; ++m)
        least = std::min(least, static_cast<int64_t>(m) + cost[c - 1][l - m] + cost[c][m]);
      cost[c][l] = least;
    }
  return cost[k][n];
}

// The same in closed form (Griewank and Walther): r l - C(k + r, r - 1), where r is the least
// number of repeats with l <= C(k + r, k).
int64_t steps_again(int64_t steps, int64_t kept) {
  if (steps < 2) return 0;
  const auto choose = [](int64_t n, int64_t k) {
    int64_t c = k < 0 ? 0 : 1;
    for (int64_t i = 1; i <= k; ++i) c = c * (n - k + i) / i;
    return c;
  };
  int64_t r = 0;
  while (choose(kept + r, r) < steps) ++r;
  return r * steps - choose(kept + r, r - 1);
}

struct Played {
  int64_t forward = 0;
  size_t most_kept = 0;
};

// Follows the schedule and checks that every step is gone back over once, in order.
Played play(int64_t steps, int64_t kept) {
  Played p;
  std::vector<int64_t> states{0};
  int64_t next_back = steps - 1;
  BinomialSchedule schedule(steps, kept);
  BinomialSchedule::Action a;
  while (schedule.next(a)) {
    CHECK(!states.empty() && states.back() == a.from);
    p.most_kept = std::max(p.most_kept, states.size());
    switch (a.kind) {
      case BinomialSchedule::Kind::keep:
        p.forward += a.to - a.from;
        states.push_back(a.to);
        break;
      case BinomialSchedule::Kind::reverse:
        p.forward += a.to - a.from;
        CHECK(a.to == next_back--);
        break;
      case BinomialSchedule::Kind::drop:
        states.pop_back();
    }
  }
  CHECK(next_back == -1);
  return p;
}

}  // namespace

TEST(no_order_takes_fewer_steps) {
  for (int64_t steps = 1; steps <= 40; ++steps)
    for (int64_t kept = 1; kept <= 8; ++kept) {
      const Played p = play(steps, kept);
      CHECK(p.forward == least_by_trial(steps, kept));
      CHECK(p.forward == steps_again(steps, kept));
      CHECK(p.most_kept <= static_cast<size_t>(kept));
    }
}

TEST(long_chains) {
  // 8 states and 4 repeats reach 495 steps; one more step takes a fifth.
  CHECK(steps_again(495, 8) == 4 * 495 - 220);
  CHECK(play(495, 8).forward == 4 * 495 - 220);
  for (const auto& [steps, kept] : {std::pair<int64_t, int64_t>{100000, 20}, {5000, 3000}}) {
    const Played p = play(steps, kept);
    CHECK(p.forward == steps_again(steps, kept));
    CHECK(p.most_kept <= static_cast<size_t>(kept));
  }
  CHECK(steps_again(1000, 1000) == 999);
}

TEST(one_state_at_least) { CHECK_THROWS(ValueError, BinomialSchedule(3, 0)); }
