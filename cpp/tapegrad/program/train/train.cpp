#include "tapegrad/program/train/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "tapegrad/base/error.h"
#include "tapegrad/program/passes/passes.h"

namespace tapegrad {
namespace {

Dims batch_shape(const Value& column, int64_t rows) {
  Dims shape = column.shape();
  shape[0] = rows;
  return shape;
}

int64_t row_size(const Value& column) { return column.dim(0) ? column.size() / column.dim(0) : 0; }

}  // namespace

TrainStep make_train_step(const Executor& executor, const Program& recorded) {
  TrainStep made;
  made.executor = &executor;
  PassOptions options;
  options.fuse = false;
  const Program plain = optimise(recorded, options);
  made.f64 = make_scalar_step<double>(plain);
  if (!made.f64) made.f32 = make_scalar_step<float>(plain);
  return made;
}

TrainLoop::TrainLoop(std::vector<Value> carried, std::vector<Value> data, int64_t batch_size)
    : carried_(std::move(carried)), data_(std::move(data)) {
  if (batch_size < 1)
    throw_error<ValueError>("training: a batch needs an example, got a batch size of ", batch_size);
  const bool fit = std::all_of(data_.begin(), data_.end(), [&](const Value& column) {
    return column.ndim() > 0 && column.dim(0) == data_[0].dim(0) && column.dim(0) > 0;
  });
  if (data_.empty() || !fit)
    throw_error<ValueError>("training: the data are arrays with a row for each example");
  n_rows_ = data_[0].dim(0);
  batch_size_ = std::min(batch_size, n_rows_);
  n_batches_ = (n_rows_ + batch_size_ - 1) / batch_size_;
  rows_left_ = n_rows_ - (n_batches_ - 1) * batch_size_;
  for (Value& column : data_) {
    column = column.contiguous();
    columns_.push_back({column.raw()});
  }
  gathered_.resize(data_.size());
}

bool TrainLoop::fits(const Program& p, bool last) const {
  const size_t n = carried_.size();
  if (p.inputs.size() != n + data_.size() || p.outputs.size() != n + 1) return false;
  for (size_t k = 0; k < n; ++k) {
    const TensorType& in = p.type_of(p.inputs[k]);
    if (!(in == p.type_of(p.outputs[k + 1])) || !(in == type_of(carried_[k]))) return false;
  }
  for (size_t k = 0; k < data_.size(); ++k) {
    const TensorType& in = p.type_of(p.inputs[n + k]);
    if (in.dtype != data_[k].dtype() ||
        in.shape != batch_shape(data_[k], last ? rows_left_ : batch_size_))
      return false;
  }
  const TensorType& loss = p.type_of(p.outputs[0]);
  return loss.shape.empty() && is_floating(loss.dtype);
}

void TrainLoop::set_steps(std::vector<TrainStep> steps, bool last) {
  steps_[last] = std::move(steps);
}

void TrainLoop::set_order(std::vector<int64_t> order) {
  for (int64_t row : order)
    if (row < 0 || row >= n_rows_)
      throw_error<IndexError>("training: row ", row, " of ", n_rows_, " rows");
  order_ = std::move(order);
  order_epoch_ = epoch_;
}

const int64_t* TrainLoop::order_here() const {
  if (order_.empty()) return nullptr;
  const int64_t at = (epoch_ - order_epoch_) * n_rows_ + batch_ * batch_size_;
  if (at + batch_rows() > static_cast<int64_t>(order_.size()))
    throw_error<IndexError>("training: the order ends before epoch ", epoch_);
  return order_.data() + at;
}

const std::vector<Value>& TrainLoop::next_batch() {
  const int64_t rows = batch_rows();
  const int64_t* order = order_here();
  batch_values_.resize(data_.size());
  for (size_t k = 0; k < data_.size(); ++k) {
    const Value& column = data_[k];
    const Dims shape = batch_shape(column, rows);
    const int64_t size = row_size(column);
    if (!order) {
      batch_values_[k] = column.view(shape, column.strides(), batch_ * batch_size_ * size);
      continue;
    }
    batch_values_[k] = Value();
    Value& to = gathered_[k];
    // An output may be a view of what was gathered before: then it keeps that memory.
    if (!to.owns_buffer() || to.shape() != shape) to = Value::empty(column.dtype(), shape);
    const size_t bytes = static_cast<size_t>(size) * item_size(column.dtype());
    const char* from = column.data<char>();
    for (int64_t i = 0; i < rows; ++i)
      std::memcpy(to.data<char>() + static_cast<size_t>(i) * bytes,
                  from + static_cast<size_t>(order[i]) * bytes, bytes);
    batch_values_[k] = to;
  }
  return batch_values_;
}

void TrainLoop::advance(double loss_of_rows, int64_t batches) {
  sum_ += loss_of_rows;
  batch_ += batches;
  if (batch_ < n_batches_) return;
  losses_.push_back(sum_ / static_cast<double>(n_rows_));
  sum_ = 0;
  batch_ = 0;
  ++epoch_;
}

void TrainLoop::commit(double loss, std::vector<Value> carried) {
  carried_ = std::move(carried);
  advance(loss * static_cast<double>(batch_rows()), 1);
}

TrainLoop::Made TrainLoop::try_step(const TrainStep& s) {
  size_t failed = 0;
  try {
    if (!s.executor->run(inputs_, s.captures, outputs_, failed)) return Made::no;
  } catch (const Error&) {
    return Made::no;  // made again by the host, it raises what plain code raises
  }
  const double loss = outputs_[0].as_double();
  if (!std::isfinite(loss)) {
    bad_loss_ = loss;
    return Made::not_finite;
  }
  for (size_t k = 0; k < carried_.size(); ++k) carried_[k] = std::move(outputs_[k + 1]);
  advance(loss * static_cast<double>(batch_rows()), 1);
  return Made::yes;
}

TrainLoop::Made TrainLoop::step() {
  std::vector<TrainStep>& steps = steps_[in_last()];
  if (steps.empty()) return Made::no;
  next_batch();
  inputs_.assign(carried_.begin(), carried_.end());
  inputs_.insert(inputs_.end(), batch_values_.begin(), batch_values_.end());
  Made made = Made::no;
  for (size_t k = 0; k < steps.size() && made == Made::no; ++k) {
    made = try_step(steps[k]);
    if (made != Made::no && k != 0) std::swap(steps[k], steps[0]);
  }
  inputs_.clear();
  outputs_.clear();
  batch_values_.clear();
  return made;
}

template <class T>
int64_t TrainLoop::run_scalar(const ScalarStep<T>& s, Stop& stop) {
  constexpr int64_t at_once = 200000;
  std::vector<T> now;
  for (const Value& v : carried_) now.push_back(static_cast<T>(v.at(0)));
  const int64_t wanted = std::min(n_batches_ - batch_, at_once);
  double sum = 0;
  bool finite = true;
  const int64_t made = s.run(now, columns_, order_here(), batch_, wanted, sum, finite);
  for (size_t k = 0; k < carried_.size(); ++k) {
    Value& v = carried_[k];
    if (v.is_scalar()) {
      v = Value::scalar(static_cast<double>(now[k]), v.dtype());
    } else {
      v.ensure_owned();
      *v.data<T>() = now[k];
    }
  }
  if (made != 0) advance(sum, made);
  if (!finite) stop = Stop::not_finite;
  return made;
}

int64_t TrainLoop::scalar_steps(Stop& stop) {
  if (batch_size_ != 1 || steps_[0].empty()) return 0;
  const TrainStep& s = steps_[0][0];
  if (s.f64) return run_scalar(*s.f64, stop);
  if (s.f32) return run_scalar(*s.f32, stop);
  return 0;
}

TrainLoop::Stop TrainLoop::run(int64_t epochs, const std::function<bool()>& interrupted) {
  using Clock = std::chrono::steady_clock;
  auto asked = Clock::now();
  int64_t since = 0;
  while (epoch_ < epochs) {
    Stop stop = Stop::done;
    const int64_t made = scalar_steps(stop);
    since += made;
    if (made == 0 || stop != Stop::done) {
      switch (step()) {
        case Made::yes:
          ++since;
          break;
        case Made::no:
          return Stop::unserved;
        case Made::not_finite:
          return Stop::not_finite;
      }
    }
    if (made == 0 || since > 10000) {
      since = 0;
      const auto now = Clock::now();
      if (now - asked > std::chrono::milliseconds(50)) {
        if (interrupted()) return Stop::interrupted;
        asked = Clock::now();
      }
    }
  }
  return Stop::done;
}

}  // namespace tapegrad
