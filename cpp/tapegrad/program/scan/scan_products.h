// A sum of products over the steps of a scan is treated by itself. The gradient of a weight is one:
// c + a b at each step, of a column and a row or of thin matrices, which reads and writes all of c
// for few operations. Such a carry is left out of the steps: the factors are gathered over some of
// them, and their stacks multiplied.
#pragma once

#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

constexpr int64_t most_ungathered = 4096;  // elements: smaller sums stay in the steps

constexpr int64_t least_gathered_length = 16;  // of a scan

struct ProductSum {
  size_t carry = 0;
  Dims shape;  // (m, n)
  DType dtype{};
  int64_t rows = 0;    // that a step adds to the stacks
  size_t n_terms = 0;  // products in a step; each has two outputs of the body
};

struct GatheredForm {
  ScanForm form;  // without those carries; its last ys are the left and right factors, sum by sum
  std::vector<ProductSum> sums;
  Flags stays;  // by carry of the form that it was made from

  explicit GatheredForm(const ScanForm& f);
};

// Whether a sum of this type may be treated so, and whether a step makes a term of it.
bool may_be_gathered(const TensorType& sum);
bool is_gathered_term(const Program& p, const Program::Step& s);

// Collects the factors of one sum, step after step.
class ProductStack {
 public:
  explicit ProductStack(const ProductSum& sum);
  void put(const Value& left, const Value& right);
  bool full() const { return used_ + rows_ > capacity_; }  // for another step
  void add_to(Value& carry);

 private:
  int64_t m_, n_, rows_, capacity_, used_ = 0;
  Value left_, right_;  // (capacity, m), (capacity, n)
};

}  // namespace tapegrad
