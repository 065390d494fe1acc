#include "tapegrad/kernels/fused/bound/bound_kernel.h"

#include <algorithm>
#include <vector>

#include "tapegrad/kernels/fused/arena.h"
#include "tapegrad/kernels/fused/bound/bound_batch.h"
#include "tapegrad/kernels/fused/bound/bound_numbers.h"
#include "tapegrad/kernels/fused/bound/bound_windows.h"
#include "tapegrad/lanes/lane_plan.h"
#include "tapegrad/lanes/lane_sums.h"
#include "tapegrad/rows/copy_row.h"

namespace tapegrad {
namespace {

constexpr int64_t block_lanes = 512, short_space = 64;

template <class T>
class Bound final : public BoundKernel {
 public:
  Bound(const LaneKernel& kernel, const Dims& space, std::span<const TensorType> inputs,
        std::unique_ptr<LanePlan<T>> plan, std::span<const LaneWindow> masks)
      : plan_(std::move(plan)),
        outputs_(kernel.outputs),
        loops_(lane_loops<T>()),
        fold_(fold_loops<T>(Fold::sum)),
        size_(element_count(space)),
        block_(std::min(padded(size_), block_lanes)) {
    for (const TensorType& t : inputs) is_bool_.push_back(is_bool(t.dtype));
    first_mask_ = inputs.size() - masks.size();
    for (const LaneWindow& w : masks) {
      std::vector<T>& mask = masks_.emplace_back(static_cast<size_t>(padded(size_)), T{0});
      w.for_runs(0, size_, [&](int64_t from, int64_t to) {
        std::fill(mask.begin() + from, mask.begin() + to, T{1});
      });
    }
    for (uint32_t i : plan_->lane_inputs) {
      inputs_.push_back({i, kernel.offset(i), element_count(inputs[i].shape), {}, {}});
    }
    cut_blocks(kernel);
    for (Input& in : inputs_)
      if (in.offset != no_offset && !kernel.boxes[in.number].ranges.empty())
        find_runs(in, kernel.boxes[in.number]);
    for (const LaneKernel::Output& o : outputs_)
      sums_.push_back(o.summed ? sum_geometry(space, o.shape) : SumGeometry());
    lay_out();
  }

  // Whether sums over the space can be taken block by block.
  bool fits() const {
    return std::ranges::none_of(
        sums_, [](const SumGeometry& s) { return s.kind == SumGeometry::Kind::general; });
  }

  size_t scratch_bytes() const override { return bytes_; }
  std::string machine_code() const override { return machine_code_of(*plan_); }

  void set_up(char* scratch) const override {
    T* const registers = at<T>(scratch, registers_);
    std::ranges::copy(plan_->uniform.constants, registers);
    T** place = at<T*>(scratch, places_) + inputs_.size();
    for (uint32_t reg : plan_->block.numbers) *place++ = registers + reg;
    place += plan_->direct.size();
    for (uint32_t k = 0; k < plan_->rows(); ++k) *place++ = row(scratch, inputs_.size() + k);
  }

  void run(char* const* inputs, char* const* outputs, char* scratch) const override {
    T* const registers = at<T>(scratch, registers_);
    for (const auto& in : plan_->uniform.inputs)
      registers[in.reg] = number(inputs[in.number], is_bool_[in.number]);
    run_registers(plan_->uniform, registers);
    for (const auto& out : plan_->uniform.outputs)
      fill(out.number, registers[out.reg], outputs[out.number]);
    if (!plan_->block.steps.empty()) run_lanes(inputs, outputs, scratch);
  }

 private:
  // Lanes [from, to) of a box, which read its elements from `element` on.
  struct Run {
    int64_t from, to, element;
  };
  struct Block {
    int64_t begin, n;
  };
  static constexpr int64_t least_shifted = 2, least_cut = 128;
  struct Input {
    uint32_t number;
    int64_t offset, size;
    std::vector<Run> runs;          // of a box
    std::vector<size_t> first_run;  // that ends behind where a block begins, by block
  };

  void find_runs(Input& in, const LaneWindow& box) const {
    int64_t element = 0;
    box.for_runs(0, size_, [&](int64_t from, int64_t to) {
      in.runs.push_back({from, to, element});
      element += to - from;
    });
    for (const Block& block : blocks_) {
      const auto first = std::ranges::upper_bound(in.runs, block.begin, {}, &Run::to);
      in.first_run.push_back(static_cast<size_t>(first - in.runs.begin()));
    }
  }

  // Inputs beside the space are copied for a block that they do not fill. Where there are several,
  // the lanes at both ends that one of them lacks are blocks of their own.
  void cut_blocks(const LaneKernel& kernel) {
    int64_t head = 0, tail = 0, shifted = 0;
    for (const Input& in : inputs_) {
      if (in.offset == no_offset || !kernel.boxes[in.number].ranges.empty()) continue;
      head = std::max(head, in.offset);
      tail = std::max(tail, size_ - (in.offset + in.size));
      ++shifted;
    }
    head = padded(head);
    const int64_t end = (size_ - tail) / loops_.width * loops_.width;
    const bool pays = shifted >= least_shifted && end - head >= size_ / 2 && size_ >= least_cut;
    const int64_t cuts[] = {pays ? head : 0, pays ? end : size_, size_};
    for (int64_t begin = 0; const int64_t cut : cuts)
      for (; begin < cut; begin += blocks_.back().n)
        blocks_.push_back({begin, std::min(block_, cut - begin)});
  }

  template <class U>
  static U* at(char* scratch, size_t bytes) {
    return static_cast<U*>(static_cast<void*>(scratch + bytes));
  }
  template <class U>
  static U* as(char* p) {
    return static_cast<U*>(static_cast<void*>(p));
  }
  static T number(char* p, bool from_bool) { return from_bool ? T(*p != 0) : *as<T>(p); }

  int64_t padded(int64_t n) const { return (n + loops_.width - 1) / loops_.width * loops_.width; }
  T* row(char* scratch, size_t k) const { return at<T>(scratch, rows_ + k * row_bytes_); }

  void lay_out() {
    const auto take = [this](size_t bytes) {
      const size_t first = bytes_;
      bytes_ += Arena::aligned(bytes);
      return first;
    };
    registers_ = take(plan_->uniform.registers * sizeof(T));
    places_ = take(plan_->places() * sizeof(T*));
    sinks_ = take(plan_->sinks.size() * sizeof(LaneSink<T>));
    running_ = take(plan_->sinks.size() * running_sums_bytes);
    for (uint32_t k : plan_->sinks)
      partials_.push_back(
          take(sums_[k].parts() > 1 ? static_cast<size_t>(sums_[k].partials()) * sizeof(T) : 0));
    // Rows a power of two apart would share few sets of the cache.
    row_bytes_ = Arena::aligned(static_cast<size_t>(block_) * sizeof(T)) + Arena::alignment;
    rows_ = take((inputs_.size() + plan_->rows()) * row_bytes_);
  }

  void fill(uint32_t k, T x, char* out) const {
    const LaneKernel::Output& o = outputs_[k];
    int64_t n = size_;
    if (o.summed) {
      x = sum_of_uniform(fold_, sums_[k], x);
      n = element_count(o.shape);
    }
    if (is_bool(o.dtype)) {
      std::fill_n(as<bool>(out), n, x != 0);
    } else {
      std::fill_n(as<T>(out), o.summed ? n : padded(n), x);
    }
  }

  void run_lanes(char* const* inputs, char* const* outputs, char* scratch) const {
    LaneFrame<T> frame = frame_for(plan_->block);
    frame.stores = static_cast<void* const*>(static_cast<const void*>(outputs));
    frame.sinks = at<LaneSink<T>>(scratch, sinks_);
    begin_sums(outputs, scratch);
    T** const places = at<T*>(scratch, places_);
    T** const direct = places + inputs_.size() + plan_->block.numbers.size();
    for (size_t b = 0; b < blocks_.size(); ++b) {
      const auto [begin, n] = blocks_[b];
      const int64_t whole = padded(n);
      for (size_t k = 0; k < inputs_.size(); ++k)
        places[k] = lanes(inputs_[k], inputs, b, row(scratch, k));
      for (size_t d = 0; d < plan_->direct.size(); ++d)
        direct[d] = as<T>(outputs[plan_->direct[d]]) + begin;
      frame.begin = begin;
      frame.count = n;
      run_block(plan_->block, places, whole, frame);
    }
    for (size_t s = 0; s < plan_->sinks.size(); ++s)
      finish_sums(fold_, frame.sinks[s].sum, frame.sinks[s].partials,
                  as<T>(outputs[plan_->sinks[s]]));
  }

  void begin_sums(char* const* outputs, char* scratch) const {
    LaneSink<T>* const sinks = at<LaneSink<T>>(scratch, sinks_);
    for (size_t s = 0; s < plan_->sinks.size(); ++s) {
      const uint32_t k = plan_->sinks[s];
      LaneSink<T>& sink = *new (sinks + s) LaneSink<T>;
      sink.lanes = &loops_;
      sink.fold = &fold_;
      sink.sum = sums_[k];
      sink.partials = sums_[k].parts() > 1 ? at<T>(scratch, partials_[s]) : as<T>(outputs[k]);
      sink.sums = at<T>(scratch, running_ + s * running_sums_bytes);
      std::fill_n(sink.sums, running_sums_bytes / sizeof(T), -T{0});
    }
  }

  // Lanes [begin, begin + n) and what follows up to a whole vector, where they lie or in `row`.
  T* lanes(const Input& in, char* const* inputs, size_t block, T* row) const {
    if (in.number >= first_mask_)
      return const_cast<T*>(masks_[in.number - first_mask_].data()) + blocks_[block].begin;
    char* const data = inputs[in.number];
    return is_bool_[in.number] ? lanes(in, as<bool>(data), block, row)
                               : lanes(in, as<T>(data), block, row);
  }

  template <class From>
  T* lanes(const Input& in, From* data, size_t block, T* row) const {
    constexpr bool lies_as_read = std::is_same_v<From, T>;
    const auto [begin, n] = blocks_[block];
    const int64_t whole = padded(n);
    if (in.offset == no_offset) {
      if constexpr (lies_as_read) return data + begin;
      copy(data + begin, n, row);
      std::fill(row + n, row + whole, row[n - 1]);
      return row;
    }
    if (!in.runs.empty()) {
      lanes_of_box(in, data, block, row);
      return row;
    }
    const int64_t first = begin - in.offset;
    if constexpr (lies_as_read)
      if (first >= 0 && first + n <= in.size) return data + first;
    const int64_t low = std::clamp<int64_t>(-first, 0, whole);
    const int64_t high = std::clamp(in.size - first, low, whole);
    std::fill(row, row + low, -T{0});
    copy(data + first + low, high - low, row + low);
    std::fill(row + high, row + whole, -T{0});
    return row;
  }

  void copy(const bool* from, int64_t n, T* to) const { loops_.from_bool(to, from, n); }
  void copy(const T* from, int64_t n, T* to) const { copy_row(from, n, to); }

  template <class From>
  void lanes_of_box(const Input& in, const From* data, size_t block, T* row) const {
    const auto [begin, n] = blocks_[block];
    const int64_t end = begin + n;
    int64_t done = begin;
    for (size_t k = in.first_run[block]; k < in.runs.size() && in.runs[k].from < end; ++k) {
      const Run& r = in.runs[k];
      const int64_t from = std::max(r.from, begin), to = std::min(r.to, end);
      for (; done < from; ++done) row[done - begin] = -T{0};
      copy(data + r.element + (from - r.from), to - from, row + (from - begin));
      done = to;
    }
    std::fill(row + (done - begin), row + padded(n), -T{0});
  }

  const std::unique_ptr<LanePlan<T>> plan_;
  const std::vector<LaneKernel::Output> outputs_;
  const LaneLoops<T>& loops_;
  const FoldLoops<T>& fold_;
  const int64_t size_, block_;
  std::vector<uint8_t> is_bool_;  // by input
  size_t first_mask_ = 0;         // of the inputs
  std::vector<std::vector<T>> masks_;
  std::vector<Input> inputs_;  // of lanes
  std::vector<Block> blocks_;
  std::vector<SumGeometry> sums_;  // by output
  // Where the scratch memory has what.
  size_t bytes_ = 0, registers_ = 0, places_ = 0, sinks_ = 0, running_ = 0, rows_ = 0;
  size_t row_bytes_ = 0;
  std::vector<size_t> partials_;  // by sink
};

template <class T>
std::unique_ptr<const BoundKernel> bind(const LaneKernel& given, const Dims& space,
                                        std::span<const TensorType> given_inputs) {
  const auto [kernel, masks] = windows_as_masks(given);
  std::vector<TensorType> inputs(given_inputs.begin(), given_inputs.end());
  inputs.resize(kernel.n_inputs, {kernel.dtype, space});
  const int64_t size = element_count(space);
  InputBits uniform(kernel.n_inputs);
  for (uint32_t i = 0; i < kernel.n_inputs; ++i) {
    const int64_t n = element_count(inputs[i].shape);
    if (inputs[i].dtype != kernel.dtype && !is_bool(inputs[i].dtype)) return nullptr;
    if (kernel.offset(i) != no_offset || i >= given.n_inputs) continue;
    if (n == 1 || (size == 1 && masks.empty())) {
      uniform.set(i);
    } else if (n != size) {
      return nullptr;
    }
  }
  if (size > 1 && size <= short_space) uniform.set(kernel.n_inputs);
  auto made =
      std::make_unique<Bound<T>>(kernel, space, inputs, make_lane_plan<T>(kernel, uniform), masks);
  if (!made->fits()) return nullptr;
  return made;
}

}  // namespace

std::unique_ptr<const BoundKernel> BoundKernel::of(const LaneKernel& kernel, const Dims& space,
                                                   std::span<const TensorType> inputs) {
  const int64_t size = element_count(space);
  if (!kernel.gathers.empty() || size < 1 || size > most_bound_lanes) return nullptr;
  if (kernel.batch) {
    auto numbers = size == 1 ? bind_numbers(kernel) : nullptr;
    return numbers ? std::move(numbers) : bind_batch(kernel, size);
  }
  return kernel.dtype == DType::float32 ? bind<float>(kernel, space, inputs)
                                        : bind<double>(kernel, space, inputs);
}

}  // namespace tapegrad
