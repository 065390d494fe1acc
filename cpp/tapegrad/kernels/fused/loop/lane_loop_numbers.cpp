#include "tapegrad/kernels/fused/loop/lane_loop_numbers.h"

#include <algorithm>

#include "tapegrad/base/buffer.h"
#include "tapegrad/kernels/fused/lane_inputs.h"
#include "tapegrad/kernels/fused/lane_output.h"

namespace tapegrad {
namespace {

template <class T>
class NumberLoop {
 public:
  NumberLoop(const LaneLoopCall& call, const LanePlan<T>& plan)
      : call_(call), loop_(call.loop), plan_(plan), registers_(plan.uniform.registers) {}

  void run() {
    std::copy(plan_.uniform.constants.begin(), plan_.uniform.constants.end(), registers_.begin());
    set_up_inputs();
    set_up_outputs();
    T* const r = registers_.data();
    for (int64_t i = 0; i < call_.length; ++i) {
      const int64_t t = call_.index(i);
      for (const Series& s : series_) r[s.reg] = s.data[t * s.stride];
      run_registers(plan_.uniform, r);
      for (const Series& s : results_) s.out[t] = r[s.reg];
      // All are read before any is written: one may be another's input.
      for (size_t k = 0; k < carries_.size(); ++k) next_[k] = r[carries_[k].from];
      for (size_t k = 0; k < carries_.size(); ++k) r[carries_[k].to] = next_[k];
    }
    finish();
  }

 private:
  struct Series {
    uint32_t reg;
    const T* data;  // read from
    int64_t stride;
    T* out;  // or written to
  };
  struct Carry {
    uint32_t from, to;
  };
  static constexpr uint32_t none = ~uint32_t{0};

  // Gives the numbers of a series where they lie if they are of T, else a copy.
  const T* numbers(const Value& v, int64_t* stride) {
    if (v.dtype() == dtype_of<T>()) {
      *stride = v.layout()->strides()[0];
      return static_cast<const T*>(v.raw());
    }
    std::vector<T>& row = converted_.emplace_back(static_cast<size_t>(call_.length));
    for (int64_t t = 0; t < call_.length; ++t)
      row[static_cast<size_t>(t)] = static_cast<T>(v.at(t));
    *stride = 1;
    return row.data();
  }

  void set_up_inputs() {
    reg_of_input_.assign(loop_.body.n_inputs, none);
    for (const auto& in : plan_.uniform.inputs) {
      reg_of_input_[in.number] = in.reg;
      const Value& v = call_.inputs[in.number];
      if (in.number >= loop_.n_carry && in.number < loop_.n_carry + loop_.n_series) {
        if (call_.length == 0) continue;
        Series s{in.reg, nullptr, 0, nullptr};
        s.data = numbers(v, &s.stride);
        series_.push_back(s);
      } else {
        registers_[in.reg] = uniform_lane_input<T>(v);
      }
    }
  }

  void set_up_outputs() {
    last_.assign(loop_.n_carry, none);
    bools_.reserve(loop_.n_out());
    for (const auto& out : plan_.uniform.outputs) {
      if (out.number < loop_.n_carry) {
        last_[out.number] = out.reg;
        const uint32_t to = reg_of_input_[out.number];
        if (to != none && to != out.reg) carries_.push_back({out.reg, to});
        continue;
      }
      Dims shape{call_.length};
      if (loop_.out_is_row(out.number))
        for (int64_t n : loop_.space) shape.push_back(n);
      Value& v = call_.outputs[out.number];
      v = Value::empty(loop_.body.outputs[out.number].dtype, shape);
      T* to = nullptr;
      if (is_bool(v.dtype())) {
        bools_.emplace_back(out.number, std::vector<T>(static_cast<size_t>(call_.length)));
        to = bools_.back().second.data();
      } else {
        to = v.data<T>();
      }
      results_.push_back({out.reg, nullptr, 0, to});
    }
    next_.resize(carries_.size());
  }

  void finish() {
    for (auto& [k, row] : bools_)
      for (size_t t = 0; t < row.size(); ++t)
        call_.outputs[k].template data<bool>()[t] = row[t] != 0;
    for (uint32_t k = 0; k < loop_.n_carry; ++k) {
      // An old value that has a register of its own was replaced by the last one there.
      const uint32_t in = reg_of_input_[k];
      const T x = call_.length == 0 ? uniform_lane_input<T>(call_.inputs[k])
                                    : registers_[in != none ? in : last_[k]];
      const DType d = loop_.body.outputs[k].dtype;
      if (loop_.out_is_row(k)) {
        call_.outputs[k] = Value::full(d, loop_.space, static_cast<double>(x));
      } else {
        call_.outputs[k] = lane_number(static_cast<double>(x), d);
      }
    }
  }

  const LaneLoopCall& call_;
  const LaneLoop& loop_;
  const LanePlan<T>& plan_;
  std::vector<T> registers_;
  std::vector<uint32_t> reg_of_input_, last_;
  std::vector<Series> series_, results_;
  std::vector<Carry> carries_;
  std::vector<T> next_;
  std::vector<std::vector<T>> converted_;
  std::vector<std::pair<uint32_t, std::vector<T>>> bools_;
};

}  // namespace

template <class T>
void run_number_loop(const LaneLoopCall& call, const LanePlan<T>& plan) {
  NumberLoop<T>(call, plan).run();
}

template void run_number_loop(const LaneLoopCall&, const LanePlan<float>&);
template void run_number_loop(const LaneLoopCall&, const LanePlan<double>&);

}  // namespace tapegrad
