// The plan of batch.cpp.
#pragma once

#include "tapegrad/program/passes/batch/batch_cost.h"
#include "tapegrad/program/passes/batch/batch_regions.h"

namespace tapegrad {

// The plan says which steps go into kernels over a long axis, and in what order everything is
// written.
class BatchPlan {
 public:
  // Steps marked in `banned` stay what they are.
  BatchPlan(const Program& p, int64_t n, const std::vector<bool>& banned);

  static constexpr uint32_t none = ~uint32_t{0};
  struct Kernel {
    uint32_t stage;
    std::vector<uint32_t> steps;
    std::vector<ValueId> results;  // what others read
  };

  const BatchAxes& axes() const { return axes_; }
  const std::vector<Kernel>& kernels() const { return kernels_; }
  // The kernel of each step, or none, and its stage. What belongs to no kernel comes before the
  // kernels of its stage.
  const std::vector<uint32_t>& kernel_of() const { return kernel_of_; }
  const std::vector<uint32_t>& stages() const { return regions_.stages(); }
  // Whether kernels alone read a value that one of them makes: it is stored as rows of lanes.
  const std::vector<bool>& rows() const { return rows_; }

 private:
  void take_steps(const std::vector<bool>& banned);
  bool take_step(uint32_t i);
  bool continues(uint32_t i, ValueId v) const;
  void find_readers();
  std::vector<BatchCost> region_costs();
  void find_regions();
  template <class Takes>
  void make_kernels(Takes takes);

  const Program& p_;
  BatchAxes axes_;
  BatchRegions regions_;
  std::vector<uint32_t> kernel_of_;
  std::vector<Kernel> kernels_;
  std::vector<bool> wanted_, rows_;  // by value
};

}  // namespace tapegrad
