#include "tapegrad/kernels/array/whole.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/tape/rule.h"

// Arithmetic on whole numbers, for positions that are computed from others: attribute (dtype), the
// number of the integer dtype that it is done in. Whole numbers have no derivative.

namespace tapegrad {
namespace {

std::vector<TensorType> infer_whole(const Attrs& attrs, std::span<const TensorType> in) {
  const Dims shape = broadcast_shapes(in[0].shape, in.back().shape, "arithmetic on whole numbers");
  return {{static_cast<DType>(attrs.integer(0)), shape}};
}

template <WholeFn f>
void eval(const Attrs& attrs, std::span<Value> in, std::span<Value> out) {
  out[0] = eval_whole(f, static_cast<DType>(attrs.integer(0)), in[0], in.back());
}

template <WholeFn f>
void add(const char* name, int n_in, const char* summary) {
  register_op({.name = name,
               .n_in = n_in,
               .infer = infer_whole,
               .eval = eval<f>,
               .vjp = [](VjpContext&) {},
               .jvp = [](JvpContext&) {},
               .summary = summary});
}

}  // namespace

void register_whole_ops() {
  add<WholeFn::add>("int_add", 2, "(dtype): a + b of whole numbers");
  add<WholeFn::subtract>("int_subtract", 2, "(dtype): a - b of whole numbers");
  add<WholeFn::multiply>("int_multiply", 2, "(dtype): a * b of whole numbers");
  add<WholeFn::floor_divide>("int_floor_divide", 2, "(dtype): a // b of whole numbers");
  add<WholeFn::remainder>("int_remainder", 2, "(dtype): a % b of whole numbers");
  add<WholeFn::minimum>("int_minimum", 2, "(dtype): the lesser of two whole numbers");
  add<WholeFn::maximum>("int_maximum", 2, "(dtype): the greater of two whole numbers");
  add<WholeFn::positive>("int_positive", 1, "(dtype): whole numbers as those of another dtype");
  add<WholeFn::negative>("int_negative", 1, "(dtype): -a of whole numbers");
  add<WholeFn::absolute>("int_absolute", 1, "(dtype): abs(a) of whole numbers");
}

}  // namespace tapegrad
