// Scans whose body is one kernel of numbers, to which small arrays were taken apart. The numbers
// stay in its registers from step to step; series are read and written where they lie.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

class NumberScan {
 public:
  // Null for a body that is more than such a kernel. Inputs are carries, then elements of series,
  // then the rest.
  static std::unique_ptr<const NumberScan> of(const Program& body, size_t n_carry, size_t n_series);
  virtual ~NumberScan() = default;

  // False where a guard of the body did not hold.
  [[nodiscard]] virtual bool run(const ScanForm& f, std::span<const Value> in,
                                 std::span<Value> out) const = 0;
  // What was compiled of it by now, an instruction a line.
  virtual std::string machine_code() const = 0;
};

}  // namespace tapegrad
