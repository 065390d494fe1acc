#include "tapegrad/program/run/static/static_kernels.h"

#include "kernels/fused/bound/check_bound.h"
#include "program/programs.h"

using namespace programs;
using tapegrad::check_bound;
using tapegrad::kernel_of_step;

namespace {

bool has_kernel(const char* name, const std::vector<TensorType>& in) {
  Draft d;
  std::vector<ValueId> operands;
  for (const TensorType& t : in) operands.push_back(d.input(t));
  const Program p = operands.size() == 1 ? d.returning({d.op(name, {operands[0]})})
                    : operands.size() == 2
                        ? d.returning({d.op(name, {operands[0], operands[1]})})
                        : d.returning({d.op(name, {operands[0], operands[1], operands[2]})});
  return kernel_of_step(p, p.steps[0]).has_value();
}

}  // namespace

TEST(a_function_of_numbers_is_a_kernel) {
  const TensorType row{DType::float64, {9}}, single{DType::float32, {9}}, mask{DType::bool_, {9}},
      whole{DType::int64, {9}};
  CHECK(has_kernel("sin", {row}) && has_kernel("add", {single, single}));
  CHECK(has_kernel("where", {mask, row, row}) && has_kernel("less", {row, row}));
  CHECK(!has_kernel("add", {whole, whole}) && !has_kernel("logical_and", {mask, mask}));
  Draft d;
  const Program p = d.returning({d.op("roll", {d.input({9})}, {Ints{2}, Attr{}})});
  CHECK(!kernel_of_step(p, p.steps[0]));
}

TEST(masks_become_numbers) {
  Value mask = Value::empty(DType::bool_, Dims{70});
  for (int64_t i = 0; i < 70; ++i) mask.data<bool>()[i] = i % 3 == 0;
  for (const DType dtype : {DType::float64, DType::float32}) {
    check_bound(tapegrad::kernel_of_mask(dtype), Dims{70}, {mask});
    std::vector<Value> out(1);
    tapegrad::LaneProgram(tapegrad::kernel_of_mask(dtype)).run({{mask}}, Dims{70}, out);
    for (int64_t i = 0; i < 70; ++i) CHECK(out[0].at(i) == (i % 3 == 0 ? 1 : 0));
  }
}

TEST(a_kernel_without_gathers_reads_what_was_picked) {
  tapegrad::LaneKernel kernel;
  kernel.n_inputs = 1;
  kernel.n_indices = 1;
  kernel.gathers = {{0, 0, 0}};
  const tapegrad::LaneKernel plain = without_gathers(kernel);
  CHECK(plain.gathers.empty() && plain.n_indices == 0 && plain.n_inputs == 1);
}
