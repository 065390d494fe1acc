#include "tapegrad/lanes/partials/lanes.h"

#include <algorithm>
#include <array>

#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/lanes/partials/lanes_bound.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/cpu.h"
#include "tapegrad/rows/lanes_table.h"

namespace tapegrad {

namespace isa_v1 {
void fill_lanes(LaneKernels<double>& f64, LaneKernels<float>& f32);
}
namespace isa_v3 {
void fill_lanes(LaneKernels<double>& f64, LaneKernels<float>& f32);
}
namespace isa_v4 {
void fill_lanes(LaneKernels<double>& f64, LaneKernels<float>& f32);
}

namespace {

// Ready to be written in place: a packed buffer that nobody else has.
void own(Value& v) {
  if (!v.is_scalar() && !(v.owns_buffer() && v.is_contiguous())) v = packed_copy(v);
}

struct BothLaneKernels {
  LaneKernels<double> f64;
  LaneKernels<float> f32;
};

const BothLaneKernels& both_lane_kernels() {
  static const BothLaneKernels kernels = [] {
    BothLaneKernels k{};
    switch (isa_level()) {
#if TAPEGRAD_HIGHEST_ISA >= 4
      case IsaLevel::v4:
        isa_v4::fill_lanes(k.f64, k.f32);
        break;
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
      case IsaLevel::v3:
        isa_v3::fill_lanes(k.f64, k.f32);
        break;
#endif
      default:
        isa_v1::fill_lanes(k.f64, k.f32);
    }
    return k;
  }();
  return kernels;
}

// The operands that are read; null for the others.
struct OperandList {
  std::array<const Value*, Operands<double>::most> items{};
  size_t count = 0;
  bool all_scalars = true;

  OperandList(const ScalarProgram& p, std::span<const Value> inputs) {
    for (size_t i = 0; i <= static_cast<size_t>(p.n_inputs); ++i) {
      const unsigned bit =
          i == static_cast<size_t>(p.n_inputs) ? ScalarProgram::reads_output : 1u << i;
      add(p.reads & bit ? &inputs[i] : nullptr);
    }
  }
  void add(const Value* v) {
    if (v && !v->is_scalar()) all_scalars = false;
    items[count++] = v;
  }
  std::span<const Value* const> span() const { return {items.data(), count}; }
};

template <class T>
T at_scalars(const ScalarProgram& p, const OperandList& operands) {
  T x[4] = {};
  for (size_t i = 0; i <= static_cast<size_t>(p.n_inputs); ++i)
    if (operands.items[i]) x[i] = scalar_as<T>(*operands.items[i]);
  return eval_program(p, x);
}

template <class T>
void run_program_as(const ScalarProgram& p, std::span<const Value> inputs, Value& out) {
  const OperandList operands(p, inputs);
  Dims shape = inputs[0].shape();
  for (const Value& v : inputs.subspan(1))
    shape = broadcast_shapes(shape, v.shape(), "run_program");
  const DType d = out.dtype();
  if (shape.empty()) {
    out = Value::scalar(static_cast<double>(at_scalars<T>(p, operands)), d);
    return;
  }
  Value result = Value::empty(d, shape);
  const Lanes<T> lanes(p, operands.span(), shape);
  lanes.run_into(cost_of(p), result.data<T>());
  out = std::move(result);
}

template <class T>
T strong_product(const ScalarProgram& partial, T ct, T p) {
  if (partial.is_mask) return p != 0 ? ct : T(0);
  return ct == 0 || (partial.strong && p == 0) ? T(0) : ct * p;
}

template <class T>
void accumulate_product_as(const ScalarProgram& partial, std::span<const Value> inputs,
                           const Value& ct, Value& adjoint, bool accumulate) {
  const DType d = dtype_of<T>();
  if (partial.constant == 1.0) {
    if (accumulate) {
      add_in_place(adjoint, ct);
    } else {
      adjoint = ct;
    }
    return;
  }
  OperandList operands(partial, inputs);
  operands.add(&ct);
  if (operands.all_scalars) {
    const T product = strong_product(partial, scalar_as<T>(ct), at_scalars<T>(partial, operands));
    if (!accumulate) {
      adjoint = Value::scalar(static_cast<double>(product), d);
    } else if (adjoint.is_scalar()) {
      adjoint.set_scalar(static_cast<double>(static_cast<T>(adjoint.as_double()) + product));
    } else {
      add_in_place(adjoint, Value::scalar(static_cast<double>(product), d));
    }
    return;
  }
  Dims shape = ct.shape();
  for (const Value* v : operands.span())
    if (v) shape = broadcast_shapes(shape, v->shape(), "accumulate_product");
  if (accumulate) {
    own(adjoint);
  } else {
    adjoint = Value::empty(d, shape);
  }
  T* to = adjoint.data<T>();
  const Lanes<T> lanes(partial, operands.span(), shape);
  const Landing<T> product(partial);
  lanes.run(cost_of(partial), [&](int64_t i, int64_t n, auto p, auto c) {
    const unsigned uniform = (c.uniform ? 1u : 0u) | (p.uniform ? 2u : 0u);
    if (accumulate) {
      product.add(to + i, c.data, p.data, n, uniform);
    } else {
      product.set(to + i, c.data, p.data, n, uniform);
    }
  });
}

template <class T>
void add_in_place_as(Value& to, const Value& v) {
  if (to.is_scalar()) {
    to.set_scalar(static_cast<double>(static_cast<T>(to.as_double()) + scalar_as<T>(v)));
    return;
  }
  own(to);
  const Value* values[] = {&v};
  const Operands<T> operands(values, to.shape());
  const LaneKernels<T>& sums = lane_kernels<T>();
  parallel_for(to.size(), lane_grain, 0.5, [&](int64_t begin, int64_t end) {
    T scratch[lane_grain];
    for (int64_t i = begin; i < end;) {
      const int64_t most = operands.is_direct(0) ? end - i : std::min(lane_grain, end - i);
      const int64_t n = operands.block_length(i, most);
      const auto block = operands.read(0, i, n, scratch);
      sums.add(to.data<T>() + i, block.data, n, block.uniform ? 1u : 0u);
      i += n;
    }
  });
}

}  // namespace

template <>
const LaneKernels<double>& lane_kernels() {
  return both_lane_kernels().f64;
}

template <>
const LaneKernels<float>& lane_kernels() {
  return both_lane_kernels().f32;
}

void run_program(const ScalarProgram& p, std::span<const Value> inputs, Value& out) {
  if (out.dtype() == DType::float32) {
    run_program_as<float>(p, inputs, out);
  } else {
    run_program_as<double>(p, inputs, out);
  }
}

void accumulate_product(const ScalarProgram& partial, std::span<const Value> inputs,
                        const Value& ct, Value& adjoint, bool accumulate) {
  if (ct.dtype() == DType::float32) {
    accumulate_product_as<float>(partial, inputs, ct, adjoint, accumulate);
  } else {
    accumulate_product_as<double>(partial, inputs, ct, adjoint, accumulate);
  }
}

void add_in_place(Value& to, const Value& v) {
  if (to.dtype() == DType::float32) {
    add_in_place_as<float>(to, v);
  } else {
    add_in_place_as<double>(to, v);
  }
}

}  // namespace tapegrad
