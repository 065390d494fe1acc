#include "tapegrad/lanes/partials/lanes_products.h"

#include <deque>
#include <optional>

#include "tapegrad/lanes/partials/lanes_bound.h"

namespace tapegrad {
namespace {

// Scratch of a thread, with room beside it for what streams through: half of a small second-level
// cache.
constexpr size_t scratch_goal = 128 * 1024;

template <class T>
struct BoundStep {
  BoundStep(const ProductStep& s, const ScalarProgram& p, const Dims& shape)
      : kind(s.kind),
        from(s.from),
        to(s.to),
        partial(p, {s.inputs.data(), static_cast<size_t>(p.n_inputs) + 1}, shape) {}

  ProductStep::Kind kind;
  uint32_t from, to;
  Lanes<T> partial;
  std::optional<Landing<T>> product;  // none: the partial is 1, or the step is a load
};

// A load is the program x0.
const ScalarProgram& identity() {
  static const ScalarProgram p = [] {
    ScalarProgram made;
    made.n_inputs = 1;
    made.result = 0;
    made.finish();
    return made;
  }();
  return p;
}

template <class T>
class Products {
 public:
  Products(std::span<const ProductStep> steps, uint32_t scratch_places, std::span<Value> memory,
           const Dims& shape)
      : scratch_places_(scratch_places), size_(element_count(shape)) {
    for (const ProductStep& s : steps) add(s, shape);
    for (Value& v : memory) memory_.push_back(v.data<T>());
    block_ = std::clamp<int64_t>(
        static_cast<int64_t>(scratch_goal / sizeof(T)) / (scratch_places + 4), 256, 1024);
    block_ = block_ / 64 * 64;
    for (BoundStep<T>& s : steps_) {
      s.partial.limit_block(block_);
      inner_bytes_ = std::max(inner_bytes_, s.partial.scratch_bytes());
    }
  }

  void run() const {
    parallel_for(size_, lane_grain, ns_, [&](int64_t begin, int64_t end) {
      const size_t place_bytes = static_cast<size_t>(block_ * scratch_places_) * sizeof(T);
      Scratch scratch(place_bytes + inner_bytes_);
      std::array<typename Lanes<T>::Block, Lanes<T>::most_operands> blocks;
      std::array<T, Lanes<T>::most_operands> uniform;
      T* const places = scratch.template data<T>();
      T* const inner = places + block_ * scratch_places_;
      for (int64_t i = begin, n; i < end; i += n) {
        n = std::min(block_, end - i);
        for (const BoundStep<T>& s : steps_) n = s.partial.block_length(i, n);
        for (const BoundStep<T>& s : steps_) {
          T* const to = place(s.to, places, i);
          const T* const from = place(s.from, places, i);
          if (s.product) {
            const auto p = s.partial.compute(i, n, inner, blocks.data(), uniform.data(), nullptr);
            const unsigned mask = p.uniform ? 2u : 0u;
            if (s.kind == ProductStep::Kind::set) {
              s.product->set(to, from, p.data, n, mask);
            } else {
              s.product->add(to, from, p.data, n, mask);
            }
          } else if (s.kind == ProductStep::Kind::add) {
            lane_kernels<T>().add(to, from, n, 0);
          } else if (s.kind == ProductStep::Kind::set) {
            std::copy_n(from, n, to);
          } else {
            const auto v = s.partial.compute(i, n, inner, blocks.data(), uniform.data(), nullptr);
            if (v.uniform) {
              std::fill_n(to, n, *v.data);
            } else {
              std::copy_n(v.data, n, to);
            }
          }
        }
      }
    });
  }

 private:
  void add(const ProductStep& s, const Dims& shape) {
    const ScalarProgram& p = s.partial ? *s.partial : identity();
    const bool multiplies = s.partial != nullptr && p.constant != 1.0;
    steps_.emplace_back(s, p, shape);
    if (multiplies) steps_.back().product.emplace(p);
    ns_ += multiplies ? cost_of(p) : 0.2;
  }

  T* place(uint32_t k, T* places, int64_t begin) const {
    return k < scratch_places_ ? places + block_ * k : memory_[k - scratch_places_] + begin;
  }

  uint32_t scratch_places_;
  int64_t size_, block_ = 0;
  size_t inner_bytes_ = 0;
  double ns_ = 0;
  std::deque<BoundStep<T>> steps_;
  std::vector<T*> memory_;
};

}  // namespace

void run_products(std::span<const ProductStep> steps, uint32_t scratch_places,
                  std::span<Value> memory, const TensorType& type) {
  if (type.dtype == DType::float32) {
    Products<float>(steps, scratch_places, memory, type.shape).run();
  } else {
    Products<double>(steps, scratch_places, memory, type.shape).run();
  }
}

}  // namespace tapegrad
