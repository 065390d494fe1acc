// Scans that only add up: in each step every carry gets a row of a series, or the product of a
// column and a row of two of them. What is added up stays in registers for many steps. Bits are
// those of the steps.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

class SumScan {
 public:
  // Null for a body that does more. Its first inputs are the carries.
  static std::unique_ptr<const SumScan> of(const Program& body, size_t n_carry);

  void run(const ScanForm& f, std::span<const Value> in, std::span<Value> out) const;

 private:
  friend class SumReader;
  // The sum at [r, c] += left[r] * right[c], or += right[c] where there is no left factor.
  struct Sum {
    static constexpr uint32_t none = ~uint32_t{0};
    uint32_t left = none, right = none;  // inputs of the body
    int64_t rows = 1, columns = 1;
    bool is_transposed = false;  // in memory
  };
  template <class T>
  static Value add_up(const Sum& sum, const ScanForm& f, const Value& first,
                      std::span<const Value> in);

  std::vector<Sum> sums_;  // by carry
};

// False where the scan does more than that.
bool run_scan_of_sums(const ScanForm& f, std::span<const Value> in, std::span<Value> out);

}  // namespace tapegrad
