#include "tapegrad/program/scan/scan_run.h"

#include <cstring>

#include "tapegrad/program/run/static/static_plan.h"

namespace tapegrad {
namespace {

Dims behind_first(const Dims& d) { return Dims(d.data() + 1, d.size() - 1); }

}  // namespace

Rows::Rows(const Value& stacked) : stacked_(stacked), scalar_(stacked.ndim() == 1) {
  const Dims row = behind_first(stacked.shape());
  if (!scalar_ && stacked.size() == 0) {
    first_ = Value::empty(stacked.dtype(), row);
    return;
  }
  // Packed rows are quick to go over: one copy serves all steps.
  if (!scalar_ && !stacked.view(row, behind_first(stacked.strides()), 0).is_contiguous())
    stacked_ = stacked.contiguous();
  stride_ = stacked_.strides()[0];
  if (!scalar_) first_ = stacked_.view(row, behind_first(stacked_.strides()), 0);
}

Stack::Stack(const TensorType& row, int64_t length) {
  Dims shape{length};
  for (int64_t d : row.shape) shape.push_back(d);
  stacked_ = Value::empty(row.dtype, shape);
  row_bytes_ = static_cast<size_t>(element_count(row.shape)) * item_size(row.dtype);
}

void Stack::put(int64_t t, const Value& row) {
  if (row_bytes_ == 0) return;
  char* const to = stacked_.data<char>() + static_cast<size_t>(t) * row_bytes_;
  if (row.is_scalar()) {
    store_number(to, row);
  } else if (row.is_contiguous()) {
    std::memcpy(to, row.data<char>(), row_bytes_);
  } else {
    const Dims shape = row.shape(), packed = Value::empty(row.dtype(), Dims(shape)).strides();
    copy_into(stacked_.view(shape, packed, t * row.size()), row);
  }
}

void Stack::put(int64_t t, const char* packed_row) {
  if (row_bytes_ > 0)
    std::memcpy(stacked_.data<char>() + static_cast<size_t>(t) * row_bytes_, packed_row,
                row_bytes_);
}

ScanRun::ScanRun(const ScanForm& form, std::span<const Value> in, size_t n_given)
    : gathered_(form),
      executor_(gathered_.form.body->executor(static_cast<size_t>(form.length), n_carry())),
      session_(*executor_),
      n_given_(n_given) {
  for (size_t k = n_given; k < form.n_xs; ++k) xs_.emplace_back(in[form.n_carry + k]);
  for (size_t i = form.n_carry + form.n_xs; i < in.size(); ++i)
    session_.set(i - gathered_.sums.size(), in[i]);
  for (const ProductSum& sum : gathered_.sums) stacks_.emplace_back(sum);
}

void ScanRun::step(int64_t t, std::vector<Value>& carries) {
  size_t at = 0;
  for (size_t c = 0; c < carries.size(); ++c)
    if (gathered_.stays[c]) session_.set(at++, std::move(carries[c]));
  for (size_t k = 0; k < xs_.size(); ++k) session_.set(n_carry() + n_given_ + k, xs_[k].at(t));
  session_.run();
  at = 0;
  for (size_t c = 0; c < carries.size(); ++c)
    if (gathered_.stays[c]) carries[c] = session_.take(at++);
  if (!stacks_.empty()) gather(carries);
}

void ScanRun::gather(std::vector<Value>& carries) {
  size_t factor = gathered_.form.body->n_out();
  for (const ProductSum& sum : gathered_.sums) factor -= 2 * sum.n_terms;
  for (size_t k = 0; k < stacks_.size(); ++k) {
    const ProductSum& sum = gathered_.sums[k];
    for (size_t term = 0; term < sum.n_terms; ++term, factor += 2)
      stacks_[k].put(session_.output(factor), session_.output(factor + 1));
    if (stacks_[k].full()) stacks_[k].add_to(carries[sum.carry]);
  }
}

void ScanRun::finish(std::vector<Value>& carries) {
  for (size_t k = 0; k < stacks_.size(); ++k) stacks_[k].add_to(carries[gathered_.sums[k].carry]);
}

}  // namespace tapegrad
