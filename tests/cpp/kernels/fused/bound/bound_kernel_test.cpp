#include "tapegrad/kernels/fused/bound/bound_kernel.h"

#include <cstring>
#include <random>

#include "check.h"
#include "kernels/fused/lane_maker.h"

using namespace tapegrad;

namespace {

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
void check_bound(const LaneKernel& kernel, const Dims& space, const std::vector<Value>& in) {
  std::vector<TensorType> types;
  for (const Value& v : in) types.push_back(type_of(v));
  const auto bound = BoundKernel::of(kernel, space, types);
  CHECK(bound != nullptr);
  if (!bound) return;
  std::vector<Value> want(kernel.outputs.size());
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

Value numbers(int64_t n, double first) {
  Value v = Value::empty(DType::float64, Dims{n});
  for (int64_t i = 0; i < n; ++i) v.set_at(i, first + 0.01 * static_cast<double>(i % 97));
  return v;
}

LaneKernel mixed() {
  Maker m(3);
  const uint32_t half = m.constant(0.5);
  const uint32_t a = m.call<Multiply>(0, 1), b = m.call<Add>(a, half);
  const uint32_t c = m.call<Tanh>(b), d = m.call<Multiply>(c, 2);
  m.store(d);
  m.test(m.call<Greater>(c, half));
  m.sum(d);
  m.store(m.call<Sqrt>(2));  // the same in every lane
  return m.k;
}

}  // namespace

TEST(rows_numbers_sums_and_masks) {
  for (int64_t n : {2, 7, 8, 64, 65, 500, 512, 513, 1500, 4096})
    check_bound(mixed(), Dims{n}, {numbers(n, 0.1), numbers(n, -0.3), Value(2.0)});
}

TEST(a_space_of_one_is_a_scalar_tape) {
  check_bound(mixed(), Dims{1}, {numbers(1, 0.1), numbers(1, -0.3), Value(2.0)});
}

TEST(sums_over_an_axis) {
  Maker m(2);
  const uint32_t a = m.call<Multiply>(0, 1);
  m.sum(a, Dims{30, 1});
  m.sum(a, Dims{1, 40});
  Value x = numbers(1200, 0.2), y = numbers(1200, -0.1);
  x = x.view(Dims{30, 40}, Dims{40, 1}, 0);
  y = y.view(Dims{30, 40}, Dims{40, 1}, 0);
  check_bound(m.k, Dims{30, 40}, {x, y});
}

TEST(inputs_that_stand_beside_the_space) {
  for (int64_t n : {9, 700}) {
    Maker m(3);
    const uint32_t t = m.call<Add>(0, 1);
    m.k.offsets = {no_offset, 1, -2};
    m.k.boxes.resize(3);
    m.k.windows.push_back(window_of_box(Dims{n}, Dims{1}, Dims{n - 3}));
    m.store(m.call(window_add, t, 2, 0));
    check_bound(m.k, Dims{n}, {numbers(n, 0), numbers(n - 1, 1), numbers(n, 2)});
  }
}

TEST(masks_are_read_as_numbers) {
  Maker m(2);
  m.store(m.call<Multiply>(0, 1));
  Value mask = Value::empty(DType::bool_, Dims{600});
  for (int64_t i = 0; i < 600; ++i) mask.data<bool>()[i] = i % 3 == 0;
  check_bound(m.k, Dims{600}, {mask, numbers(600, 1)});
}

TEST(what_can_not_be_bound) {
  Maker m(2);
  m.store(m.call<Multiply>(0, 1));
  const TensorType row{DType::float64, Dims{6}}, other{DType::float64, Dims{3}};
  const TensorType single{DType::float32, Dims{6}};
  const auto bound = [&](const Dims& space, const TensorType& a, const TensorType& b) {
    const TensorType types[] = {a, b};
    return BoundKernel::of(m.k, space, types) != nullptr;
  };
  CHECK(bound(Dims{6}, row, row));
  CHECK(!bound(Dims{6}, row, other));
  CHECK(!bound(Dims{6}, row, single));
  CHECK(!bound(Dims{5000}, {DType::float64, Dims{5000}}, {DType::float64, Dims{5000}}));
}
