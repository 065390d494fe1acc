#include "tapegrad/lanes/lane_batch.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/fused/lane_ahead.h"
#include "tapegrad/kernels/fused/lane_output.h"
#include "tapegrad/kernels/fused/lane_run.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/elementwise_operands.h"

namespace tapegrad {
namespace {

constexpr int64_t row_alignment = 64;

// The memory of a run, freed with it.
class Memory {
 public:
  explicit Memory(size_t bytes) : buffer_(Buffer::allocate(std::max<size_t>(bytes, 1))) {}
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { buffer_->drop(); }
  template <class U>
  U* as() const {
    return static_cast<U*>(static_cast<void*>(buffer_->data()));
  }

 private:
  Buffer* buffer_;
};

// Knows where the elements of an array lie that belong to one lane.
class Elements {
 public:
  Elements(const LaneBatch::Array& array, const Value& v) {
    if (v.is_scalar()) return;
    place(array, v.strides());
    packed_ = v.is_contiguous() && array.axis == LaneBatch::no_axis;
  }
  // Of an array in C order.
  explicit Elements(const LaneBatch::Array& array) {
    place(array, contiguous_strides(array.shape));
    packed_ = array.axis == LaneBatch::no_axis;
  }
  int64_t lane_stride() const { return lane_stride_; }
  bool is_packed() const { return packed_; }  // element k is that of the array
  int64_t offset(uint32_t element) const {
    if (packed_) return element;
    int64_t rest = element, offset = 0;
    for (size_t i = axes_; i-- > 0; rest /= shape_[i]) offset += rest % shape_[i] * strides_[i];
    return offset;
  }

 private:
  void place(const LaneBatch::Array& array, const Dims& strides) {
    for (size_t i = 0; i < array.shape.size(); ++i) {
      if (static_cast<int>(i) == array.axis) {
        lane_stride_ = strides[i];
      } else {
        shape_[axes_] = array.shape[i];
        strides_[axes_++] = strides[i];
      }
    }
  }

  size_t axes_ = 0;
  int64_t shape_[max_ndim], strides_[max_ndim], lane_stride_ = 0;
  bool packed_ = false;
};

template <class T>
class BatchRun {
 public:
  BatchRun(const LaneKernel& kernel, const LanePlan<T>& plan, std::span<const Value> inputs,
           int64_t n, std::span<Value> outputs)
      : kernel_(kernel),
        batch_(*kernel.batch),
        plan_(plan),
        loops_(lane_loops<T>()),
        inputs_(inputs),
        n_(n),
        outputs_(outputs),
        registers_(plan.uniform.registers * sizeof(T)) {}

  void run() {
    choose_blocks();
    elements_.reserve(inputs_.size());
    for (size_t k = 0; k < inputs_.size(); ++k) elements_.emplace_back(batch_.in[k], inputs_[k]);
    run_uniform();
    prepare_inputs();
    prepare_outputs();
    if (plan_.block.steps.empty()) return;  // everything was the same for all lanes
    const size_t n_sums = plan_.sinks.size();
    const T* registers = registers_.template as<T>();
    const auto parts = static_cast<size_t>(std::max<int64_t>(1, (n_ + chunk_ - 1) / chunk_));
    const Memory totals(parts * n_sums * sizeof(T));
    totals_ = totals.as<T>();
    std::fill_n(totals_, parts * n_sums, -T{0});
    parallel_for(n_, chunk_, plan_.ns,
                 [this](int64_t begin, int64_t end) { run_range(begin, end); });
    T* const sums = totals_;
    for (size_t part = 1; part < parts; ++part)
      for (size_t s = 0; s < n_sums; ++s) sums[s] += sums[part * n_sums + s];
    for (size_t s = 0; s < n_sums; ++s) {
      const uint32_t once = plan_.once[s];
      write(plan_.sinks[s], once == no_place ? sums[s] : sums[s] + registers[once]);
    }
  }

 private:
  struct LaneInput {
    const void* data;
    int64_t offset, stride;
    StridedGather<T> gather;  // null: read where it is
    int64_t size;             // of the array: what is read behind the lanes is not beyond it
  };

  // Blocks long enough for the fixed cost of a step, which for a sum over the lanes is that of some
  // fifty of them; the rows of large kernels then lie in the second-level cache or beyond. A chunk,
  // of whole blocks, is what a thread takes at least.
  void choose_blocks() {
    constexpr int64_t most_chunks = 32;
    block_ = n_ < 2048 ? 128 : 256;
    const int64_t blocks = (n_ + block_ - 1) / block_;
    chunk_ = std::max<int64_t>(1, (blocks + most_chunks - 1) / most_chunks) * block_;
    if (const int64_t whole = padded(n_); block_ > whole) block_ = whole;
  }

  int64_t padded(int64_t n) const { return (n + loops_.width - 1) / loops_.width * loops_.width; }

  T number(uint32_t input) const {
    const LaneBatch::Part part = batch_.inputs[input];
    const Value& v = inputs_[part.array];
    if (v.is_scalar()) return scalar_as<T>(v);
    const int64_t at = elements_[part.array].offset(part.at);
    if (v.dtype() == dtype_of<T>()) return static_cast<const T*>(v.raw())[at];
    T x;
    strided_gather<T>(v.dtype())(&x, v.raw(), at, 0, 1);
    return x;
  }

  void run_uniform() {
    T* const registers = registers_.template as<T>();
    std::copy(plan_.uniform.constants.begin(), plan_.uniform.constants.end(), registers);
    // Most numbers stand in few arrays, which are looked at once.
    PooledVector<const T*> packed(inputs_.size());
    for (size_t k = 0; k < inputs_.size(); ++k)
      packed[k] = elements_[k].is_packed() && inputs_[k].dtype() == dtype_of<T>()
                      ? static_cast<const T*>(inputs_[k].raw())
                      : nullptr;
    for (const auto& in : plan_.uniform.inputs) {
      const LaneBatch::Part part = batch_.inputs[in.number];
      registers[in.reg] = packed[part.array] ? packed[part.array][part.at] : number(in.number);
    }
    run_registers(plan_.uniform, registers);
  }

  void prepare_inputs() {
    for (uint32_t input : plan_.lane_inputs) {
      const LaneBatch::Part part = batch_.inputs[input];
      const Value& v = inputs_[part.array];
      const Elements& from = elements_[part.array];
      const bool direct = v.dtype() == dtype_of<T>() && from.lane_stride() == 1;
      lane_inputs_.push_back({v.raw(), from.offset(part.at), from.lane_stride(),
                              direct ? nullptr : strided_gather<T>(v.dtype()),
                              v.is_contiguous() ? v.size() : 0});
    }
  }

  void prepare_outputs() {
    for (size_t r = 0; r < outputs_.size(); ++r) {
      const bool own = batch_.places.empty();
      const DType dtype = own ? batch_.out[r].dtype : batch_.joined[r].dtype;
      const Dims& shape = own ? batch_.out[r].shape : batch_.joined[r].shape;
      if (shape.empty()) {
        outputs_[r] = lane_number(0, dtype);
      } else {
        make_lane_output(outputs_[r], dtype, shape);
      }
    }
    written_.reserve(batch_.out.size());
    for (const LaneBatch::Array& array : batch_.out) written_.emplace_back(array);
    if (!plan_.block.steps.empty()) {
      stores_.resize(kernel_.outputs.size());
      for (uint32_t k = 0; k < stores_.size(); ++k) stores_[k] = store_of(k);
    }
    write_uniform();
  }

  LaneStore store_of(uint32_t output) const {
    const LaneBatch::Part part = batch_.outputs[output];
    const LaneBatch::Place place = batch_.place(part.array);
    const Value& v = outputs_[place.result];
    if (v.is_scalar()) return {};
    const auto size = static_cast<int64_t>(item_size(v.dtype()));
    const int64_t at = place.first + written_[part.array].offset(part.at);
    return {static_cast<char*>(v.raw()) + size * at, written_[part.array].lane_stride()};
  }

  void write_uniform() {
    const T* const registers = registers_.template as<T>();
    PooledVector<T*> packed(batch_.out.size());
    for (uint32_t k = 0; k < batch_.out.size(); ++k) {
      const LaneBatch::Place place = batch_.place(k);
      const Value& v = outputs_[place.result];
      packed[k] = written_[k].is_packed() && !v.is_scalar() && v.dtype() == dtype_of<T>()
                      ? static_cast<T*>(v.raw()) + place.first
                      : nullptr;
    }
    for (const auto& out : plan_.uniform.outputs) {
      const LaneBatch::Part part = batch_.outputs[out.number];
      const T x = registers[out.reg];
      if (T* const to = packed[part.array]) {
        to[part.at] = x;
      } else if (batch_.out[part.array].axis == LaneBatch::no_axis) {
        write(out.number, x);
      } else {
        fill(out.number, x);
      }
    }
  }

  void fill(uint32_t output, T x) {
    const LaneStore to = store_of(output);
    const bool is_mask = is_bool(kernel_.outputs[output].dtype);
    for (int64_t i = 0; i < n_; ++i) {
      if (is_mask) {
        static_cast<bool*>(to.data)[i * to.stride] = x != 0;
      } else {
        static_cast<T*>(to.data)[i * to.stride] = x;
      }
    }
  }

  void write(uint32_t output, T x) {
    void* to = store_of(output).data;
    if (!to) {
      Value& v = outputs_[batch_.place(batch_.outputs[output].array).result];
      v = lane_number(static_cast<double>(x), v.dtype());
    } else if (is_bool(kernel_.outputs[output].dtype)) {
      *static_cast<bool*>(to) = x != 0;
    } else {
      *static_cast<T*>(to) = x;
    }
  }

  // Inputs that are the same at every lane have stride 0.
  std::optional<LaneAhead> streams_from(int64_t begin) const {
    if (n_ < LaneAhead::least_lanes) return {};
    LaneAhead all;
    const auto add = [&](const void* data, int64_t offset, int64_t stride, int64_t item,
                         bool is_written) {
      if (stride > 0)
        all.add(static_cast<const char*>(data) + (offset + begin * stride) * item, stride * item,
                is_written);
    };
    for (size_t k = 0; k < lane_inputs_.size(); ++k) {
      const LaneInput& in = lane_inputs_[k];
      const DType dtype = inputs_[batch_.inputs[plan_.lane_inputs[k]].array].dtype();
      add(in.data, in.offset, in.stride, static_cast<int64_t>(item_size(dtype)), false);
    }
    for (size_t k = 0; k < stores_.size(); ++k) {
      const DType dtype = batch_.out[batch_.outputs[k].array].dtype;
      add(stores_[k].data, 0, stores_[k].stride, static_cast<int64_t>(item_size(dtype)), true);
    }
    return all.pays(n_, plan_.block.steps.size()) ? std::optional(all) : std::nullopt;
  }

  // Blocks of [begin, end), which begins with a chunk.
  void run_range(int64_t begin, int64_t end) const {
    const size_t n_inputs = lane_inputs_.size();
    // Rows a power of two apart share few sets of the cache.
    const auto row = static_cast<size_t>(block_ + row_alignment / static_cast<int64_t>(sizeof(T)));
    const Memory rows((plan_.rows() + n_inputs) * row * sizeof(T));
    PooledVector<T*> at(plan_.places());
    T* next = rows.as<T>();
    const auto take = [&] { return std::exchange(next, next + row); };
    for (size_t k = 0; k < n_inputs; ++k) at[k] = take();
    for (size_t k = 0; k < plan_.block.numbers.size(); ++k)
      at[n_inputs + k] = registers_.template as<T>() + plan_.block.numbers[k];
    for (size_t k = at.size() - plan_.rows(); k < at.size(); ++k) at[k] = take();
    const PooledVector<T*> own(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(n_inputs));

    LaneFrame<T> frame = frame_for(plan_.block);
    frame.parts = stores_.data();
    std::optional<LaneAhead> ahead = streams_from(begin);
    for (int64_t i = begin; i < end; i += block_) {
      const int64_t n = std::min(block_, end - i), whole = padded(n);
      frame.begin = i;
      frame.count = n;
      frame.totals = totals_ + static_cast<size_t>(i / chunk_) * plan_.sinks.size();
      for (size_t k = 0; k < n_inputs; ++k) {
        const LaneInput& in = lane_inputs_[k];
        const int64_t first = in.offset + i * in.stride;
        if (!in.gather && (n == whole || first + whole <= in.size)) {
          at[k] = const_cast<T*>(static_cast<const T*>(in.data)) + first;
          continue;
        }
        at[k] = own[k];
        if (in.gather) {
          in.gather(at[k], in.data, first, in.stride, n);
        } else {
          std::copy_n(static_cast<const T*>(in.data) + first, n, at[k]);
        }
        std::fill(at[k] + n, at[k] + whole, at[k][n - 1]);
      }
      if (!ahead) {
        run_block(plan_.block, at.data(), whole, frame);
      } else {
        run_block(plan_.block, at.data(), whole, frame, *ahead);
      }
    }
  }

  const LaneKernel& kernel_;
  const LaneBatch& batch_;
  const LanePlan<T>& plan_;
  const LaneLoops<T>& loops_;
  std::span<const Value> inputs_;
  const int64_t n_;
  std::span<Value> outputs_;
  Memory registers_;
  PooledVector<Elements> elements_, written_;  // by array
  PooledVector<LaneInput> lane_inputs_;
  PooledVector<LaneStore> stores_;  // by output
  int64_t block_ = 0, chunk_ = 0;
  T* totals_ = nullptr;  // by chunk and sum
};

}  // namespace

template <class T>
void run_lane_batch(const LaneKernel& kernel, const LanePlan<T>& plan,
                    std::span<const Value> inputs, int64_t n, std::span<Value> outputs) {
  BatchRun<T>(kernel, plan, inputs, n, outputs).run();
}

template void run_lane_batch(const LaneKernel&, const LanePlan<float>&, std::span<const Value>,
                             int64_t, std::span<Value>);
template void run_lane_batch(const LaneKernel&, const LanePlan<double>&, std::span<const Value>,
                             int64_t, std::span<Value>);

}  // namespace tapegrad
