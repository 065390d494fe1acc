#include "tapegrad/kernels/partials/partial_kernel.h"

#include <algorithm>

#include "tapegrad/kernels/fused/arena.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/elementwise_operands.h"

namespace tapegrad {
namespace {

constexpr int64_t grain = 1024;

double cost_of(const ScalarTape& tape) {
  double ns = 0;
  for (const ScalarTape::Instruction& step : tape.code) ns += scalar_fn_info(step.fn).ns;
  return ns;
}

// One run; each thread calls run() for its part.
template <class T>
class SmallRun {
 public:
  SmallRun(const LanePlan<T>& plan, const Operands<T>& operands, T* out)
      : plan_(plan), operands_(operands), out_(out), width_(lane_loops<T>().width) {
    // A single step over arrays where they lie needs no blocks.
    const auto packed = [this](uint32_t input) { return is_packed(input); };
    block_ = operands.size();
    if (plan.block.steps.size() <= 1 && std::ranges::none_of(plan.lane_inputs, packed)) return;
    const auto live = static_cast<int64_t>(plan.places() - plan.spare);
    block_ = std::clamp<int64_t>(24 * 1024 / (static_cast<int64_t>(sizeof(T)) * live), 128, grain);
    block_ = std::min(block_ / 64 * 64, (operands.size() + width_ - 1) / width_ * width_);
  }

  void run(int64_t begin, int64_t end) const {
    const size_t n_inputs = plan_.lane_inputs.size();
    const auto row = static_cast<size_t>(block_), vector = static_cast<size_t>(width_);
    Arena arena;
    size_t bytes =
        Arena::aligned(plan_.places() * sizeof(T*)) + Arena::aligned(n_inputs * sizeof(T*)) +
        Arena::aligned(plan_.uniform.registers * sizeof(T)) +
        plan_.rows() * Arena::aligned(row * sizeof(T)) + Arena::aligned(vector * sizeof(T));
    for (uint32_t k : plan_.lane_inputs)
      bytes += Arena::aligned((is_packed(k) ? row : vector) * sizeof(T));
    arena.reserve(bytes);
    T** const at = arena.take<T*>(plan_.places());
    T** const rows = arena.take<T*>(n_inputs);
    T* const registers = arena.take<T>(plan_.uniform.registers);
    for (size_t k = 0; k < n_inputs; ++k)
      rows[k] = arena.take<T>(is_packed(plan_.lane_inputs[k]) ? row : vector);
    T** next = at + n_inputs;
    for (uint32_t reg : plan_.block.numbers) *next++ = registers + reg;
    T** const direct = next;
    next += plan_.direct.size();
    for (uint32_t k = 0; k < plan_.rows(); ++k) *next++ = arena.take<T>(row);
    T* const last = arena.take<T>(vector);  // of the output

    std::copy(plan_.uniform.constants.begin(), plan_.uniform.constants.end(), registers);
    LaneFrame<T> frame = frame_for(plan_.block);
    const bool changes = operands_.by_rows() && !plan_.uniform.inputs.empty();
    for (int64_t i = begin, n = 0; i < end; i += n) {
      n = operands_.block_length(i, std::min(block_, end - i));
      if (i == begin || changes) {
        for (const auto& in : plan_.uniform.inputs)
          registers[in.reg] = *operands_.read(static_cast<int>(in.number), i, n, nullptr).data;
        run_registers(plan_.uniform, registers);
      }
      if (plan_.direct.empty()) {  // the same everywhere
        std::fill_n(out_ + i, n, registers[plan_.uniform.outputs[0].reg]);
        continue;
      }
      for (size_t k = 0; k < n_inputs; ++k)
        at[k] = const_cast<T*>(
            operands_.read(static_cast<int>(plan_.lane_inputs[k]), i, n, rows[k]).data);
      // The rest within a vector runs again with the lanes before it, whose results are dropped:
      // one of the inputs may lie at `out`.
      const int64_t whole = n / width_ * width_;
      if (whole > 0) {
        *direct = out_ + i;
        run_block(plan_.block, at, whole, frame);
      }
      if (whole == n) continue;
      for (size_t k = 0; k < n_inputs; ++k)
        at[k] = whole > 0 ? at[k] + n - width_ : padded(at[k], n, rows[k]);
      *direct = last;
      run_block(plan_.block, at, width_, frame);
      std::copy_n(last + (whole > 0 ? width_ - (n - whole) : 0), n - whole, out_ + i + whole);
    }
  }

 private:
  // Fewer lanes than a vector has, followed by copies of the last one.
  T* padded(const T* from, int64_t n, T* row) const {
    if (from != row) std::copy_n(from, n, row);
    std::fill(row + n, row + width_, row[n - 1]);
    return row;
  }
  bool is_packed(uint32_t input) const { return operands_.is_packed(static_cast<int>(input)); }

  const LanePlan<T>& plan_;
  const Operands<T>& operands_;
  T* const out_;
  const int64_t width_;
  int64_t block_;
};

}  // namespace

template <class T>
SmallKernel<T>::SmallKernel(LaneKernel kernel)
    : kernel_(std::move(kernel)), ns_(cost_of(kernel_)) {}

template <class T>
void SmallKernel<T>::run(std::span<const Value* const> values, const Dims& shape, T* out) const {
  const Operands<T> operands(values, shape);
  unsigned uniform = 0;
  for (size_t k = 0; k < values.size(); ++k)
    if (values[k] && operands.is_uniform(static_cast<int>(k))) uniform |= 1u << k;
  const SmallRun<T> made(plan(uniform), operands, out);
  parallel_for(operands.size(), grain, ns_,
               [&made](int64_t begin, int64_t end) { made.run(begin, end); });
}

template class SmallKernel<float>;
template class SmallKernel<double>;

}  // namespace tapegrad
