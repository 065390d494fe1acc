#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <set>

#include "check.h"
#include "ops/op_samples.h"
#include "tapegrad/kernels/array/elementwise.h"
#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/expand.h"
#include "tapegrad/ops/lanes.h"

using namespace tapegrad;
using namespace cases;

namespace {

const Op& op_of(const Sample& s) {
  register_all_ops();
  return *find_op(s.op);
}

std::vector<Value> run(const Sample& s, const std::vector<Value>& in) {
  return run_op_many(s.op.c_str(), in, s.attrs);
}

std::vector<double> numbers_of(const std::vector<Value>& values) {
  std::vector<double> all;
  for (const Value& v : values)
    for (int64_t i = 0; i < v.size(); ++i) all.push_back(v.at(i));
  return all;
}

bool varies(const Value& v) { return is_floating(v.dtype()); }

// a x + b y of all floating inputs.
std::vector<Value> combined(const std::vector<Value>& x, const std::vector<Value>& y, double a,
                            double b) {
  std::vector<Value> all;
  for (size_t i = 0; i < x.size(); ++i) {
    all.push_back(x[i].copy());
    for (int64_t k = 0; varies(x[i]) && k < x[i].size(); ++k)
      all[i].set_at(k, a * x[i].at(k) + b * y[i].at(k));
  }
  return all;
}

std::vector<Value> others(const std::vector<Value>& in) {
  std::vector<Value> all;
  for (const Value& v : in) all.push_back(varies(v) ? drawn(v.shape(), 17) : v);
  return all;
}

// By output element, the input elements (counted through all inputs) that it depends on.
std::vector<std::set<size_t>> dependences(const Sample& s) {
  const std::vector<double> before = numbers_of(run(s, s.in));
  std::vector<std::set<size_t>> found(before.size());
  size_t counted = 0;
  for (size_t i = 0; i < s.in.size(); ++i)
    for (int64_t k = 0; k < s.in[i].size(); ++k, ++counted) {
      if (!varies(s.in[i])) continue;
      std::vector<Value> in = s.in;
      in[i] = in[i].copy();
      in[i].set_at(k, in[i].at(k) + 0.0625);
      const std::vector<double> after = numbers_of(run(s, in));
      for (size_t j = 0; j < after.size(); ++j)
        if (after[j] != before[j]) found[j].insert(counted);
    }
  return found;
}

Dims index_at(const Dims& shape, int64_t flat) {
  Dims index(shape.size(), 0);
  for (size_t i = shape.size(); i-- > 0; flat /= shape[i]) index[i] = flat % shape[i];
  return index;
}

// Numbers in place of code: what a rule writes is computed at once.
class NumberContext final : public ExpandContext {
 public:
  explicit NumberContext(const Sample& s) : sample_(s), op_(op_of(s)) {
    for (const Value& v : s.in) {
      in_types_.push_back(type_of(v));
      Scalars ids;
      for (int64_t i = 0; i < v.size(); ++i) ids.push_back(number(v.at(i), v.dtype()));
      in_.push_back(std::move(ids));
    }
    out_types_ = op_.infer(s.attrs, in_types_);
    out_.resize(out_types_.size());
  }

  const Op& op() const override { return op_; }
  const Attrs& attrs() const override { return sample_.attrs; }
  size_t n_in() const override { return in_.size(); }
  size_t n_out() const override { return out_.size(); }
  const TensorType& in_type(size_t i) const override { return in_types_[i]; }
  const TensorType& out_type(size_t j) const override { return out_types_[j]; }
  const Scalars& in(size_t i) override { return in_[i]; }
  const Value* constant(size_t i) const override {
    return varies(sample_.in[i]) ? nullptr : &sample_.in[i];
  }
  void set(size_t j, Scalars elements) override { out_[j] = std::move(elements); }
  Scalar apply(ScalarFn fn, DType dtype, Scalar a, Scalar b, Scalar c) override {
    std::vector<Value> in{values_[a]};
    if (b != missing) in.push_back(values_[b]);
    if (c != missing) in.push_back(values_[c]);
    Value out = is_floating(dtype) ? Value::scalar(0, dtype) : Value::integer_scalar(0, dtype);
    eval_elementwise(fn, in, out);
    return keep(out);
  }
  Scalar number(double x, DType dtype) override {
    return keep(is_floating(dtype) ? Value::scalar(x, dtype)
                                   : Value::integer_scalar(static_cast<int64_t>(x), dtype));
  }
  bool is_zero(Scalar) const override { return false; }
  bool keeps_order() const override { return true; }
  int64_t most_terms() const override { return 1 << 16; }
  bool may_require() const override { return true; }
  void require(Scalar condition) override { CHECK(values_[condition].as_double() != 0); }
  bool is_strided(size_t) const override { return false; }
  void mark_strided(size_t) override {}

  std::vector<double> results() const {
    std::vector<double> all;
    for (const Scalars& ids : out_)
      for (Scalar id : ids) all.push_back(values_[id].as_double());
    return all;
  }

 private:
  Scalar keep(Value v) {
    values_.push_back(std::move(v));
    return static_cast<Scalar>(values_.size() - 1);
  }

  const Sample& sample_;
  const Op& op_;
  std::vector<Value> values_;
  std::vector<TensorType> in_types_, out_types_;
  std::vector<Scalars> in_, out_;
};

bool same_bits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
}

}  // namespace

TEST(every_structural_op_has_a_sample) {
  std::set<std::string> sampled;
  for (const Sample& s : op_samples()) sampled.insert(s.op);
  for (int i = 0; i < op_count(); ++i) {
    const Op& op = op_by_id(static_cast<uint16_t>(i));
    if (op.scalar_fn < 0 && !op.compose && op.eval) CHECK(sampled.contains(op.name));
  }
}

TEST(attributes_are_as_declared) {
  for (const Sample& s : op_samples()) check_attrs(op_of(s), s.attrs);
}

TEST(views_look_at_the_memory_of_the_input) {
  for (const Sample& s : op_samples()) {
    const Op& op = op_of(s);
    for (const Value& out : run(s, s.in)) {
      const bool shares = out.buffer() != nullptr && out.buffer() == s.in[0].buffer();
      if (op.is_whole_view()) {
        CHECK(shares && out.size() >= s.in[0].size());
      } else if (op.view == ViewKind::none) {
        CHECK(!shares);
      }
    }
    CHECK(op.shares == MemorySharing::none || op.view != ViewKind::none);
  }
}

// Those that apply() hands in are borrowed: nobody counts them.
TEST(an_eval_leaves_its_inputs_as_they_are) {
  const auto is_same = [](const Value& a, const Value& b) {
    return a.layout() == b.layout() && a.buffer() == b.buffer() && a.dtype() == b.dtype() &&
           a.bits().i == b.bits().i;
  };
  for (const Sample& s : op_samples()) {
    const Op& op = op_of(s);
    if (op.in_place || op.compose || op.n_out < 0) continue;
    for (const DType first : {s.in[0].dtype(), DType::float32}) {
      if (first == DType::float32 && !varies(s.in[0])) continue;
      std::vector<Value> given = s.in;
      given[0] = given[0].cast(first);
      std::vector<Value> in = given, out(static_cast<size_t>(op.n_out));
      op.eval(s.attrs, in, out);
      for (size_t i = 0; i < in.size(); ++i) CHECK(is_same(in[i], given[i]));
    }
  }
}

TEST(linear_ops_are_linear) {
  for (const Sample& s : op_samples()) {
    if (!op_of(s).linear) continue;
    const std::vector<Value> y = others(s.in);
    const std::vector<double> fx = numbers_of(run(s, s.in)), fy = numbers_of(run(s, y));
    const std::vector<double> both = numbers_of(run(s, combined(s.in, y, 0.5, -2)));
    const double tolerance = op_of(s).converts ? 1e-5 : 1e-12;
    for (size_t k = 0; k < both.size(); ++k)
      CHECK(std::abs(both[k] - (0.5 * fx[k] - 2 * fy[k])) <= tolerance * (1 + std::abs(both[k])));
  }
}

TEST(what_moves_gives_elements_of_its_inputs) {
  for (const Sample& s : op_samples()) {
    if (op_of(s).elements != ElementKind::moved) continue;
    const std::vector<double> out = numbers_of(run(s, s.in));
    const std::vector<double> again = numbers_of(run(s, others(s.in)));
    const std::vector<double> given = numbers_of(s.in);
    for (size_t k = 0; k < out.size(); ++k)
      CHECK(out[k] == again[k] || std::ranges::find(given, out[k]) != given.end());
  }
}

TEST(what_adds_gives_sums_of_elements) {
  for (const Sample& s : op_samples()) {
    if (op_of(s).elements != ElementKind::added) continue;
    for (size_t i = 0; i < s.in.size(); ++i)
      for (int64_t k = 0; varies(s.in[i]) && k < s.in[i].size(); ++k) {
        std::vector<Value> in = combined(s.in, s.in, 0, 0);
        in[i].set_at(k, 1);
        for (double x : numbers_of(run(s, in))) CHECK(x >= 0 && x == std::floor(x));
      }
  }
}

TEST(elements_depend_on_what_the_pattern_says) {
  for (const Sample& s : op_samples()) {
    const Op& op = op_of(s);
    if (!varies(s.in[0]) || op.pattern() == Pattern::dense) continue;
    const std::vector<std::set<size_t>> found = dependences(s);
    const Dims shape = s.in[0].shape(), out_shape = run(s, s.in)[0].shape();
    const auto size = static_cast<size_t>(s.in[0].size());
    for (size_t j = 0; j < found.size(); ++j) {
      if (op.pattern() == Pattern::moved) CHECK(found[j].size() <= 1);
      if (op.pattern() == Pattern::elementwise)
        CHECK(std::ranges::all_of(found[j], [&](size_t k) { return k % size == j % size; }));
      if (op.pattern() != Pattern::slab || out_shape.size() != shape.size()) continue;
      const Dims flags = axis_flags(s.attrs, static_cast<size_t>(op.axes), shape.ndim(), op.name);
      const Dims to = index_at(out_shape, static_cast<int64_t>(j));
      for (size_t k : found[j]) {
        if (k >= static_cast<size_t>(s.in[0].size())) continue;
        const Dims from = index_at(shape, static_cast<int64_t>(k));
        for (size_t i = 0; i < shape.size(); ++i) CHECK(flags[i] || from[i] == to[i]);
      }
    }
  }
}

TEST(matrices_of_a_stack_do_not_meet) {
  for (const Sample& s : op_samples()) {
    if (!op_of(s).matrix_stack) continue;
    std::vector<Value> in = s.in;
    in[0] = in[0].copy();
    for (int64_t k = 0; k < 9; ++k) in[0].set_at(k, 2 * in[0].at(k));  // the first matrix of two
    const std::vector<Value> before = run(s, s.in), after = run(s, in);
    for (size_t j = 0; j < before.size(); ++j) {
      CHECK(before[j].size() % 2 == 0);
      for (int64_t k = before[j].size() / 2; k < before[j].size(); ++k)
        CHECK(before[j].at(k) == after[j].at(k));
    }
  }
}

TEST(reductions_are_what_they_say) {
  const Value x = numbers({2, -3, 5, 0.5}, {2, 2}), one = numbers({-1.25}, {1, 1});
  const std::map<ReductionKind, double> expected = {{ReductionKind::sum, 4.5},
                                                    {ReductionKind::mean, 1.125},
                                                    {ReductionKind::product, -15},
                                                    {ReductionKind::maximum, 5},
                                                    {ReductionKind::minimum, -3}};
  for (int i = 0; i < op_count(); ++i) {
    const Op& op = op_by_id(static_cast<uint16_t>(i));
    const auto wanted = expected.find(op.reduces);
    if (wanted == expected.end()) continue;
    Attrs attrs{Ints{}};  // of sum_to_shape
    if (op.axes >= 0) attrs = {Attr{}, false};
    CHECK(run_op(op.name, x, attrs).as_double() == wanted->second);
    CHECK(op.passes_single_element() && run_op(op.name, one, attrs).as_double() == -1.25);
  }
}

TEST(products_are_linear_in_each_operand) {
  for (const Sample& s : op_samples()) {
    if (op_of(s).product == ProductKind::none) continue;
    for (size_t i = 0; i < s.in.size(); ++i) {
      std::vector<Value> twice = s.in;
      twice[i] = combined({s.in[i]}, {s.in[i]}, 2, 0)[0];
      const std::vector<double> x = numbers_of(run(s, s.in)), y = numbers_of(run(s, twice));
      for (size_t k = 0; k < x.size(); ++k) CHECK(y[k] == 2 * x[k]);
    }
  }
}

TEST(a_frame_is_taken_off_again) {
  const Value x = drawn({2, 3}, 1);
  for (int i = 0; i < op_count(); ++i) {
    const Op& op = op_by_id(static_cast<uint16_t>(i));
    if (op.frame == FrameKind::pads) {
      const Value wide = run_op(op.name, x, {Ints{1, 2, 0, 3}, 7.0});
      CHECK(wide.shape() == (Dims{5, 6}) && wide.at(0) == 7 && wide.at(6) == x.at(0));
    } else if (op.frame == FrameKind::crops) {
      const Value part = run_op(op.name, x, {Ints{1, 1}, Ints{1, 2}});
      CHECK(part.shape() == (Dims{1, 2}) && part.at(0) == x.at(4) && part.at(1) == x.at(5));
    }
  }
}

// All lanes at once are what the op gives for each of them.
TEST(lanes_agree_with_one_by_one) {
  constexpr int64_t n = 3;
  for (const Sample& s : op_samples()) {
    const Op& op = op_of(s);
    if (!varies(s.in[0]) || !op.eval) continue;
    std::vector<TensorType> types;
    for (const Value& v : s.in) types.push_back(type_of(v));
    const std::vector<TensorType> out_types = op.infer(s.attrs, types);
    for (int which = 0; which < 2; ++which) {  // all operands, or the first alone
      std::vector<Ref> in;
      std::vector<uint8_t> has_lanes;
      for (size_t i = 0; i < s.in.size(); ++i) {
        has_lanes.push_back(varies(s.in[i]) && (which == 0 || i == 0));
        Dims shape{n};
        for (int64_t d : s.in[i].shape()) shape.push_back(d);
        Value wide = Value::empty(DType::float64, shape);
        for (int64_t k = 0; k < wide.size(); ++k)
          wide.set_at(k, s.in[i].at(k % s.in[i].size()) *
                             (1 + 0.25 * static_cast<double>(k / s.in[i].size())));
        in.push_back(has_lanes[i] ? Ref(wide) : Ref(s.in[i]));
      }
      const LanesCall call{op, s.attrs, in, has_lanes.data(), types, out_types, n};
      const std::vector<Ref> together = apply_lanes(call), apart = apply_each_lane(call);
      CHECK(together.size() == apart.size());
      for (size_t j = 0; j < apart.size(); ++j) {
        CHECK(together[j].type() == apart[j].type());
        for (int64_t k = 0; k < apart[j].size(); ++k) {
          const double x = apart[j].value().at(k), y = together[j].value().at(k);
          CHECK(std::abs(x - y) <= 1e-12 * (1 + std::abs(x)));
        }
      }
    }
  }
}

// Taken apart into scalars, in the order of the array's op, to the bit.
TEST(scalars_give_the_bits_of_the_array) {
  int rules = 0;
  for (const Sample& s : op_samples()) {
    const Op& op = op_of(s);
    if (!has_expand_rule(op) || !varies(s.in[0])) continue;
    NumberContext context(s);
    if (!expand_op(context)) {
      CHECK(op.converts || op.expand != nullptr);
      continue;
    }
    ++rules;
    const std::vector<double> found = context.results(), expected = numbers_of(run(s, s.in));
    CHECK(found.size() == expected.size());
    for (size_t k = 0; k < found.size(); ++k) CHECK(same_bits(found[k], expected[k]));
  }
  CHECK(rules > 40);
}
