// The recorder: a number that writes what is done to it into a PartialTape.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/scalar/partial.h"

namespace tapegrad {

class PartialRecorder {
 public:
  // While it is recorded the operands are the inputs x0.. and y, then one for each instruction;
  // constants are numbered from here on.
  static constexpr uint32_t first_constant = uint32_t{1} << 31;

  explicit PartialRecorder(int arity) : n_inputs_(static_cast<uint32_t>(arity) + 1) {}

  uint32_t constant(double value);
  // The same application gives the same operand.
  uint32_t record(ScalarFn fn, std::array<uint32_t, 3> args, int arity);
  PartialTape finish(uint32_t result) const;  // what the result does not need is left out

  bool is_negated(uint32_t operand) const;
  uint32_t argument(uint32_t operand, size_t i) const { return code_[operand - n_inputs_].args[i]; }

 private:
  uint32_t n_inputs_;
  std::vector<double> constants_;
  std::vector<ScalarTape::Instruction> code_;
};

class Sym {
 public:
  Sym(double value) : value_(value) {}
  Sym(PartialRecorder* recorder, uint32_t operand) : recorder_(recorder), operand_(operand) {}

  bool is_constant() const { return recorder_ == nullptr; }
  bool is(double value) const { return is_constant() && value_ == value; }
  double value() const { return value_; }
  uint32_t operand(PartialRecorder& recorder) const {
    return is_constant() ? recorder.constant(value_) : operand_;
  }

  template <class F, class... Args>
  static Sym apply(const Args&... args) {
    static_assert(sizeof...(Args) == F::arity);
    if ((args.is_constant() && ...)) return Sym(F::template value<double>(args.value()...));
    PartialRecorder* recorder = nullptr;
    ((recorder = args.recorder_ ? args.recorder_ : recorder), ...);
    std::array<uint32_t, 3> operands = {0, 0, 0};
    size_t k = 0;
    ((operands[k++] = args.operand(*recorder)), ...);
    return Sym(recorder, recorder->record(scalar_fn_of<F>(), operands, F::arity));
  }

  // Only identities that hold for every number, NaN and infinities too (and -0 up to its sign in
  // zmul).
  friend Sym operator+(const Sym& a, const Sym& b) { return apply<Add>(a, b); }
  friend Sym operator-(const Sym& a, const Sym& b) { return b.is(0) ? a : apply<Subtract>(a, b); }
  friend Sym operator*(const Sym& a, const Sym& b) {
    if (a.is(1)) return b;
    if (b.is(1)) return a;
    return apply<Multiply>(a, b);
  }
  friend Sym operator/(const Sym& a, const Sym& b) {
    if (b.is(1)) return a;
    return a.is(1) ? apply<Reciprocal>(b) : apply<Divide>(a, b);
  }
  friend Sym operator-(const Sym& a) {
    if (!a.is_constant() && a.recorder_->is_negated(a.operand_))
      return Sym(a.recorder_, a.recorder_->argument(a.operand_, 0));
    return apply<Negative>(a);
  }

 private:
  PartialRecorder* recorder_ = nullptr;
  uint32_t operand_ = 0;
  double value_ = 0;
};

}  // namespace tapegrad
