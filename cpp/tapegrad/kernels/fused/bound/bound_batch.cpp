#include "tapegrad/kernels/fused/bound/bound_batch.h"

#include <algorithm>
#include <vector>

#include "tapegrad/kernels/fused/arena.h"
#include "tapegrad/lanes/lane_plan.h"
#include "tapegrad/rows/elementwise_operands.h"

namespace tapegrad {
namespace {

// Blocks are chunks, too: of so few lanes there are fewer than chunks may be.
int64_t chunk_of(int64_t lanes) { return lanes < 2048 ? 128 : 256; }

template <class T>
class Batch final : public BoundKernel {
 public:
  Batch(const LaneKernel& kernel, int64_t lanes)
      : loops_(lane_loops<T>()), n_(lanes), chunk_(chunk_of(lanes)) {
    block_ = std::min(chunk_, padded(n_));
    const LaneBatch& batch = *kernel.batch;
    InputBits uniform(kernel.n_inputs);
    for (uint32_t i = 0; i < kernel.n_inputs; ++i)
      if (batch.in[batch.inputs[i].array].axis == LaneBatch::no_axis) uniform.set(i);
    plan_ = make_lane_plan<T>(kernel, uniform);
    for (const auto& in : plan_->uniform.inputs)
      numbers_.push_back({in.reg, element(batch.in, batch.inputs[in.number])});
    for (uint32_t i : plan_->lane_inputs) {
      Part part = element(batch.in, batch.inputs[i]);
      part.gather = strided_gather<T>(batch.in[batch.inputs[i].array].dtype);
      lanes_.push_back(part);
    }
    for (const LaneBatch::Part& out : batch.outputs) {
      Part part = element(batch.out, out);
      const LaneBatch::Place place = batch.place(out.array);
      part.array = place.result;
      part.first += place.first;
      part.item = item_size(batch.out[out.array].dtype);
      outputs_.push_back(part);
    }
    lay_out();
  }

  size_t scratch_bytes() const override { return bytes_; }
  std::string machine_code() const override { return machine_code_of(*plan_); }

  void set_up(char* scratch) const override {
    T* const registers = at<T>(scratch, registers_);
    std::ranges::copy(plan_->uniform.constants, registers);
    T** place = at<T*>(scratch, places_) + lanes_.size();
    for (uint32_t reg : plan_->block.numbers) *place++ = registers + reg;
    for (uint32_t k = 0; k < plan_->rows(); ++k) *place++ = row(scratch, lanes_.size() + k);
  }

  void run(char* const* inputs, char* const* outputs, char* scratch) const override {
    T* const registers = at<T>(scratch, registers_);
    for (const Number& in : numbers_) {
      const char* const from = inputs[in.part.array];
      registers[in.reg] =
          in.part.is_bool ? T(as<bool>(from)[in.part.first] != 0) : as<T>(from)[in.part.first];
    }
    run_registers(plan_->uniform, registers);
    LaneStore* const stores = at<LaneStore>(scratch, stores_);
    for (size_t k = 0; k < outputs_.size(); ++k) {
      const Part& out = outputs_[k];
      stores[k] = {outputs[out.array] + static_cast<size_t>(out.first) * out.item, out.stride};
    }
    for (const auto& out : plan_->uniform.outputs) {
      const int64_t n = outputs_[out.number].runs_along ? n_ : 1;
      for (int64_t i = 0; i < n; ++i) store(out.number, stores[out.number], i, registers[out.reg]);
    }
    if (!plan_->block.steps.empty()) run_lanes(inputs, scratch);
  }

 private:
  // What an array holds for a lane, at one place: its first, and how far apart the lanes are.
  struct Part {
    uint32_t array;
    int64_t first, stride;
    bool is_bool, runs_along;
    StridedGather<T> gather = nullptr;
    size_t item = 0;
  };
  struct Number {
    uint32_t reg;
    Part part;
  };

  template <class U>
  static U* at(char* scratch, size_t bytes) {
    return static_cast<U*>(static_cast<void*>(scratch + bytes));
  }
  template <class U>
  static const U* as(const char* p) {
    return static_cast<const U*>(static_cast<const void*>(p));
  }
  int64_t padded(int64_t n) const { return (n + loops_.width - 1) / loops_.width * loops_.width; }
  T* row(char* scratch, size_t k) const { return at<T>(scratch, rows_ + k * row_bytes_); }

  static Part element(const std::vector<LaneBatch::Array>& arrays, LaneBatch::Part part) {
    const LaneBatch::Array& a = arrays[part.array];
    const Dims strides = contiguous_strides(a.shape);
    Part made{part.array, 0, 0, is_bool(a.dtype), a.axis != LaneBatch::no_axis};
    int64_t rest = part.at;
    for (size_t i = a.shape.size(); i-- > 0;) {
      if (static_cast<int>(i) == a.axis) {
        made.stride = strides[i];
        continue;
      }
      made.first += rest % a.shape[i] * strides[i];
      rest /= a.shape[i];
    }
    return made;
  }

  void lay_out() {
    const auto take = [this](size_t bytes) {
      const size_t first = bytes_;
      bytes_ += Arena::aligned(bytes);
      return first;
    };
    registers_ = take(plan_->uniform.registers * sizeof(T));
    places_ = take(plan_->places() * sizeof(T*));
    stores_ = take(outputs_.size() * sizeof(LaneStore));
    totals_ = take(parts() * plan_->sinks.size() * sizeof(T));
    row_bytes_ = Arena::aligned(static_cast<size_t>(block_) * sizeof(T)) + Arena::alignment;
    rows_ = take((lanes_.size() + plan_->rows()) * row_bytes_);
  }
  size_t parts() const { return static_cast<size_t>((n_ + chunk_ - 1) / chunk_); }

  void store(size_t output, const LaneStore& to, int64_t lane, T x) const {
    if (outputs_[output].is_bool) {
      static_cast<bool*>(to.data)[lane * to.stride] = x != 0;
    } else {
      static_cast<T*>(to.data)[lane * to.stride] = x;
    }
  }

  void run_lanes(char* const* inputs, char* scratch) const {
    const size_t n_sums = plan_->sinks.size();
    const LaneStore* const stores = at<LaneStore>(scratch, stores_);
    T** const places = at<T*>(scratch, places_);
    T* const totals = at<T>(scratch, totals_);
    std::fill_n(totals, parts() * n_sums, -T{0});
    LaneFrame<T> frame = frame_for(plan_->block);
    frame.parts = stores;
    for (int64_t begin = 0; begin < n_; begin += block_) {
      const int64_t n = std::min(block_, n_ - begin), whole = padded(n);
      frame.begin = begin;
      frame.count = n;
      frame.totals = totals + static_cast<size_t>(begin / chunk_) * n_sums;
      for (size_t k = 0; k < lanes_.size(); ++k) {
        const Part& in = lanes_[k];
        char* const data = inputs[in.array];
        const int64_t first = in.first + begin * in.stride;
        if (in.stride == 1 && !in.is_bool) {
          places[k] = static_cast<T*>(static_cast<void*>(data)) + first;
          continue;
        }
        places[k] = row(scratch, k);
        in.gather(places[k], data, first, in.stride, n);
        std::fill(places[k] + n, places[k] + whole, places[k][n - 1]);
      }
      run_block(plan_->block, places, whole, frame);
    }
    for (size_t part = 1; part < parts(); ++part)
      for (size_t s = 0; s < n_sums; ++s) totals[s] += totals[part * n_sums + s];
    const T* const registers = at<T>(scratch, registers_);
    for (size_t s = 0; s < n_sums; ++s) {
      const uint32_t once = plan_->once[s], k = plan_->sinks[s];
      store(k, stores[k], 0, once == no_place ? totals[s] : totals[s] + registers[once]);
    }
  }

  const LaneLoops<T>& loops_;
  const int64_t n_, chunk_;
  int64_t block_ = 0;
  std::unique_ptr<LanePlan<T>> plan_;
  std::vector<Number> numbers_;
  std::vector<Part> lanes_, outputs_;
  // Where the scratch memory has what.
  size_t bytes_ = 0, registers_ = 0, places_ = 0, stores_ = 0, totals_ = 0, rows_ = 0;
  size_t row_bytes_ = 0;
};

}  // namespace

std::unique_ptr<const BoundKernel> bind_batch(const LaneKernel& kernel, int64_t lanes) {
  const auto fits = [&](const LaneBatch::Array& a) {
    return a.dtype == kernel.dtype || is_bool(a.dtype);
  };
  if (!std::ranges::all_of(kernel.batch->in, fits) || !std::ranges::all_of(kernel.batch->out, fits))
    return nullptr;
  if (kernel.dtype == DType::float32) return std::make_unique<Batch<float>>(kernel, lanes);
  return std::make_unique<Batch<double>>(kernel, lanes);
}

}  // namespace tapegrad
