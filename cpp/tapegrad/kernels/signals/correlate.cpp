#include "tapegrad/kernels/signals/correlate.h"

#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/correlate_loops.h"

namespace tapegrad {
namespace {

// Blocks of outputs that stay in the cache next to the processor.
constexpr int64_t block = 1024;
// So few outputs are summed one by one: a vector along them would be half empty.
constexpr int64_t few = 32;

template <class T>
void run(const Value& a, const Value& v, int64_t left, const Value& out) {
  const int64_t n = a.shape().back(), m = v.shape().back(), outputs = out.shape().back();
  const int64_t stack = out.size() / outputs, blocks = (outputs + block - 1) / block;
  const CorrelateLoops<T>& loops = correlate_loops<T>();
  const auto loop = outputs <= few && m > outputs ? loops.by_sums : loops.by_shifts;
  const double ns = 0.1 * static_cast<double>(std::min(block, outputs) * std::min(m, n));
  parallel_for(stack * blocks, 1, ns, [&](int64_t first, int64_t last) {
    for (int64_t k = first; k < last; ++k) {
      const int64_t s = k / blocks, begin = k % blocks * block;
      loop(a.data<T>() + s * n, n, left, v.data<T>() + s * m, m, begin,
           std::min(begin + block, outputs), out.data<T>() + s * outputs + begin);
    }
  });
}

}  // namespace

Value correlate_values(const Value& a, const Value& v, int64_t left, int64_t right) {
  Dims shape = a.shape();
  shape[shape.size() - 1] += left + right - v.shape().back() + 1;
  const Value out = Value::empty(a.dtype(), shape);
  if (out.size() == 0) return out;
  if (a.dtype() == DType::float32) {
    run<float>(a.contiguous(), v.contiguous(), left, out);
  } else {
    run<double>(a.contiguous(), v.contiguous(), left, out);
  }
  return out;
}

}  // namespace tapegrad
