#include "tapegrad/kernels/fused/bound/bound_windows.h"

#include "kernels/fused/bound/check_bound.h"

using namespace tapegrad;

TEST(equal_windows_share_a_mask_and_operands_are_numbered_anew) {
  Maker m(2);
  const uint32_t half = m.constant(0.5);
  m.k.windows = {window_of_box(Dims{20}, Dims{3}, Dims{4}),
                 window_of_box(Dims{20}, Dims{3}, Dims{4}),
                 window_of_box(Dims{20}, Dims{9}, Dims{1})};
  const uint32_t a = m.call(window_add, 0, 1, 0), b = m.call(window_set, a, half, 1);
  m.store(m.call<Multiply>(m.call(window_add, b, a, 2), half));
  const MaskedKernel masked = windows_as_masks(m.k);
  CHECK(masked.masks.size() == 2 && masked.kernel.n_inputs == 4);
  CHECK(masked.kernel.windows.empty() && masked.kernel.code.size() == 6);
  for (const ScalarTape::Instruction& code : masked.kernel.code) CHECK(!is_window_fn(code.fn));
  check_bound(m.k, Dims{20}, {numbers(20, 1), numbers(20, 2)});
}

TEST(what_is_beside_a_window_leaves_no_trace) {
  Maker m(2);  // a NaN there, and the sign of a zero
  m.k.windows = {window_of_box(Dims{12}, Dims{2}, Dims{3})};
  m.store(m.call(window_add, 0, 1, 0));
  Value base = numbers(12, 1), update = Value::full(DType::float64, Dims{12}, std::nan(""));
  base.set_at(7, -0.0);
  for (int64_t i = 2; i < 5; ++i) update.set_at(i, 0.5);
  check_bound(m.k, Dims{12}, {base, update});
}

TEST(a_kernel_without_windows_stays_as_it_is) {
  Maker m(2);
  m.store(m.call<Add>(0, 1));
  const MaskedKernel same = windows_as_masks(m.k);
  CHECK(same.masks.empty() && to_string(same.kernel) == to_string(m.k));
}
