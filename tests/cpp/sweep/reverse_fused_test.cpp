#include <cmath>
#include <vector>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/scalar/functions/functions.h"

// Long arrays are swept in fused stretches, short ones op by op; on elementwise programs the one
// must have the bits of the other, piece by piece.

using namespace tapegrad;

namespace {

constexpr int64_t pieces = 7, length = 5'003;  // together long enough to be fused, alone not

Value noise(Dims shape, uint64_t seed, DType d) {
  Value v = Value::empty(d, shape);
  for (int64_t i = 0; i < v.size(); ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    v.set_at(i, static_cast<double>(seed >> 11) * 0x1p-53 + 0.1);
  }
  return v;
}

Ref sine(const Ref& x) { return elementwise(scalar_fn_of<Sin>(), {x}); }

struct Program {
  int links;
  bool breaks;  // a reshape there and back in every link ends each stretch

  Ref operator()(const Ref& x, const Ref& c, const Ref& mask) const {
    Ref y = x;
    for (int k = 0; k < links; ++k) {
      const Ref e = exp(negative(multiply(y, y)));
      const Ref s = elementwise(scalar_fn_of<Select>(), {mask, sine(multiply(y, c)), y});
      Ref both = add(multiply(e, x), s);
      if (breaks) both = reshape(reshape(both, Dims{1, both.size()}), Dims{both.size()});
      y = divide(add(both, y), add(Ref(1.5), square(y)));
    }
    return y;
  }
};

std::vector<Value> gradients(const Program& f, const Value& x, const Value& c, const Value& mask,
                             const Value& seed) {
  const Variable vx(x.copy()), vc(c.copy());
  const Variable y = Variable::from(f(vx.ref(), vc.ref(), Ref(mask)));
  const Variable wrt[] = {vx, vc}, outputs[] = {y};
  const Ref seeds[] = {Ref(seed)};
  std::vector<Value> found;
  for (const Variable& g : grad(outputs, wrt, seeds)) found.push_back(g.value());
  return found;
}

Value piece(const Value& v, int64_t k) { return v.view(Dims{length}, Dims{1}, k * length).copy(); }

}  // namespace

TEST(fused_stretches_have_the_bits_of_one_op_after_the_other) {
  register_all_ops();
  const Dims shape{pieces * length};
  for (DType d : {DType::float64, DType::float32})
    for (const Program& f : {Program{1, false}, Program{4, true}, Program{30, false}})
      for (int threads : {1, 3}) {
        set_num_threads(threads);
        const Value x = noise(shape, 1, d), c = noise(shape, 2, d), seed = noise(shape, 3, d);
        Value mask = Value::empty(DType::bool_, shape);
        for (int64_t i = 0; i < mask.size(); ++i) mask.set_at(i, i % 5 < 3);
        const std::vector<Value> whole = gradients(f, x, c, mask, seed);
        for (int64_t k = 0; k < pieces; ++k) {
          const std::vector<Value> alone =
              gradients(f, piece(x, k), piece(c, k), piece(mask, k), piece(seed, k));
          for (size_t i = 0; i < 2; ++i) CHECK(same_bits(piece(whole[i], k), alone[i]));
        }
        set_num_threads(0);
      }
}

TEST(nodes_that_are_asked_for_get_their_gradients) {
  register_all_ops();
  const Variable x(noise(Dims{40'000}, 5, DType::float64));
  const Variable inner = Variable::from(sine(x.ref()));
  const Variable y = Variable::from(multiply(exp(inner.ref()), inner.ref()));
  const Variable wrt[] = {inner, x}, outputs[] = {y};
  const Ref seeds[] = {Ref(Value::full(DType::float64, Dims{40'000}, 1))};
  const std::vector<Variable> g = grad(outputs, wrt, seeds);
  for (int64_t i : {0, 1, 39'999}) {
    const double s = inner.value().at(i), at = x.value().at(i);
    CHECK_CLOSE(g[0].value().at(i), std::exp(s) * (1 + s), 1e-14);
    CHECK_CLOSE(g[1].value().at(i), std::exp(s) * (1 + s) * std::cos(at), 1e-14);
  }
}

TEST(an_output_that_ignores_part_of_the_stretch) {
  register_all_ops();
  const Variable x(noise(Dims{40'000}, 6, DType::float64));
  const Ref rounded = elementwise(scalar_fn_of<Floor>(), {multiply(x.ref(), Ref(4.0))});
  const Variable y = Variable::from(multiply(rounded, negative(x.ref())));
  const Variable wrt[] = {x}, outputs[] = {y};
  const Ref seeds[] = {Ref(Value::full(DType::float64, Dims{40'000}, 1))};
  const Value g = grad(outputs, wrt, seeds)[0].value();
  for (int64_t i : {0, 7, 39'999}) CHECK(g.at(i) == -std::floor(4 * x.value().at(i)));
}
