#include "tapegrad/lanes/plan/lane_row_sums.h"

#include <algorithm>
#include <span>
#include <unordered_map>

#include "tapegrad/rows/lane_steps.h"

namespace tapegrad {
namespace {

class Groups {
 public:
  Groups(std::vector<uint32_t>& list, std::vector<uint32_t>& outputs)
      : list_(list), outputs_(outputs) {}

  // In groups as large as the form takes.
  void write(RowSums::Form form, std::span<const LaneRowSums::Sum> sums) {
    const size_t at_once = RowSums::at_once[form];
    for (size_t i = 0; i < sums.size(); i += at_once)
      write_group(form, sums.subspan(i, std::min(at_once, sums.size() - i)));
  }

  // That share a row; those that are left over, too few for a group of their own, are given back.
  std::span<const LaneRowSums::Sum> write_shared(std::span<const LaneRowSums::Sum> sums) {
    while (sums.size() > 2) {
      const RowSums::Form form = sums.size() > 4 ? RowSums::shared_8 : RowSums::shared_4;
      const size_t n = std::min<size_t>(sums.size(), RowSums::at_once[form]);
      write_group(form, sums.first(n));
      sums = sums.subspan(n);
    }
    return sums;
  }

  uint32_t count() const { return count_; }

 private:
  void write_group(RowSums::Form form, std::span<const LaneRowSums::Sum> sums) {
    const bool shared = form == RowSums::shared_8 || form == RowSums::shared_4;
    list_.push_back(RowSums{form, static_cast<uint32_t>(sums.size())}.word());
    if (shared) list_.push_back(sums[0].a);
    for (uint32_t k = 0; k < RowSums::at_once[form]; ++k) {
      const LaneRowSums::Sum& sum = sums[std::min<size_t>(k, sums.size() - 1)];
      if (!shared) list_.push_back(sum.a);
      list_.push_back(sum.b);
    }
    for (const LaneRowSums::Sum& sum : sums) outputs_.push_back(sum.output);
    ++count_;
  }

  std::vector<uint32_t>& list_;
  std::vector<uint32_t>& outputs_;
  uint32_t count_ = 0;
};

}  // namespace

uint32_t LaneRowSums::write(std::vector<uint32_t>& list, std::vector<uint32_t>& outputs) {
  Groups groups(list, outputs);
  const auto split = std::stable_partition(sums_.begin(), sums_.end(),
                                           [](const Sum& s) { return !(s.b & uniform_place); });
  const std::span<Sum> rows(sums_.begin(), split), others(split, sums_.end());
  // A product is shared by the row that has more of them.
  std::unordered_map<uint32_t, uint32_t> uses, first;
  for (const Sum& s : rows) ++uses[s.a], ++uses[s.b];
  for (Sum& s : rows)
    if (uses[s.b] > uses[s.a]) std::swap(s.a, s.b);
  for (uint32_t i = 0; i < rows.size(); ++i) first.try_emplace(rows[i].a, i);
  std::stable_sort(rows.begin(), rows.end(),
                   [&](const Sum& s, const Sum& t) { return first[s.a] < first[t.a]; });
  std::vector<Sum> rest;
  for (size_t i = 0, end; i < rows.size(); i = end) {
    for (end = i + 1; end < rows.size() && rows[end].a == rows[i].a;) ++end;
    for (const Sum& s : groups.write_shared(rows.subspan(i, end - i))) rest.push_back(s);
  }
  groups.write(RowSums::pairs, rest);
  groups.write(RowSums::by_numbers, others);
  sums_.clear();
  return groups.count();
}

}  // namespace tapegrad
