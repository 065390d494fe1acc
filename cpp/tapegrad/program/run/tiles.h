// A stretch of a program that is run tile by tile: an axis of n positions is cut, and a program of
// a few positions does the work of each cut, with all that it makes in the cache.
#pragma once

#include <array>

#include "tapegrad/program/run/executor.h"

namespace tapegrad {

class Tiles final : public StepKernel {
 public:
  static constexpr int whole = -1;

  struct Form {
    int64_t n = 0, length = 0;  // positions in all, and of a tile
    Program body;               // of one tile, without captures and guards
    Program last;               // of the last tile, where that is shorter
    std::vector<int> in_axes;   // by input: the axis that is cut, or whole
    std::vector<int> out_axes;  // by output: the axis that is put together; whole: tiles are added
    std::vector<TensorType> out;
    double ns = 0;
  };

  explicit Tiles(Form form);

  // Threads take whole tiles. What is added is added within groups of tiles, one after the other,
  // and group to group by halves: in an order that depends on the number of tiles alone.
  void run(std::span<const Value> in, std::span<Value> out) const override;
  double ns(size_t) const override { return form_.ns; }
  size_t scratch_bytes() const override;
  void print(std::ostream& out) const override;

  const Form& form() const { return form_; }
  int64_t count() const { return (form_.n + form_.length - 1) / form_.length; }

 private:
  struct Cut;
  struct Sums;

  int64_t groups() const;
  void run_group(int64_t group, std::span<const Cut> cuts, std::span<Value> out, Sums& sums) const;

  Form form_;
  Executor body_, last_;
  size_t n_sums_ = 0;
};

}  // namespace tapegrad
