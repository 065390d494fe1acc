// The recorder: a number that writes what is done to it into a ScalarProgram.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/scalar/program.h"

namespace tapegrad {

class ProgramBuilder {
 public:
  struct Node {
    ScalarFn fn;
    std::array<int, 3> args;  // earlier nodes, or -1 - k for constant k, or inputs as 0..n_inputs
  };

  explicit ProgramBuilder(int n_inputs) : n_inputs_(n_inputs) {}

  int constant(double value);
  int record(ScalarFn fn, std::array<int, 3> args,
             int arity);                   // the same application gives the same operand
  ScalarProgram finish(int result) const;  // what the result does not need is left out

  bool is_negated(int operand) const;
  int argument(int operand, size_t i) const;

 private:
  int n_inputs_;
  std::vector<double> constants_;
  std::vector<Node> nodes_;
};

class Sym {
 public:
  Sym(double value) : value_(value) {}
  Sym(ProgramBuilder* builder, int operand) : builder_(builder), operand_(operand) {}

  bool is_constant() const { return builder_ == nullptr; }
  bool is(double value) const { return is_constant() && value_ == value; }
  double value() const { return value_; }
  int operand(ProgramBuilder& builder) const {
    return is_constant() ? builder.constant(value_) : operand_;
  }

  template <class F, class... Args>
  static Sym apply(const Args&... args) {
    static_assert(sizeof...(Args) == F::arity);
    if ((args.is_constant() && ...)) return Sym(F::template value<double>(args.value()...));
    ProgramBuilder* builder = nullptr;
    ((builder = args.builder_ ? args.builder_ : builder), ...);
    std::array<int, 3> operands = {0, 0, 0};
    size_t k = 0;
    ((operands[k++] = args.operand(*builder)), ...);
    return Sym(builder, builder->record(scalar_fn_of<F>(), operands, F::arity));
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
    if (!a.is_constant() && a.builder_->is_negated(a.operand_))
      return Sym(a.builder_, a.builder_->argument(a.operand_, 0));
    return apply<Negative>(a);
  }

 private:
  ProgramBuilder* builder_ = nullptr;
  int operand_ = 0;
  double value_ = 0;
};

}  // namespace tapegrad
