#include "tapegrad/program/scan/binomial.h"

#include <algorithm>
#include <limits>

#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

constexpr int64_t most = std::numeric_limits<int64_t>::max() / 4;

// Returns n over k, or `most` where it is larger.
int64_t choose(int64_t n, int64_t k) {
  k = std::min(k, n - k);
  if (k < 0) return 0;
  int64_t c = 1;
  for (int64_t i = 1; i <= k; ++i) {
    if (c > most / (n - k + i)) return most;
    c = c * (n - k + i) / i;
  }
  return c;
}

// Returns how many steps can be gone back over with `kept` states when each is taken at most r
// times again.
int64_t reach(int64_t kept, int64_t r) { return r < 0 ? 0 : choose(kept + r, kept); }

int64_t least_repeats(int64_t steps, int64_t kept) {
  int64_t r = 0;
  while (reach(kept, r) < steps) ++r;
  return r;
}

}  // namespace

BinomialSchedule::BinomialSchedule(int64_t steps, int64_t kept) {
  if (kept < 1) throw_error<ValueError>("at least one state must be kept, got ", kept);
  if (steps > 0) open_.push_back({0, steps, kept});
}

// Says how far to go before the next state is kept: as far as the steps up to there can be gone
// back over with one repeat less, or as those behind it leave.
int64_t BinomialSchedule::split(const Segment& s) {
  const int64_t n = s.end - s.begin, r = least_repeats(n, s.kept);
  const int64_t far = std::min(reach(s.kept, r - 1), n - reach(s.kept - 1, r - 1));
  return std::clamp(far, int64_t{1}, n - 1);
}

bool BinomialSchedule::next(Action& action) {
  if (open_.empty()) return false;
  Segment& s = open_.back();
  if (s.begin == s.end) {
    action = {Kind::drop, s.begin, s.begin};
    open_.pop_back();
  } else if (s.end - s.begin == 1 || s.kept == 1) {
    action = {Kind::reverse, s.begin, s.end - 1};
    --s.end;
  } else {
    const int64_t middle = s.begin + split(s);
    action = {Kind::keep, s.begin, middle};
    const Segment behind{middle, s.end, s.kept - 1};
    s.end = middle;
    open_.push_back(behind);
  }
  return true;
}

}  // namespace tapegrad
