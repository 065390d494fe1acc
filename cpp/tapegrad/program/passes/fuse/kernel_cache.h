#pragma once

#include <algorithm>
#include <bit>
#include <memory>
#include <vector>

#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/program.h"

namespace tapegrad {

// Kernels that are equal share one LaneProgram: a long loop repeats a few of them.
class KernelCache {
 public:
  std::shared_ptr<const FusedKernel> operator()(const LaneKernel& k, const Dims& space) {
    uint64_t h = mix_hash(static_cast<uint64_t>(k.dtype), k.n_inputs);
    for (int64_t n : space) h = mix_hash(h, static_cast<uint64_t>(n));
    for (double c : k.constants) h = mix_hash(h, std::bit_cast<uint64_t>(c));
    for (const ScalarTape::Instruction& i : k.code) {
      h = mix_hash(h, static_cast<uint64_t>(i.fn) << 32 | i.args[0]);
      h = mix_hash(h, static_cast<uint64_t>(i.args[1]) << 32 | i.args[2]);
    }
    for (const LaneKernel::Output& o : k.outputs) h = mix_hash(h, o.operand);
    for (int64_t n : k.offsets) h = mix_hash(h, static_cast<uint64_t>(n));
    const uint32_t known = table_.find(h, [&](uint32_t i) { return same(*kernels_[i], k, space); });
    if (known != FlatTable::none) return kernels_[known];
    table_.insert(h, static_cast<uint32_t>(kernels_.size()));
    kernels_.push_back(std::make_shared<const FusedKernel>(k, space));
    return kernels_.back();
  }

 private:
  static bool same(const FusedKernel& f, const LaneKernel& b, const Dims& space) {
    const LaneKernel& a = f.lanes.kernel();
    const auto same_bits = [](double x, double y) {
      return std::bit_cast<uint64_t>(x) == std::bit_cast<uint64_t>(y);
    };
    const auto same_output = [](const LaneKernel::Output& x, const LaneKernel::Output& y) {
      return x.operand == y.operand && x.summed == y.summed && x.shape == y.shape &&
             x.dtype == y.dtype;
    };
    return f.space == space && a.dtype == b.dtype && a.n_inputs == b.n_inputs &&
           std::ranges::equal(a.constants, b.constants, same_bits) && a.code == b.code &&
           std::ranges::equal(a.outputs, b.outputs, same_output) && a.gathers == b.gathers &&
           a.windows == b.windows && a.offsets == b.offsets && a.boxes == b.boxes;
  }

  FlatTable table_;
  std::vector<std::shared_ptr<const FusedKernel>> kernels_;
};

}  // namespace tapegrad
