// Random programs, written op by op.
#pragma once

#include "program/programs.h"

namespace programs {

using tapegrad::is_floating;

// Random programs over a few shapes that broadcast against one another: elementwise ops, masks,
// sums, views, products of matrices, casts, constants that identities feed on.
class RandomProgram {
 public:
  // Matrices have `rows` and `columns`. `smooth`: without masks and what jumps. `wide`: with ops
  // that move, join and scan.
  explicit RandomProgram(uint64_t seed, int64_t rows = 4, int64_t columns = 3, bool smooth = false,
                         bool wide = false)
      : random_(seed), rows_(rows), columns_(columns), smooth_(smooth), wide_(wide) {}

  Program make(int steps) {
    for (const Dims& s : {matrix(), Dims{columns_}, Dims{}, Dims{rows_, 1}, Dims{rows_, rows_}})
      for (int k = 0; k < 2; ++k) values_.push_back(d_.input(f64(s)));
    values_.push_back(d_.input(f32(matrix())));
    values_.push_back(d_.input({DType::bool_, Dims{columns_}}));
    for (double c : {0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0}) {
      values_.push_back(d_.constant(c));
      if (pick(2)) values_.push_back(d_.constant(Value::full(DType::float64, matrix(), c)));
    }
    for (int k = 0; k < steps; ++k) {
      try {
        step();
      } catch (const tapegrad::Error&) {  // shapes that do not fit
      }
    }
    for (int k = 0; k < 4; ++k) d_.writer().output(any(true));
    return d_.returning({values_.back()});
  }

 private:
  Dims matrix() const { return {rows_, columns_}; }
  size_t pick(size_t n) { return random_() % n; }
  ValueId any(bool recent = false) {
    const size_t n = values_.size(), reach = recent ? std::min<size_t>(n, 12) : n;
    return values_[n - 1 - pick(reach)];
  }
  const TensorType& type(ValueId v) { return d_.writer().program().type_of(v); }

  void step() {
    static const char* const unary[] = {"negative",    "exp",      "sin",      "square",
                                        "tanh",        "absolute", "positive", "reciprocal",
                                        "logical_not", "sqrt"};
    static const char* const binary[] = {"add",      "subtract", "multiply",    "divide",
                                         "zmul",     "less",     "maximum",     "equal",
                                         "multiply", "add",      "logical_and", "power"};
    static const char* const smooth_unary[] = {"negative", "sin", "tanh", "arctan"};
    static const char* const smooth_binary[] = {"add", "subtract", "multiply"};
    const ValueId x = any(pick(2)), y = any(pick(2));
    ValueId out = 0;
    switch (pick(wide_ ? 18 : 12)) {
      case 0:
      case 1:
      case 2:
        out = d_.op(smooth_ ? smooth_unary[pick(4)] : unary[pick(std::size(unary))], {x});
        break;
      case 3:
      case 4:
      case 5:
      case 6:
        out = d_.op(smooth_ ? smooth_binary[pick(3)] : binary[pick(std::size(binary))], {x, y});
        break;
      case 7:
        out = smooth_ ? d_.op("add", {x, y}) : d_.op("where", {any(), x, y});
        break;
      case 8:
        out = sum(x);
        break;
      case 9:
        out = view(x);
        break;
      case 10:
        out = d_.op("matmul", {x, y});
        break;
      case 11:
        if (smooth_) return;
        out = d_.op("cast", {x}, {static_cast<int64_t>(pick(2) ? DType::float32 : DType::float64)});
        break;
      case 12:
        return repeat(x, y);
      default:
        out = move(x, y);
    }
    values_.push_back(out);
  }

  // A few rounds of the same steps, which a pass may roll up.
  void repeat(ValueId x, ValueId y) {
    const size_t rounds = 2 + pick(20), stride = 1 + pick(3);
    for (size_t k = 0; k < rounds; ++k) {
      const ValueId a = d_.op("multiply", {x, d_.constant(0.5)});
      x = d_.op("sin", {d_.op("add", {a, y})});
      if (stride == 1 || k % stride == 0) values_.push_back(x);
    }
    values_.push_back(x);
  }

  ValueId move(ValueId x, ValueId y) {
    const Dims shape = type(x).shape;
    if (shape.empty() || !is_floating(type(x).dtype)) return d_.op("stack", {x, y}, {int64_t{0}});
    const int64_t last = static_cast<int64_t>(shape.size()) - 1, n = shape.back();
    const int64_t axis = static_cast<int64_t>(pick(shape.size()));
    switch (pick(12)) {
      case 0:
        return d_.op("concatenate", {x, y}, {axis});
      case 1:
        return d_.op("flip", {x}, {Ints{axis}});
      case 2:
        return d_.op("roll", {x}, {Ints{static_cast<int64_t>(pick(5))}, Ints{axis}});
      case 3:
        return d_.op("cumsum", {x}, {axis, pick(2) == 0});
      case 4: {
        Ints at;
        for (size_t k = pick(6); k-- > 0 && shape[static_cast<size_t>(axis)] > 0;)
          at.push_back(
              static_cast<int64_t>(pick(static_cast<size_t>(shape[static_cast<size_t>(axis)]))));
        return d_.op("gather_axis", {x}, {axis, at});
      }
      case 5: {
        tapegrad::IndexSpec spec;
        for (int64_t k = 0; k < last; ++k) spec.whole(shape[static_cast<size_t>(k)]);
        if (pick(2)) {
          spec.range(0, 2, n / 2);
        } else {
          spec.range(n - 1, -1, n);
        }
        return d_.op("slice", {x}, spec.attrs());
      }
      case 6:
        return d_.op(
            pick(2) || smooth_ || type(x).shape[static_cast<size_t>(axis)] == 0 ? "mean" : "max",
            {x}, {Ints{axis}, pick(2) == 0});
      case 7:
        return d_.op("stack", {x, y}, {int64_t{0}});
      case 8:
        return d_.op("slice", {x}, part(shape));
      case 9:
      case 10: {  // a part of y goes to the same part of x
        if (type(x) != type(y)) return d_.op("concatenate", {x, x}, {int64_t{0}});
        const Attrs at = part(shape);
        const ValueId update = d_.op("slice", {y}, at);
        return d_.op(pick(2) ? "slice_add" : "slice_set", {x, update}, at);
      }
      default:
        return d_.op("shift", {x}, {axis, int64_t{1}, 0.5});
    }
  }

  // Positions of the first axis that follow one another; or one of them, and of the other axes
  // all, some or one.
  Attrs part(const Dims& shape) {
    const auto n = static_cast<size_t>(shape[0]);
    if (n > 0 && pick(2)) return row(shape);
    const size_t start = pick(n + 1), length = pick(n - start + 1);
    tapegrad::IndexSpec spec;
    spec.range(static_cast<int64_t>(start), 1, static_cast<int64_t>(length));
    for (size_t k = 1; k < shape.size(); ++k) spec.whole(shape[k]);
    return spec.attrs();
  }
  Attrs row(const Dims& shape) {
    tapegrad::IndexSpec spec;
    spec.at(static_cast<int64_t>(pick(std::min<size_t>(2, static_cast<size_t>(shape[0])))));
    for (size_t k = 1; k < shape.size(); ++k) {
      const auto n = static_cast<size_t>(shape[k]);
      if (n > 0 && pick(3) == 0) {
        spec.at(static_cast<int64_t>(pick(n)));
      } else if (n > 1 && pick(2)) {
        spec.range(1, 1, static_cast<int64_t>(n - 1));
      } else {
        spec.whole(shape[k]);
      }
    }
    return spec.attrs();
  }

  ValueId sum(ValueId x) {
    const Dims shape = type(x).shape;
    if (!is_floating(type(x).dtype)) return x;
    if (pick(3) == 0) return d_.op("sum", {x}, {Attr{}, false});
    if (shape.empty()) return x;
    const Ints axis{static_cast<int64_t>(pick(shape.size()))};
    if (pick(2)) return d_.op(pick(2) ? "sum" : "mean", {x}, {axis, pick(2) == 0});
    Ints to(shape.begin(), shape.end());
    to[pick(to.size())] = 1;
    return d_.op("sum_to_shape", {x}, {to});
  }

  ValueId view(ValueId x) {
    const Dims shape = type(x).shape;
    switch (pick(5)) {
      case 0:
        return d_.op("broadcast_to", {x},
                     {pick(2) ? Ints{rows_, columns_} : Ints{2, rows_, columns_}});
      case 1:
        return d_.op("transpose", {x}, {Attr{}});
      case 2:
        return d_.op("expand_dims", {x}, {Ints{static_cast<int64_t>(pick(shape.size() + 1))}});
      case 3:
        return d_.op("squeeze", {x}, {Attr{}});
      default:
        return d_.op("reshape", {x}, {pick(2) ? Ints{-1} : Ints{1, -1}});
    }
  }

  std::mt19937_64 random_;
  int64_t rows_, columns_;
  bool smooth_, wide_;
  Draft d_;
  std::vector<ValueId> values_;
};

}  // namespace programs
