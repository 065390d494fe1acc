#include "tapegrad/kernels/fused/lane_run.h"

#include <algorithm>
#include <bit>
#include <new>
#include <numeric>
#include <optional>

#include "tapegrad/base/error.h"
#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/fused/arena.h"
#include "tapegrad/kernels/fused/lane_ahead.h"
#include "tapegrad/kernels/fused/lane_inputs.h"
#include "tapegrad/kernels/fused/lane_output.h"
#include "tapegrad/kernels/fused/lane_shifted.h"
#include "tapegrad/kernels/reduce/reduce_sum.h"
#include "tapegrad/lanes/lane_sums.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/parallel/parallel.h"

// A run: the tape, then the steps over blocks of the space, then the sums of the chunks' results.
// Whole vectors are read and written where the arrays are; a last block that ends within a vector
// runs on copies, padded with its last lane, so that padding costs no slow path that the lanes
// themselves do not take.

namespace tapegrad {
namespace {

constexpr double gather_ns = 1.0;  // for each element

template <class T>
class LaneRun {
 public:
  LaneRun(const LaneKernel& kernel, const LanePlan<T>& plan, std::span<const Value> inputs,
          std::span<const int64_t> space, std::span<Value> outputs)
      : kernel_(kernel),
        plan_(plan),
        loops_(lane_loops<T>()),
        fold_(fold_loops<T>(Fold::sum)),
        inputs_(inputs),
        space_(space),
        size_(element_count(space)),
        outputs_(outputs) {}

  void run() {
    const size_t n_inputs = plan_.lane_inputs.size(), n_sinks = plan_.sinks.size();
    const size_t n_strides = LaneInput<T>::strides_needed(space_);
    arena_.reserve(Arena::aligned(plan_.uniform.registers * sizeof(T)) +
                   Arena::aligned(n_inputs * sizeof(LaneInput<T>)) +
                   Arena::aligned(n_inputs * n_strides * sizeof(int64_t)) +
                   Arena::aligned(n_sinks * sizeof(LaneSink<T>)) +
                   Arena::aligned(outputs_.size() * sizeof(void*)) +
                   Arena::aligned(n_sinks * sizeof(T)));
    registers_ = arena_.template take<T>(plan_.uniform.registers);
    run_uniform();
    if (plan_.block.steps.empty()) return;

    lane_inputs_ = arena_.template take<LaneInput<T>>(n_inputs);
    int64_t* strides = arena_.template take<int64_t>(n_inputs * n_strides);
    gathered_.reserve(kernel_.gathers.size());
    for (size_t k = 0; k < n_inputs; ++k) {
      const uint32_t input = plan_.lane_inputs[k];
      if (const LaneGather* g = kernel_.gather_of(input)) {
        new (&lane_inputs_[k]) LaneInput<T>(gathered(*g));
      } else {
        const Value& v = inputs_[input];
        new (&lane_inputs_[k])
            LaneInput<T>(v, is_shifted(k) ? shape_of(v) : space_, strides + k * n_strides);
      }
      packed_ += needs_row(k);
    }
    const double ns = plan_.ns + gather_ns * static_cast<double>(gathered_.size());
    const double work = static_cast<double>(size_) * ns;
    parallel_ = num_threads() > 1 && !in_parallel() && work >= work_threshold_ns();
    prepare_outputs(arena_.template take<LaneSink<T>>(n_sinks),
                    arena_.template take<void*>(outputs_.size()), arena_.template take<T>(n_sinks));
    choose_block();
    if (parallel_) {
      parallel_for(size_, grain_, ns,
                   [this](int64_t begin, int64_t end) { run_range(begin, end); });
    } else {
      run_range(0, size_);
    }
    finish_outputs();
    if (partials_) partials_->drop();
    partials_ = nullptr;
  }

  ~LaneRun() {
    if (partials_) partials_->drop();
  }

 private:
  const LaneKernel::Output& output(size_t k) const { return kernel_.outputs[k]; }

  const Value& index_of(const LaneGather& g) const { return inputs_[kernel_.n_inputs + g.index]; }

  const GatheredInput<T>& gathered(const LaneGather& g) {
    const GatheredInput<T>& in = gathered_.emplace_back(inputs_[g.input], index_of(g), g.axis);
    if (in.size() != size_)
      throw_error<ValueError>("LaneProgram: input ", g.input, " has ", in.size(),
                              " elements as it is gathered, and the space ", Dims(space_), " has ",
                              size_);
    return in;
  }

  // Some index is out of bounds: the first one, in the order of the gathers.
  [[noreturn]] void refuse_indices() const {
    for (const LaneGather& g : kernel_.gathers) check_gather(inputs_[g.input], index_of(g), g.axis);
    throw_error<RuntimeError>("internal error: an index changed while a kernel read it");
  }

  static std::span<const int64_t> shape_of(const Value& v) {
    return {v.layout()->dims(), static_cast<size_t>(v.ndim())};
  }
  int64_t offset(size_t k) const { return kernel_.offset(plan_.lane_inputs[k]); }
  bool is_shifted(size_t k) const { return offset(k) != no_offset; }
  bool needs_row(size_t k) const { return is_shifted(k) || !lane_inputs_[k].in_place(); }

  T* shifted_lanes(size_t k, int64_t begin, int64_t n, T* row) const {
    const uint32_t input = plan_.lane_inputs[k];
    const std::span<const int64_t> shape = shape_of(inputs_[input]);
    const LaneWindow& box = kernel_.boxes[input];
    if (box.ranges.empty()) return lanes_at(lane_inputs_[k], shape, offset(k), begin, n, row);
    lanes_of_box(lane_inputs_[k], shape, offset(k), box, space_, begin, n, row);
    return row;
  }

  void run_uniform() {
    std::copy(plan_.uniform.constants.begin(), plan_.uniform.constants.end(), registers_);
    for (const auto& in : plan_.uniform.inputs)
      registers_[in.reg] = uniform_lane_input<T>(inputs_[in.number]);
    run_registers(plan_.uniform, registers_);
    for (const auto& out : plan_.uniform.outputs) write_uniform(out.number, registers_[out.reg]);
  }

  void write_uniform(uint32_t k, T x) {
    const LaneKernel::Output& o = output(k);
    Value& v = outputs_[k];
    if (o.summed) {
      const SumGeometry sum = sum_geometry(space_, o.shape);
      if (sum.kind == SumGeometry::Kind::general) {
        v = sum_to_shape(Value::full(kernel_.dtype, space_, static_cast<double>(x)), o.shape);
        return;
      }
      x = sum_of_uniform(fold_, sum, x);
      make_lane_output(v, kernel_.dtype, o.shape);
    } else {
      make_lane_output(v, o.dtype, space_);
    }
    fill_lane_output(v, x);
  }

  void prepare_outputs(LaneSink<T>* sinks, void** stores, T* scalars) {
    sinks_ = sinks;
    stores_ = stores;
    std::fill_n(stores_, outputs_.size(), nullptr);
    make_stored_outputs();
    // Where threads can't share out the space without cutting chunks, the operand is kept whole.
    grain_ = 64;
    size_t partials = 0;
    for (size_t s = 0; s < plan_.sinks.size(); ++s) {
      LaneSink<T>& sink = *new (&sinks_[s]) LaneSink<T>;
      sink.lanes = &loops_;
      sink.fold = &fold_;
      sink.sum = sum_geometry(space_, output(plan_.sinks[s]).shape);
      using Kind = SumGeometry::Kind;
      if (sink.sum.kind != Kind::rows && sink.sum.kind != Kind::columns) continue;
      const int64_t grain = std::lcm(grain_, sink.sum.grain());
      if (!parallel_ || grain <= size_ / 2) {
        if (parallel_) grain_ = grain;
        if (sink.sum.parts() > 1) partials += Arena::aligned(sink.sum.partials() * sizeof(T));
      } else {
        sink.sum.kind = Kind::general;
      }
    }
    if (partials) partials_ = Buffer::allocate(partials);
    char* next = partials ? partials_->data() : nullptr;
    for (size_t s = 0; s < plan_.sinks.size(); ++s) {
      LaneSink<T>& sink = sinks_[s];
      const uint32_t k = plan_.sinks[s];
      if (sink.sum.kind == SumGeometry::Kind::general) {
        if (whole_.empty()) whole_.resize(plan_.sinks.size());
        whole_[s] = Value::empty(kernel_.dtype, space_);
        sink.partials = whole_[s].template data<T>();
        continue;
      }
      make_lane_output(outputs_[k], kernel_.dtype, output(k).shape);
      if (sink.sum.parts() > 1) {
        sink.partials = static_cast<T*>(static_cast<void*>(next));
        next += Arena::aligned(sink.sum.partials() * sizeof(T));
      }
      T* const result = outputs_[k].is_scalar() ? scalars + s : outputs_[k].template data<T>();
      if (sink.sum.parts() == 1) sink.partials = result;
      stores_[k] = result;
    }
  }

  // A time loop hands tens of thousands of short arrays from kernel to kernel: they share a buffer.
  void make_stored_outputs() {
    constexpr size_t many = 16;
    constexpr int64_t short_array = 64;
    const int64_t stride = (size_ + 7) / 8 * 8;
    const bool share = size_ <= short_array && outputs_.size() >= many;
    Value shelf;
    int64_t used = 0;
    size_t uniform = 0;  // plan_.uniform.outputs are in order
    for (size_t k = 0; k < outputs_.size(); ++k) {
      if (uniform < plan_.uniform.outputs.size() && plan_.uniform.outputs[uniform].number == k) {
        ++uniform;
        continue;
      }
      if (output(k).summed) continue;
      if (share && output(k).dtype == kernel_.dtype) {
        if (used == 0) {
          const auto bytes = static_cast<size_t>(stride) * outputs_.size() * sizeof(T);
          Buffer* buffer = Buffer::allocate(bytes);
          shelf = Value::wrap(buffer, buffer->data(), kernel_.dtype, space_, nullptr);
        }
        outputs_[k] = shelf.neighbour(used);
        used += stride;
      } else {
        make_lane_output(outputs_[k], output(k).dtype, space_);
      }
      stores_[k] = outputs_[k].raw();
    }
  }

  void finish_outputs() {
    for (size_t s = 0; s < plan_.sinks.size(); ++s) {
      const LaneSink<T>& sink = sinks_[s];
      const uint32_t k = plan_.sinks[s];
      if (sink.sum.kind == SumGeometry::Kind::general) {
        outputs_[k] = sum_to_shape(whole_[s], output(k).shape);
        continue;
      }
      T* const result = static_cast<T*>(stores_[k]);
      finish_sums(fold_, sink.sum, sink.partials, result);
      if (outputs_[k].is_scalar())
        outputs_[k] = Value::scalar(static_cast<double>(*result), kernel_.dtype);
    }
  }

  int64_t padded(int64_t n) const { return (n + loops_.width - 1) / loops_.width * loops_.width; }

  void choose_block() {
    // What is live lies in the first level of the cache, all rows in the second.
    const auto live = static_cast<size_t>(plan_.live), all = plan_.places() - plan_.spare;
    const size_t most = std::min(24 * 1024 / (sizeof(T) * live), 256 * 1024 / (sizeof(T) * all));
    block_ = std::clamp<int64_t>(static_cast<int64_t>(most), 128, 1024) / 64 * 64;
    int64_t whole = loops_.width;  // blocks of whole rows sum faster
    for (size_t s = 0; s < plan_.sinks.size(); ++s) {
      const SumGeometry& sum = sinks_[s].sum;
      if (sum.kind == SumGeometry::Kind::rows) {
        if (sum.n > fold_chunk) {
          whole = std::lcm(whole, std::bit_floor(static_cast<uint64_t>(block_)));
        } else {
          whole = std::lcm(whole, sum.n);
        }
      } else if (sum.kind == SumGeometry::Kind::columns) {
        whole = std::lcm(whole, sum.width);
      }
      if (whole > block_) break;
    }
    if (whole <= block_) block_ = block_ / whole * whole;
    block_ = std::min(block_, padded(size_));
    grain_ = std::max(grain_, (block_ + grain_ - 1) / grain_ * grain_);
  }

  // The arrays that are read and written in place, to be fetched ahead; none where they are short.
  std::optional<LaneAhead> streams_from(int64_t begin) const {
    if (size_ < LaneAhead::least_lanes) return {};
    LaneAhead all;
    for (size_t k = 0; k < plan_.lane_inputs.size(); ++k) {
      const T* const in_place = lane_inputs_[k].in_place();
      if (!in_place) continue;
      if (!is_shifted(k)) {
        all.add(in_place + begin, sizeof(T), false);
      } else if (kernel_.boxes[plan_.lane_inputs[k]].ranges.empty()) {
        all.add(in_place + (begin - offset(k)), sizeof(T), false);
      }
    }
    for (uint32_t k : plan_.direct) all.add(static_cast<T*>(stores_[k]) + begin, sizeof(T), true);
    return all.pays(size_, plan_.block.steps.size()) ? std::optional(all) : std::nullopt;
  }

  // Blocks of [begin, end).
  void run_range(int64_t begin, int64_t end) const {
    const size_t n_inputs = plan_.lane_inputs.size(), n_direct = plan_.direct.size();
    const size_t n_sinks = plan_.sinks.size();
    constexpr size_t n_sums = running_sums_bytes / sizeof(T);
    const int64_t last = (end - begin) % block_ ? (end - begin) % block_ : block_;
    const bool ragged = last % loops_.width != 0;
    // Rows a power of two apart would take each other for their own (loads wait for stores whose
    // addresses agree in the low 12 bits), and share few sets of the cache.
    const auto row =
        static_cast<size_t>(std::min(block_, padded(end - begin))) + Arena::alignment / sizeof(T);
    const size_t extra = ragged ? static_cast<size_t>(padded(last)) : 0;
    Arena arena;
    arena.reserve(Arena::aligned(plan_.places() * sizeof(T*)) +
                  Arena::aligned(n_inputs * sizeof(T*)) +
                  Arena::aligned(n_sinks * sizeof(LaneSink<T>)) +
                  n_sinks * Arena::aligned(n_sums * sizeof(T)) +
                  (plan_.rows() + packed_) * Arena::aligned(row * sizeof(T)) +
                  (n_inputs - packed_ + n_direct) * Arena::aligned(extra * sizeof(T)));
    T** at = arena.template take<T*>(plan_.places());
    T** const rows = arena.template take<T*>(n_inputs);  // of those that have one
    LaneFrame<T> frame = frame_for(plan_.block);
    frame.windows = kernel_.windows.data();
    frame.stores = stores_;
    frame.sinks = arena.template take<LaneSink<T>>(n_sinks);
    for (size_t s = 0; s < n_sinks; ++s) {
      frame.sinks[s] = sinks_[s];
      frame.sinks[s].sums = arena.template take<T>(n_sums);
      std::fill_n(frame.sinks[s].sums, n_sums, -T{0});
    }
    T** next = at;
    for (size_t k = 0; k < n_inputs; ++k, ++next) {
      rows[k] = needs_row(k) ? arena.template take<T>(row) : nullptr;
      *next = rows[k] ? rows[k] : const_cast<T*>(lane_inputs_[k].in_place()) + begin;
    }
    for (uint32_t reg : plan_.block.numbers) *next++ = registers_ + reg;
    T** const direct = next;
    for (uint32_t k : plan_.direct) *next++ = static_cast<T*>(stores_[k]) + begin;
    for (uint32_t k = 0; k < plan_.rows(); ++k) *next++ = arena.template take<T>(row);

    std::optional<LaneAhead> ahead = streams_from(begin);
    InterruptPoll poll;
    for (int64_t i = begin; i < end; i += block_) {
      poll();
      const int64_t n = std::min(block_, end - i), whole = padded(n);
      const bool copied = whole != n;
      frame.begin = i;
      frame.count = n;
      for (size_t k = 0; k < n_inputs; ++k) {
        if (is_shifted(k)) {
          at[k] = shifted_lanes(k, i, whole, rows[k]);
          continue;
        }
        const bool in_place = !rows[k];
        if (in_place && copied) at[k] = arena.template take<T>(extra);
        if ((!in_place || copied) && !lane_inputs_[k].pack(space_, i, n, whole, at[k]))
          refuse_indices();
      }
      if (copied)
        for (size_t k = 0; k < n_direct; ++k) direct[k] = arena.template take<T>(extra);
      if (!ahead) {
        run_block(plan_.block, at, whole, frame);
      } else {
        run_block(plan_.block, at, whole, frame, *ahead);
      }
      if (copied) {
        for (size_t k = 0; k < n_direct; ++k)
          std::copy_n(direct[k], n, static_cast<T*>(stores_[plan_.direct[k]]) + i);
        break;
      }
      for (size_t k = 0; k < n_inputs; ++k)
        if (!rows[k]) at[k] += n;
      for (size_t k = 0; k < n_direct; ++k) direct[k] += n;
    }
  }

  const LaneKernel& kernel_;
  const LanePlan<T>& plan_;
  const LaneLoops<T>& loops_;
  const FoldLoops<T>& fold_;
  std::span<const Value> inputs_;
  std::span<const int64_t> space_;
  const int64_t size_;
  std::span<Value> outputs_;
  Arena arena_;
  T* registers_ = nullptr;
  LaneInput<T>* lane_inputs_ = nullptr;
  PooledVector<GatheredInput<T>> gathered_;
  size_t packed_ = 0;  // inputs that are not read in place
  bool parallel_ = false;
  int64_t block_ = 0, grain_ = 64;
  LaneSink<T>* sinks_ = nullptr;
  void** stores_ = nullptr;
  Buffer* partials_ = nullptr;
  std::vector<Value> whole_;  // operands kept whole
};

}  // namespace

template <class T>
void run_lane_plan(const LaneKernel& kernel, const LanePlan<T>& plan, std::span<const Value> inputs,
                   std::span<const int64_t> space, std::span<Value> outputs) {
  LaneRun<T>(kernel, plan, inputs, space, outputs).run();
}

template void run_lane_plan(const LaneKernel&, const LanePlan<float>&, std::span<const Value>,
                            std::span<const int64_t>, std::span<Value>);
template void run_lane_plan(const LaneKernel&, const LanePlan<double>&, std::span<const Value>,
                            std::span<const int64_t>, std::span<Value>);

}  // namespace tapegrad
