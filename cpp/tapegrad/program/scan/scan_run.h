// The loop of a scan takes one step of the body after the other, in one set of registers.
#pragma once

#include "tapegrad/program/scan/scan_products.h"

namespace tapegrad {

// Reads the elements of a stacked array.
class Rows {
 public:
  explicit Rows(const Value& stacked);
  Value at(int64_t t) const {
    return scalar_ ? stacked_.view({}, {}, t * stride_) : first_.neighbour(t * stride_);
  }

 private:
  Value stacked_, first_;
  int64_t stride_ = 0;
  bool scalar_ = false;
};

// Fills an array element by element.
class Stack {
 public:
  Stack(const TensorType& row, int64_t length);
  void put(int64_t t, const Value& row);
  void put(int64_t t, const char* packed_row);
  Value take() { return std::move(stacked_); }

 private:
  Value stacked_;
  size_t row_bytes_;
};

class ScanRun {
 public:
  // `in` holds the inputs of the scan. The carries and the first n_given xs are not looked at;
  // those xs are given element by element.
  ScanRun(const ScanForm& form, std::span<const Value> in, size_t n_given = 0);
  void give(size_t k, Value x) { session_.set(n_carry() + k, std::move(x)); }

  // Takes the step at index t: carries become the next ones, but for sums of products, which are
  // behind until finish(). The ys can be read until the next step.
  void step(int64_t t, std::vector<Value>& carries);
  const Value& y(size_t k) const { return session_.output(n_carry() + k); }
  void finish(std::vector<Value>& carries);

 private:
  size_t n_carry() const { return gathered_.form.n_carry; }
  void gather(std::vector<Value>& carries);

  GatheredForm gathered_;
  std::shared_ptr<const Executor> executor_;
  Executor::Session session_;
  size_t n_given_;
  std::vector<Rows> xs_;
  std::vector<ProductStack> stacks_;
};

}  // namespace tapegrad
