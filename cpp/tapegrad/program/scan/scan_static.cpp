#include "tapegrad/program/scan/scan_static.h"

#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/program/run/static/static_plan.h"
#include "tapegrad/program/scan/scan_numbers.h"
#include "tapegrad/program/scan/scan_run.h"

namespace tapegrad {
namespace {

// What a run needs besides its inputs; it serves one run after the other.
struct Registers {
  explicit Registers(const StaticPlan& plan) : run(plan) {}
  StaticRun run;
  std::vector<Value> inputs;
  std::vector<Stack> ys;
  std::vector<ProductStack> stacks;
};

class StaticScan final : public BodyExtra {
 public:
  explicit StaticScan(const ScanForm& f) {
    // Sums of a few products are taken in registers, too.
    numbers_ = NumberScan::of(f.body->executor(2, f.n_carry)->program(), f.n_carry, f.n_xs);
    if (numbers_) return;
    GatheredForm g(f);
    sums_ = std::move(g.sums);
    stays_ = std::move(g.stays);
    const Program& body = g.form.body->executor(2, g.form.n_carry)->program();
    plan_ = StaticPlan::of(body, g.form.n_carry, g.form.n_xs);
  }

  bool has_plan() const { return plan_ != nullptr || numbers_ != nullptr; }
  std::string machine_code() const override {
    return numbers_ ? numbers_->machine_code() : plan_ ? plan_->machine_code() : "";
  }
  // False where a guard of the body did not hold.
  bool run(const ScanForm& f, std::span<const Value> in, std::span<Value> out) const;

 private:
  class Lease;
  // It is kept with the body, and does not keep the body.
  std::vector<ProductSum> sums_;
  Flags stays_;
  std::unique_ptr<const NumberScan> numbers_;
  std::unique_ptr<const StaticPlan> plan_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Registers>> free_;
};

// Registers for one run; they go back to the others.
class StaticScan::Lease {
 public:
  explicit Lease(const StaticScan& scan) : scan_(scan) {
    const std::lock_guard lock(scan.mutex_);
    if (scan.free_.empty()) return;
    r_ = std::move(scan.free_.back());
    scan.free_.pop_back();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    if (!r_) return;
    r_->run.end();
    r_->inputs.clear();
    r_->ys.clear();
    r_->stacks.clear();
    const std::lock_guard lock(scan_.mutex_);
    scan_.free_.push_back(std::move(r_));
  }
  Registers& get() {
    if (!r_) r_ = std::make_unique<Registers>(*scan_.plan_);
    return *r_;
  }

 private:
  const StaticScan& scan_;
  std::unique_ptr<Registers> r_;
};

bool StaticScan::run(const ScanForm& f, std::span<const Value> in, std::span<Value> out) const {
  if (numbers_) return numbers_->run(f, in, out);
  Lease lease(*this);
  Registers& r = lease.get();
  for (size_t i = 0; i < in.size(); ++i)
    if (i >= f.n_carry || stays_[i]) r.inputs.push_back(in[i]);
  const size_t n_ys = f.n_ys();
  for (size_t k = 0; k < n_ys; ++k) r.ys.emplace_back(f.body->out_type(f.n_carry + k), f.length);
  for (const ProductSum& sum : sums_) {
    r.stacks.emplace_back(sum);
    out[sum.carry] = in[sum.carry];
  }
  r.run.begin(r.inputs);
  InterruptPoll poll;
  for (int64_t i = 0; i < f.length; ++i) {
    const int64_t t = f.reverse ? f.length - 1 - i : i;
    poll();
    if (!r.run.step(t)) return false;
    for (size_t k = 0; k < n_ys; ++k) r.ys[k].put(t, r.run.y(k));
    size_t factor = n_ys;
    for (size_t k = 0; k < r.stacks.size(); ++k) {
      for (size_t term = 0; term < sums_[k].n_terms; ++term, factor += 2)
        r.stacks[k].put(r.run.y_value(factor), r.run.y_value(factor + 1));
      if (r.stacks[k].full()) r.stacks[k].add_to(out[sums_[k].carry]);
    }
  }
  for (size_t k = 0; k < r.stacks.size(); ++k) r.stacks[k].add_to(out[sums_[k].carry]);
  for (size_t c = 0, kept = 0; c < f.n_carry; ++c)
    if (stays_[c]) out[c] = r.run.carry(kept++);
  for (size_t k = 0; k < n_ys; ++k) out[f.n_carry + k] = r.ys[k].take();
  return true;
}

constexpr int64_t least_length = 8;  // a plan costs some steps

}  // namespace

bool run_scan_statically(const ScanForm& f, std::span<const Value> in, std::span<Value> out) {
  if (f.length < least_length) return false;
  // Sums of products are gathered by length, too.
  const bool is_long = f.length >= least_gathered_length;
  const uint64_t key = (uint64_t{f.n_carry} << 32 | f.n_xs) << 1 | (is_long ? 1 : 0);
  const auto found = f.body->extra(key, [&] { return std::make_shared<const StaticScan>(f); });
  const auto& scan = static_cast<const StaticScan&>(*found);
  if (!scan.has_plan()) return false;
  return scan.run(f, in, out);
}

}  // namespace tapegrad
