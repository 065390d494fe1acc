#include "tapegrad/lanes/plan/lane_schedule.h"

#include <algorithm>

namespace tapegrad {
namespace {

// Items that wait for their turn, those of one kind in a queue of their own.
struct Queue {
  std::vector<uint32_t> items;
  size_t head = 0;
  size_t size() const { return items.size() - head; }
  uint32_t pop() {
    const uint32_t item = items[head++];
    if (head == items.size()) items.clear(), head = 0;
    return item;
  }
};

}  // namespace

std::vector<uint32_t> group_by_kind(std::span<const uint16_t> kinds,
                                    std::span<const uint32_t> first,
                                    std::span<const uint32_t> dependencies, uint32_t window) {
  const auto n = static_cast<uint32_t>(kinds.size());
  std::vector<uint32_t> missing(n), next_user(n + 1, 0), users(dependencies.size());
  for (uint32_t d : dependencies) ++next_user[d + 1];
  for (uint32_t i = 0; i < n; ++i) next_user[i + 1] += next_user[i];
  std::vector<uint32_t> fill(next_user.begin(), next_user.end());
  for (uint32_t i = 0; i < n; ++i) {
    missing[i] = first[i + 1] - first[i];
    for (uint32_t k = first[i]; k < first[i + 1]; ++k) users[fill[dependencies[k]]++] = i;
  }

  uint16_t kind_count = 0;
  for (uint16_t k : kinds)
    kind_count = std::max<uint16_t>(kind_count, static_cast<uint16_t>(k + 1));
  std::vector<Queue> queues(kind_count);
  std::vector<uint16_t> present;  // kinds that occur
  std::vector<uint8_t> seen(kind_count, 0), done(n, 0);
  for (uint16_t k : kinds)
    if (!seen[k]) seen[k] = 1, present.push_back(k);

  std::vector<uint32_t> order;
  order.reserve(n);
  uint32_t oldest = 0, limit = 0;  // items below `limit` have entered
  Queue* now = nullptr;
  while (order.size() < n) {
    while (oldest < n && done[oldest]) ++oldest;
    for (; limit < n && limit < oldest + window; ++limit)
      if (missing[limit] == 0) queues[kinds[limit]].items.push_back(limit);
    if (!now || now->size() == 0) {
      now = &queues[present[0]];
      for (uint16_t k : present)
        if (queues[k].size() > now->size()) now = &queues[k];
    }
    const uint32_t item = now->pop();
    order.push_back(item);
    done[item] = 1;
    for (uint32_t k = next_user[item]; k < next_user[item + 1]; ++k) {
      const uint32_t user = users[k];
      if (--missing[user] == 0 && user < limit) queues[kinds[user]].items.push_back(user);
    }
  }
  return order;
}

}  // namespace tapegrad
