// A function of the host, written in C++: what ops, passes and sweeps are tested with.
#pragma once

#include <cmath>
#include <ostream>

#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/host/host_function.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace cases {

// sin(x) * k of one x, and how often it was called.
class HostSine final : public tapegrad::HostFunction {
 public:
  HostSine(double k, tapegrad::TensorType type) : k_(k), types_{type} {}

  size_t hash() const override { return std::hash<double>()(k_); }
  bool equals(const tapegrad::AttrObject& other) const override {
    const auto* f = dynamic_cast<const HostSine*>(&other);
    return f != nullptr && f->k_ == k_ && f->types_ == types_;
  }
  void print(std::ostream& out) const override { out << "sine"; }

  std::span<const tapegrad::TensorType> in_types() const override { return types_; }
  std::span<const tapegrad::TensorType> out_types() const override { return types_; }
  std::vector<tapegrad::Value> call(std::span<const tapegrad::Value> in) const override {
    ++calls;
    tapegrad::Value out = in[0].copy();
    for (int64_t i = 0; i < out.size(); ++i) out.set_at(i, std::sin(out.at(i)) * k_);
    return {out};
  }
  void vjp(tapegrad::VjpContext& ctx) const override { ctx.add(0, slope(ctx.in(0), ctx.ct())); }
  void jvp(tapegrad::JvpContext& ctx) const override {
    ctx.set(0, slope(ctx.in(0), ctx.tangent(0)));
  }

  mutable int calls = 0;

 private:
  tapegrad::Ref slope(const tapegrad::Ref& x, const tapegrad::Ref& along) const {
    using namespace tapegrad;
    return multiply(multiply(elementwise(scalar_fn_of<Cos>(), {x}), along), Ref(k_));
  }

  double k_;
  std::vector<tapegrad::TensorType> types_;
};

}  // namespace cases
