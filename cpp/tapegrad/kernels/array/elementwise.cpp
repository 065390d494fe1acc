#include "tapegrad/kernels/array/elementwise.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "tapegrad/kernels/array/fingerprint.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/elementwise_operands.h"

namespace tapegrad {
namespace {

constexpr int64_t block_elements = 1024;
constexpr int64_t most_short = 128;  // elements of arrays that are converted as a whole
static_assert(block_elements == fingerprint_chunk);

// One call of eval_elementwise in the type T.
template <class T>
class Evaluation {
 public:
  Evaluation(ScalarFn f, std::span<const Value> in, Value& out, uint64_t* fingerprints)
      : f_(f),
        info_(scalar_fn_info(f)),
        kernel_(elementwise_kernel<T>(f)),
        in_(in),
        out_(out),
        fingerprints_(fingerprints) {}

  void run() {
    bool wanted = false;
    for (size_t k = 0; fingerprints_ && k < in_.size(); ++k) wanted |= fingerprints_[k] != 0;
    if (all_scalars()) {
      run_scalar();
    } else if (!wanted && same_layout()) {
      run_packed();
    } else if (!wanted && are_short()) {
      run_short();
    } else {
      run_general(wanted);
      return;
    }
    if (wanted) finish_fingerprints();
  }

 private:
  bool all_scalars() const {
    for (const Value& v : in_)
      if (!v.is_scalar()) return false;
    return true;
  }

  void run_scalar() {
    T x[3] = {};
    for (size_t k = 0; k < in_.size(); ++k) x[k] = scalar_as<T>(in_[k]);
    const T y = eval_scalar_as<T>(f_, x[0], x[1], x[2]);
    const DType d = out_.dtype();
    out_ = is_bool(d) ? Value::integer_scalar(y != 0, d) : Value::scalar(static_cast<double>(y), d);
  }

  // Arrays of T, contiguous and of one shape, and scalars.
  bool same_layout() {
    const Value* first = nullptr;
    for (const Value& v : in_) {
      if (v.is_scalar()) continue;
      if (v.dtype() != dtype_of<T>() || !v.is_contiguous()) return false;
      if (!first) {
        first = &v;
      } else if (!v.same_shape(*first)) {
        return false;
      }
    }
    array_ = first;
    return true;
  }

  void run_packed() {
    Value out = Value::empty_like(*array_, out_.dtype());
    T scalars[3];
    const T* data[3] = {};
    unsigned uniform = 0;
    for (size_t k = 0; k < in_.size(); ++k) {
      if (in_[k].is_scalar()) {
        scalars[k] = scalar_as<T>(in_[k]);
        data[k] = &scalars[k];
        uniform |= 1u << k;
      } else {
        data[k] = in_[k].template data<T>();
      }
    }
    auto at = [&](int k, int64_t i) {
      return data[k] && !(uniform >> k & 1) ? data[k] + i : data[k];
    };
    const auto range = [&](int64_t begin, int64_t end) {
      compute(out, begin, end - begin, at(0, begin), at(1, begin), at(2, begin), uniform);
    };
    parallel_for(out.size(), block_elements, info_.ns, range);
    out_ = std::move(out);
  }

  // Contiguous arrays of one shape, some of another dtype: the mask of where(mask, x, y).
  bool are_short() {
    array_ = nullptr;
    for (const Value& v : in_) {
      if (v.is_scalar()) continue;
      if (!v.is_contiguous() || v.size() > most_short || (array_ && !v.same_shape(*array_)))
        return false;
      array_ = &v;
    }
    return true;
  }

  void run_short() {
    Value out = Value::empty_like(*array_, out_.dtype());
    T scratch[3][most_short];
    const T* data[3] = {};
    unsigned uniform = 0;
    for (size_t k = 0; k < in_.size(); ++k) {
      const Value& v = in_[k];
      data[k] = scratch[k];
      if (v.is_scalar()) {
        scratch[k][0] = scalar_as<T>(v);
        uniform |= 1u << k;
      } else if (v.dtype() == dtype_of<T>()) {
        data[k] = v.template data<T>();
      } else {
        strided_gather<T>(v.dtype())(scratch[k], v.raw(), 0, 1, v.size());
      }
    }
    compute(out, 0, out.size(), data[0], data[1], data[2], uniform);
    out_ = std::move(out);
  }

  void compute(const Value& out, int64_t begin, int64_t n, const T* a, const T* b, const T* c,
               unsigned uniform) const {
    if (is_bool(out.dtype())) {
      kernel_.test(out.data<bool>() + begin, a, b, n, uniform);
    } else {
      kernel_.loop(out.data<T>() + begin, a, b, c, n, uniform);
    }
  }

  void run_general(bool wanted) {
    Dims shape = in_[0].shape();
    for (size_t k = 1; k < in_.size(); ++k)
      shape = broadcast_shapes(shape, in_[k].shape(), info_.name);
    Value out = Value::empty(out_.dtype(), shape);
    const Value* pointers[3] = {};
    for (size_t k = 0; k < in_.size(); ++k) pointers[k] = &in_[k];
    const Operands<T> operands({pointers, in_.size()}, shape);
    const int arity = static_cast<int>(in_.size());
    std::array<std::atomic<uint64_t>, 3> sums{};
    for (int k = 0; k < arity; ++k)
      fused_[static_cast<size_t>(k)] = wanted && fingerprints_[k] != 0 && operands.is_direct(k);
    const double ns = info_.ns + (wanted ? 0.5 : 0.0) + 0.3;

    parallel_for(out.size(), block_elements, ns, [&](int64_t begin, int64_t end) {
      T scratch[3][block_elements];
      uint64_t parts[3] = {};
      for (int64_t i = begin; i < end;) {
        // Blocks do not cross chunks, so that each chunk is hashed when its last block is done.
        const int64_t most = std::min(block_elements - i % block_elements, end - i);
        const int64_t n = operands.block_length(i, most);
        typename Operands<T>::Block blocks[3] = {};
        unsigned uniform = 0;
        for (int k = 0; k < arity; ++k) {
          blocks[k] = operands.read(k, i, n, scratch[k]);
          uniform |= blocks[k].uniform ? 1u << k : 0u;
        }
        compute(out, i, n, blocks[0].data, blocks[1].data, blocks[2].data, uniform);
        i += n;
        if (!wanted) continue;
        const int64_t chunk = (i - 1) / block_elements * block_elements;
        if (i == end || i % block_elements == 0)
          for (int k = 0; k < arity; ++k)
            if (fused_[static_cast<size_t>(k)])
              parts[k] += fingerprint_part(in_[static_cast<size_t>(k)].template data<T>() + chunk,
                                           i - chunk, sizeof(T), chunk);
      }
      for (int k = 0; k < arity; ++k)
        if (parts[k]) sums[static_cast<size_t>(k)].fetch_add(parts[k], std::memory_order_relaxed);
    });
    for (size_t k = 0; k < 3; ++k)
      if (fused_[k]) fingerprints_[k] = fingerprint_finish(sums[k].load(), out.size());
    if (wanted) finish_fingerprints();
    out_ = std::move(out);
  }

  // Those that were not taken on the way.
  void finish_fingerprints() {
    for (size_t k = 0; k < in_.size(); ++k)
      if (fingerprints_[k] != 0 && !fused_[k]) fingerprints_[k] = fingerprint(in_[k]);
  }

  ScalarFn f_;
  const ScalarFnInfo& info_;
  const ElementwiseKernel<T>& kernel_;
  std::span<const Value> in_;
  Value& out_;
  uint64_t* fingerprints_;
  const Value* array_ = nullptr;
  std::array<bool, 3> fused_{};
};

bool computes_in_float32(std::span<const Value> in, DType out) {
  if (!is_bool(out)) return out == DType::float32;
  DType common = in[0].dtype();
  for (const Value& v : in) common = promote(common, v.dtype());
  return common == DType::float32;
}

}  // namespace

void eval_elementwise(ScalarFn f, std::span<const Value> in, Value& out, uint64_t* fingerprints) {
  if (computes_in_float32(in, out.dtype())) {
    Evaluation<float>(f, in, out, fingerprints).run();
  } else {
    Evaluation<double>(f, in, out, fingerprints).run();
  }
}

}  // namespace tapegrad
