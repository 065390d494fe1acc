// Whole epochs of training without the host language. A step is a program whose inputs are the
// carried values (parameters and the optimiser's state) and a batch, and whose outputs are the
// loss and the next carried values. Where no program serves a batch (none yet, or a guard does
// not hold), the loop stops there; the host makes that step itself, hands the result to commit()
// and goes on.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "tapegrad/program/run/executor.h"
#include "tapegrad/program/train/train_scalar.h"

namespace tapegrad {

// A way to make a step: the program as an executor has it (not owned) and what it captures.
struct TrainStep {
  const Executor* executor = nullptr;
  std::vector<Value> captures;
  std::shared_ptr<const ScalarStep<double>> f64;  // at most one of the two
  std::shared_ptr<const ScalarStep<float>> f32;
};

// The scalar tapes of a recorded program, where it has them.
TrainStep make_train_step(const Executor& executor, const Program& recorded);

class TrainLoop {
 public:
  enum class Stop { done, unserved, not_finite, interrupted };

  // data: arrays of the same first length, contiguous, borrowed or owned. Each epoch takes the
  // rows batch_size at a time; the last batch may be shorter.
  TrainLoop(std::vector<Value> carried, std::vector<Value> data, int64_t batch_size);

  // Whether a step of this program could follow itself for batches of the last, shorter kind or
  // of the others.
  bool fits(const Program& p, bool last) const;
  // The steps are tried in this order; each fits.
  void set_steps(std::vector<TrainStep> steps, bool last);

  // The rows of the coming epochs, epoch after epoch; empty where each takes them as they are.
  void set_order(std::vector<int64_t> order);
  // Runs until `epochs` epochs are behind. `interrupted` is asked about every 50 ms; not_finite
  // stops before the step with such a loss.
  Stop run(int64_t epochs, const std::function<bool()>& interrupted);

  int64_t epoch() const { return epoch_; }
  int64_t batch() const { return batch_; }
  bool in_last() const { return batch_ == n_batches_ - 1 && rows_left_ != batch_size_; }
  // The batch that comes next; memory of the loop or of the data.
  const std::vector<Value>& next_batch();
  const std::vector<Value>& carried() const { return carried_; }
  // The outcome of a step that was made elsewhere.
  void commit(double loss, std::vector<Value> carried);
  double bad_loss() const { return bad_loss_; }
  const std::vector<double>& losses() const { return losses_; }  // mean over rows, by epoch

 private:
  enum class Made { yes, no, not_finite };

  int64_t batch_rows() const { return batch_ == n_batches_ - 1 ? rows_left_ : batch_size_; }
  const int64_t* order_here() const;
  Made step();
  Made try_step(const TrainStep& s);
  template <class T>
  int64_t run_scalar(const ScalarStep<T>& s, Stop& stop);
  int64_t scalar_steps(Stop& stop);
  void advance(double loss_of_rows, int64_t batches);

  std::vector<Value> carried_, data_, gathered_, batch_values_, inputs_, outputs_;
  std::vector<TrainStep> steps_[2];
  std::vector<ScalarColumn> columns_;
  std::vector<int64_t> order_;
  int64_t order_epoch_ = 0;  // the epoch that order_ begins with
  int64_t n_rows_, batch_size_, n_batches_, rows_left_;
  int64_t epoch_ = 0, batch_ = 0;
  double sum_ = 0, bad_loss_ = 0;
  std::vector<double> losses_;
};

}  // namespace tapegrad
