#include "tapegrad/kernels/reduce/reduce_plan.h"

#include <array>
#include <cstdlib>

#include "tapegrad/rows/reduce_loops.h"
#include "tapegrad/rows/strided.h"

namespace tapegrad {
namespace {

void take_out(Dims& d, size_t i) {
  std::copy(d.begin() + i + 1, d.end(), d.begin() + i);
  d.resize(d.size() - 1);
}

}  // namespace

template <class T>
ReductionPlan<T> plan_reduction(const Value& v, const Dims& reduced) {
  ReductionPlan<T> g;
  g.data = v.data<T>();
  const int64_t* strides = v.layout()->strides();
  Dims order;  // reduced axes by descending stride
  for (int axis = 0; axis < v.ndim(); ++axis)
    if (reduced[static_cast<size_t>(axis)]) order.push_back(axis);
  std::sort(order.begin(), order.end(), [strides](int64_t a, int64_t b) {
    const int64_t x = std::abs(strides[a]), y = std::abs(strides[b]);
    return x != y ? x > y : a < b;
  });
  std::array<Dims, 1> red_in;
  for (int64_t at : order) {
    const int axis = static_cast<int>(at);
    g.red.push_back(v.dim(axis));
    red_in[0].push_back(std::abs(strides[axis]));
    if (strides[axis] < 0) g.data += (v.dim(axis) - 1) * strides[axis];
  }
  coalesce_axes<1>(g.red, red_in);
  g.red_in = red_in[0];
  if (!g.red.empty()) {
    g.n = g.red.back();
    g.step = g.red_in.back();
    g.red.resize(g.red.size() - 1);
    g.red_in.resize(g.red_in.size() - 1);
  }

  for (int axis = 0; axis < v.ndim(); ++axis) {
    if (reduced[static_cast<size_t>(axis)]) continue;
    g.kept.push_back(v.dim(axis));
    g.kept_in.push_back(strides[axis]);
  }
  std::array<Dims, 2> kept_strides{g.kept_in, contiguous_strides(g.kept)};
  coalesce_axes<2>(g.kept, kept_strides);
  g.kept_in = kept_strides[0];
  g.kept_out = kept_strides[1];
  if (!g.kept.empty()) {
    size_t best = g.kept.size() - 1;
    for (size_t i = g.kept.size(); i-- > 0;)
      if (std::abs(g.kept_in[i]) < std::abs(g.kept_in[best])) best = i;
    if (std::abs(g.kept_in[best]) < g.step && g.n > 1) {
      g.by_columns = true;
      g.columns = g.kept[best];
      g.column_step = g.kept_in[best];
      g.column_out = g.kept_out[best];
      g.blocks = (g.columns + column_width - 1) / column_width;
      take_out(g.kept, best);
      take_out(g.kept_in, best);
      take_out(g.kept_out, best);
    }
  }
  g.chunk = g.by_columns ? column_rows : fold_chunk;
  g.parts = (g.n + g.chunk - 1) / g.chunk;
  g.chunks = element_count(g.red) * g.parts;
  g.tasks = element_count(g.kept) * g.blocks;
  return g;
}

template ReductionPlan<double> plan_reduction(const Value&, const Dims&);
template ReductionPlan<float> plan_reduction(const Value&, const Dims&);
template ReductionPlan<int64_t> plan_reduction(const Value&, const Dims&);
template ReductionPlan<uint64_t> plan_reduction(const Value&, const Dims&);

}  // namespace tapegrad
