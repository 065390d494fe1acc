// Sums over the lanes of products of rows, arranged in groups that run together (RowSums).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tapegrad {

class LaneRowSums {
 public:
  struct Sum {
    uint32_t a, b;    // places; b may be uniform, or no_place
    uint32_t output;  // of the kernel
  };
  void add(const Sum& sum) { sums_.push_back(sum); }
  bool empty() const { return sums_.empty(); }
  size_t size() const { return sums_.size(); }

  // Appends the groups of what was added, and their outputs in the order of the groups; gives the
  // number of groups.
  uint32_t write(std::vector<uint32_t>& list, std::vector<uint32_t>& outputs);

 private:
  std::vector<Sum> sums_;
};

}  // namespace tapegrad
