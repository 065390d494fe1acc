#pragma once

#include <cstring>
#include <utility>

#include "check.h"
#include "kernels/fused/lane_maker.h"
#include "tapegrad/kernels/fused/bound/bound_kernel.h"

namespace tapegrad {

// Memory as whoever keeps it lays it out: with room behind each array.
class Memory {
 public:
  explicit Memory(size_t bytes) : buffer_(Buffer::allocate(bytes + bound_slack)) {
    std::memset(buffer_->data(), 0, bytes + bound_slack);
  }
  Memory(Memory&& o) noexcept : buffer_(std::exchange(o.buffer_, nullptr)) {}
  Memory& operator=(Memory&&) = delete;
  ~Memory() {
    if (buffer_) buffer_->drop();
  }
  char* at() const { return buffer_->data(); }

 private:
  Buffer* buffer_;
};

// A bound kernel gives the bits of LaneProgram::run, again and again.
inline void check_bound(const LaneKernel& kernel, const Dims& space, const std::vector<Value>& in) {
  std::vector<TensorType> types;
  for (const Value& v : in) types.push_back(type_of(v));
  const auto bound = BoundKernel::of(kernel, space, types);
  CHECK(bound != nullptr);
  if (!bound) return;
  std::vector<Value> want(kernel.batch ? kernel.batch->n_results() : kernel.outputs.size());
  LaneProgram(LaneKernel(kernel)).run(in, space, want);
  std::vector<Memory> memory;
  std::vector<char*> from, to;
  for (const Value& v : in) {
    memory.emplace_back(v.is_scalar() ? sizeof(double) : v.byte_count());
    from.push_back(memory.back().at());
    if (v.is_scalar()) {
      const double x = v.as_double();
      std::memcpy(from.back(), &x, sizeof x);
    } else {
      std::memcpy(from.back(), v.raw(), v.byte_count());
    }
  }
  for (const Value& v : want) {
    memory.emplace_back(static_cast<size_t>(v.size()) * item_size(v.dtype()));
    to.push_back(memory.back().at());
  }
  const Memory scratch(bound->scratch_bytes());
  bound->set_up(scratch.at());
  for (int round = 0; round < 2; ++round) {
    bound->run(from.data(), to.data(), scratch.at());
    for (size_t k = 0; k < want.size(); ++k) {
      if (want[k].is_scalar()) {
        double x;
        std::memcpy(&x, to[k], sizeof x);
        CHECK(x == want[k].as_double());
      } else {
        CHECK(std::memcmp(to[k], want[k].raw(), want[k].byte_count()) == 0);
      }
    }
  }
}

inline Value numbers(int64_t n, double first) {
  Value v = Value::empty(DType::float64, Dims{n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i, first + 0.01 * static_cast<double>(i % 97));
  return v;
}

}  // namespace tapegrad
