#include "tapegrad/kernels/array/whole.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/tape/rule.h"

// Arithmetic on integers, for positions that are computed from others. The attribute is the number
// of the integer dtype that it is done in. Integers have no derivative.

namespace tapegrad {
namespace {

constexpr AttrKey dtype_key{0, "dtype"};

std::vector<TensorType> infer_whole(const Attrs& attrs, std::span<const TensorType> in) {
  const Dims shape = broadcast_shapes(in[0].shape, in.back().shape, "arithmetic on integers");
  return {{static_cast<DType>(attrs.integer(dtype_key)), shape}};
}

template <WholeFn f>
void eval(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = eval_whole(f, static_cast<DType>(attrs.integer(dtype_key)), in[0], in.back());
}

template <WholeFn f>
void add(const char* name, int n_in, const char* summary) {
  register_op({.name = name,
               .n_in = n_in,
               .attrs = {{dtype_key, attr_kind::integer}},
               .infer = infer_whole,
               .eval = eval<f>,
               .vjp = [](VjpContext&) {},
               .jvp = [](JvpContext&) {},
               .by_element = true,
               .summary = summary});
}

}  // namespace

void register_whole_ops() {
  add<WholeFn::add>("int_add", 2, "a + b of integers");
  add<WholeFn::subtract>("int_subtract", 2, "a - b of integers");
  add<WholeFn::multiply>("int_multiply", 2, "a * b of integers");
  add<WholeFn::floor_divide>("int_floor_divide", 2, "a // b of integers");
  add<WholeFn::remainder>("int_remainder", 2, "a % b of integers");
  add<WholeFn::minimum>("int_minimum", 2, "the lesser of two integers");
  add<WholeFn::maximum>("int_maximum", 2, "the greater of two integers");
  add<WholeFn::positive>("int_positive", 1, "integers as those of another dtype");
  add<WholeFn::negative>("int_negative", 1, "-a of integers");
  add<WholeFn::absolute>("int_absolute", 1, "abs(a) of integers");
}

}  // namespace tapegrad
