#include "tapegrad/kernels/fused/lane_shifted.h"

#include "check.h"
#include "kernels/fused/lane_maker.h"
#include "kernels/random_values.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;

namespace {

bool is_within(const LaneWindow& w, int64_t lane) {
  for (const LaneWindow::Range& r : w.ranges)
    if (lane % r.period < r.begin || lane % r.period >= r.end) return false;
  return true;
}

}  // namespace

TEST(a_box_is_its_axes) {
  const int64_t space[] = {4, 5, 6}, starts[] = {1, 0, 2}, lengths[] = {2, 5, 3};
  const LaneWindow w = window_of_box(space, starts, lengths);
  CHECK(w.ranges.size() == 2);
  int64_t lane = 0, inside = 0;
  for (int64_t i = 0; i < 4; ++i)
    for (int64_t j = 0; j < 5; ++j)
      for (int64_t k = 0; k < 6; ++k, ++lane) {
        const bool within = i >= 1 && i < 3 && k >= 2 && k < 5;
        CHECK(is_within(w, lane) == within);
        inside += within;
      }
  CHECK(inside == 30);
}

TEST(runs_cover_the_window_once) {
  const int64_t space[] = {5, 4, 7}, starts[] = {1, 2, 1}, lengths[] = {3, 2, 5};
  for (const LaneWindow& w : {window_of_box(space, starts, lengths), LaneWindow{},
                              LaneWindow{{{140, 3, 3}}}, LaneWindow{{{140, 17, 139}}}})
    for (int64_t first = 0; first < 140; first += 9)
      for (int64_t n : {1, 5, 64, 140}) {
        std::vector<int> hits(static_cast<size_t>(n), 0);
        w.for_runs(first, n, [&](int64_t from, int64_t to) {
          for (int64_t i = from; i < to; ++i) ++hits[static_cast<size_t>(i)];
        });
        for (int64_t i = 0; i < n && first + i < 140; ++i)
          CHECK(hits[static_cast<size_t>(i)] == is_within(w, first + i));
      }
}

// y = (square x, shifted) added to z in one window, and x set in another.
TEST(inputs_are_shifted_and_windows_hold) {
  for (const DType dtype : {DType::float64, DType::float32})
    for (const int64_t n : {1, 2, 15, 64, 129, 1000, 20001})
      for (const int64_t offset : {0, 1, -1, 17, -130, 5000, -5000}) {
        Maker m(2, dtype);
        const uint32_t zero = m.constant(0.0);
        const uint32_t sum = m.call(window_add, zero, m.call<Square>(0), 0);
        const uint32_t both = m.call(window_set, sum, 1, 1);
        m.store(sum);
        m.store(both);
        m.sum(both);
        m.k.offsets = {offset, no_offset};
        m.k.boxes.resize(2);
        m.k.windows = {{{{n, n / 4, n - n / 8}}}, {{{n, n - 1, n}}}};
        const LaneProgram program(m.k);
        const Value x = random_array(Dims{n / 2 + 1}, 3, dtype);
        const Value z = random_array(Dims{n}, 4, dtype);
        Value first = Value::empty(dtype, Dims{n}), second = Value::empty(dtype, Dims{n});
        for (int64_t i = 0; i < n; ++i) {
          const bool beside = i < offset || i - offset >= x.size();
          const double v = beside ? -0.0 : x.at(i - offset);
          const double squared =
              dtype == DType::float32
                  ? static_cast<double>(static_cast<float>(v) * static_cast<float>(v))
                  : v * v;
          first.set_at(i, is_within(m.k.windows[0], i) ? 0.0 + squared : 0.0);
          second.set_at(i, i == n - 1 ? z.at(i) : first.at(i));
        }
        for (int threads : {1, 2, 3}) {
          const UseThreads use(threads);
          std::vector<Value> out(3);
          program.run(std::vector<Value>{x, z}, Dims{n}, out);
          CHECK(same_numbers(out[0], first) && same_numbers(out[1], second));
        }
      }
}

TEST(a_shifted_input_may_have_any_layout) {
  Maker m(1);
  m.store(m.call<Negative>(0));
  m.k.offsets = {-3};
  m.k.boxes.resize(1);
  const LaneProgram program(m.k);
  const Value x = random_array(Dims{5, 4}, 3, DType::float32);
  const Value turned = x.view(Dims{4, 5}, Dims{1, 4}, 0);
  std::vector<Value> out(1);
  program.run(std::vector<Value>{turned}, Dims{2, 5}, out);
  for (int64_t i = 0; i < 10; ++i) CHECK(out[0].at(i) == -turned.contiguous().at(i + 3));
}

TEST(an_input_may_fill_a_box) {
  const Dims space{6, 50, 7}, start{2, 3, 1}, shape{3, 40, 5};
  for (const DType dtype : {DType::float64, DType::float32}) {
    Maker m(1);
    const uint32_t two = m.constant(2.0);
    m.store(m.call(window_add, two, 0, 0));
    m.k.offsets = {(start[0] * space[1] + start[1]) * space[2] + start[2]};
    m.k.boxes = m.k.windows = {window_of_box(space, start, shape)};
    const LaneProgram program(m.k);
    const Value x = random_array(shape, 3, dtype);
    for (int threads : {1, 3}) {
      const UseThreads use(threads);
      std::vector<Value> out(1);
      program.run(std::vector<Value>{x}, space, out);
      int64_t lane = 0, element = 0;
      for (int64_t i = 0; i < space[0]; ++i)
        for (int64_t j = 0; j < space[1]; ++j)
          for (int64_t k = 0; k < space[2]; ++k, ++lane) {
            const bool within = i >= 2 && i < 5 && j >= 3 && j < 43 && k >= 1 && k < 6;
            CHECK(out[0].at(lane) == (within ? 2.0 + x.at(element++) : 2.0));
          }
    }
  }
}

TEST(numbers_are_checked) {
  Maker window(1);
  window.store(window.call(window_add, 0, 0, 0));
  CHECK_THROWS(ValueError, LaneProgram(window.k));
  Maker offsets(2);
  offsets.store(offsets.call<Add>(0, 1));
  offsets.k.offsets = {1};
  CHECK_THROWS(ValueError, LaneProgram(offsets.k));
}
