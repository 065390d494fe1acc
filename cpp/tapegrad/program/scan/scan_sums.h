// Scans that only add up: in each step every carry gets rows of series, or products of columns and
// rows of them. What is added up stays in registers for many steps. Bits are those of the steps.
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
  // To the sum at [r, c] each term adds left[r] * right[c], or right[c] where there is no left
  // factor.
  struct Sum {
    static constexpr uint32_t none = ~uint32_t{0};
    struct Term {
      uint32_t left = none, right = none;  // inputs of the body
    };
    std::vector<Term> terms;
    int64_t rows = 1, columns = 1;
    bool is_transposed = false;  // in memory
  };
  template <class T>
  static Value add_up(const Sum& sum, const ScanForm& f, const Value& first,
                      std::span<const Value> in);

  // One number, to which others are added.
  static bool is_of_numbers(const Sum& sum) {
    return sum.rows * sum.columns == 1 && sum.terms[0].left == Sum::none;
  }
  // To all of them as many.
  template <class T>
  void add_up_numbers(std::span<const size_t> carries, const ScanForm& f, std::span<const Value> in,
                      std::span<Value> out) const;

  std::vector<Sum> sums_;                     // by carry
  std::vector<std::vector<size_t>> numbers_;  // carries whose sums are taken side by side
};

// False where the scan does more than that.
bool run_scan_of_sums(const ScanForm& f, std::span<const Value> in, std::span<Value> out);

}  // namespace tapegrad
