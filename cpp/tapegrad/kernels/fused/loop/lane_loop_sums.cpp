#include "tapegrad/kernels/fused/loop/lane_loop_sums.h"

#include <algorithm>

#include "tapegrad/kernels/fused/lane_inputs.h"
#include "tapegrad/kernels/fused/lane_output.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {
namespace {

constexpr int64_t most_packed = int64_t{1} << 20;  // elements that are copied to lie in rows

// Whether the axes from `first` on lie packed, in C order.
template <class T>
bool is_packed(const Value& v, size_t first) {
  if (v.dtype() != dtype_of<T>()) return false;
  const Layout& layout = *v.layout();
  int64_t inner = 1;
  for (size_t axis = static_cast<size_t>(layout.ndim()); axis-- > first;) {
    if (layout.dims()[axis] != 1 && layout.strides()[axis] != inner) return false;
    inner *= layout.dims()[axis];
  }
  return true;
}

template <class T>
class Sums {
 public:
  Sums(const LaneLoopCall& call, const std::vector<uint32_t>& series)
      : call_(call), loop_(call.loop), series_(series), lanes_(element_count(call.loop.space)) {}

  bool run() {
    for (uint32_t k = 0; k < loop_.n_carry; ++k) {
      x_.push_back(call_.inputs[loop_.n_carry + series_[k]]);
      if (call_.length > 0 && !is_packed<T>(x(k), 1)) {
        if (x(k).dtype() != dtype_of<T>() || x(k).size() > most_packed) return false;
        x_[k] = x(k).contiguous();
      }
      if (loop_.in_is_row(k) && !is_packed<T>(call_.inputs[k], 0)) return false;
    }
    std::vector<uint32_t> numbers;
    for (uint32_t k = 0; k < loop_.n_carry; ++k) {
      if (loop_.in_is_row(k)) {
        add_rows(k);
      } else {
        numbers.push_back(k);
      }
    }
    // Each sum waits for itself alone: several at a time fill the wait.
    std::span<const uint32_t> left = numbers;
    for (; left.size() >= 8; left = left.subspan(8)) add_numbers<8>(left);
    for (; left.size() >= 4; left = left.subspan(4)) add_numbers<4>(left);
    for (; left.size() >= 2; left = left.subspan(2)) add_numbers<2>(left);
    if (!left.empty()) add_numbers<1>(left);
    return true;
  }

 private:
  const Value& x(uint32_t k) const { return x_[k]; }

  template <size_t n>
  void add_numbers(std::span<const uint32_t> carries) {
    const T* at[n];
    int64_t step[n];
    T sum[n];
    for (size_t j = 0; j < n; ++j) {
      sum[j] = uniform_lane_input<T>(call_.inputs[carries[j]]);
      if (call_.length == 0) continue;
      const int64_t stride = x(carries[j]).layout()->strides()[0];
      step[j] = call_.reverse ? -stride : stride;
      at[j] = static_cast<const T*>(x(carries[j]).raw()) + call_.index(0) * stride;
    }
    for (int64_t t = 0; t < call_.length; ++t)
      for (size_t j = 0; j < n; ++j) {
        sum[j] += *at[j];
        at[j] += step[j];
      }
    for (size_t j = 0; j < n; ++j)
      call_.outputs[carries[j]] =
          lane_number(static_cast<double>(sum[j]), loop_.body.outputs[carries[j]].dtype);
  }

  void add_rows(uint32_t k) {
    Value out = Value::empty(dtype_of<T>(), loop_.space);
    const T* const first = static_cast<const T*>(call_.inputs[k].raw());
    int64_t lane = 0;
    for (; lane + 16 <= lanes_; lane += 16) add_lanes<16>(k, first, out, lane);
    for (; lane + 4 <= lanes_; lane += 4) add_lanes<4>(k, first, out, lane);
    for (; lane < lanes_; ++lane) add_lanes<1>(k, first, out, lane);
    call_.outputs[k] = std::move(out);
  }

  template <int64_t n>
  void add_lanes(uint32_t k, const T* first, Value& out, int64_t lane) {
    T sum[n];
    std::copy_n(first + lane, n, sum);
    if (call_.length > 0) {
      const int64_t stride = x(k).layout()->strides()[0];
      const int64_t step = call_.reverse ? -stride : stride;
      const T* at = static_cast<const T*>(x(k).raw()) + call_.index(0) * stride + lane;
      for (int64_t t = 0; t < call_.length; ++t, at += step)
        for (int64_t l = 0; l < n; ++l) sum[l] += at[l];
    }
    std::copy_n(sum, n, out.data<T>() + lane);
  }

  const LaneLoopCall& call_;
  const LaneLoop& loop_;
  const std::vector<uint32_t>& series_;
  const int64_t lanes_;
  std::vector<Value> x_;  // by carry
};

}  // namespace

std::vector<uint32_t> summed_series(const LaneLoop& loop) {
  const LaneKernel& k = loop.body;
  if (k.outputs.size() != loop.n_carry || k.code.size() != loop.n_carry) return {};
  std::vector<uint32_t> series;
  for (uint32_t c = 0; c < loop.n_carry; ++c) {
    if (k.outputs[c].operand < k.first_result() || k.outputs[c].dtype != k.dtype) return {};
    const ScalarTape::Instruction& step = k.code[k.outputs[c].operand - k.first_result()];
    if (step.fn != scalar_fn_of<Add>()) return {};
    const uint32_t x = step.args[0] == c ? step.args[1] : step.args[0];
    if ((step.args[0] != c && step.args[1] != c) || x < loop.n_carry ||
        x >= loop.n_carry + loop.n_series || loop.in_is_row(x) != loop.in_is_row(c) ||
        loop.in_is_row(c) != loop.out_is_row(c))
      return {};
    series.push_back(x - loop.n_carry);
  }
  return series;
}

template <class T>
bool run_sums(const LaneLoopCall& call, const std::vector<uint32_t>& series) {
  return Sums<T>(call, series).run();
}

template bool run_sums<float>(const LaneLoopCall&, const std::vector<uint32_t>&);
template bool run_sums<double>(const LaneLoopCall&, const std::vector<uint32_t>&);

}  // namespace tapegrad
