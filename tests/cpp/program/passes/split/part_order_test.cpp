#include "tapegrad/program/passes/split/part_order.h"

#include <random>
#include <vector>

#include "check.h"

using tapegrad::come_in_turns;

namespace {

std::vector<uint32_t> repeated(const std::vector<uint32_t>& turn, size_t turns) {
  std::vector<uint32_t> all;
  for (size_t t = 0; t < turns; ++t) all.insert(all.end(), turn.begin(), turn.end());
  return all;
}

}  // namespace

TEST(the_same_order_again_and_again) {
  CHECK(come_in_turns(repeated({0, 1, 2}, 10), 3));
  CHECK(come_in_turns(repeated({0, 1, 0, 2, 1}, 10), 3));
  CHECK(come_in_turns(std::vector<uint32_t>{0, 0, 0, 1, 1, 1}, 2));  // one part after the other
}

TEST(first_and_last_turns_may_differ) {
  std::vector<uint32_t> all{1, 1, 0};
  const std::vector<uint32_t> turns = repeated({0, 1, 2}, 10);
  all.insert(all.end(), turns.begin(), turns.end());
  all.insert(all.end(), {2, 0});
  CHECK(come_in_turns(all, 3));
}

TEST(an_order_from_data_is_none) {
  std::vector<uint32_t> all;
  std::minstd_rand random(1);
  for (int k = 0; k < 60; ++k) all.push_back(static_cast<uint32_t>(random() / 1000 % 3));
  CHECK(!come_in_turns(all, 3));
}
