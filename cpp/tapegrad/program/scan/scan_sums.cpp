#include "tapegrad/program/scan/scan_sums.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/scan/scan_products.h"
#include "tapegrad/rows/copy_row.h"
#include "tapegrad/rows/elementwise_operands.h"
#include "tapegrad/rows/outer_sums.h"
#include "tapegrad/rows/reduce_loops.h"

namespace tapegrad {

class SumReader {
 public:
  SumReader(const Program& p, size_t n_carry) : p_(p), n_carry_(n_carry) {}

  std::unique_ptr<const SumScan> run() const {
    if (!p_.captures.empty() || !p_.guards.empty() || n_carry_ == 0 ||
        p_.outputs.size() != n_carry_)
      return nullptr;
    auto found = std::make_unique<SumScan>();
    for (size_t c = 0; c < n_carry_; ++c) {
      const std::optional<Sum> sum = sum_of(c);
      if (!sum) return nullptr;
      found->sums_.push_back(*sum);
    }
    return found;
  }

 private:
  using Sum = SumScan::Sum;

  const Program::Step* step_of(ValueId v) const {
    if (p_.values[v].source != Source::step) return nullptr;
    const Program::Step& s = p_.steps[p_.values[v].index];
    return s.kernel < 0 ? &s : nullptr;
  }
  bool is_input(ValueId v) const {
    return p_.values[v].source == Source::input && p_.values[v].index >= n_carry_;
  }

  std::optional<Sum> sum_of(size_t c) const {
    const ValueId carry = p_.inputs[c];
    const TensorType& type = p_.type_of(carry);
    const Program::Step* s = step_of(p_.outputs[c]);
    if (!is_floating(type.dtype) || element_count(type.shape) == 0 || may_be_gathered(type) || !s ||
        s->op != op_of_fn<Add>() || p_.type_of(s->first_out) != type)
      return std::nullopt;
    const auto in = p_.in(*s);
    for (size_t a = 0; a < 2; ++a)
      if (in[a] == carry && p_.type_of(in[1 - a]) == type) return term(in[1 - a], type);
    return std::nullopt;
  }

  std::optional<Sum> term(ValueId v, const TensorType& type) const {
    const int64_t n = element_count(type.shape);
    if (const auto input = packed_input(v)) return Sum{Sum::none, *input, 1, n};
    const Program::Step* s = step_of(v);
    if (!s || s->op != op_of_fn<Multiply>()) return std::nullopt;
    const auto in = p_.in(*s);
    std::optional<Sum> best;
    for (size_t a = 0; a < 2; ++a) {
      const ValueId x = in[a], y = in[1 - a];
      const auto left = packed_input(x), right = packed_input(y);
      if (!left || !right || p_.type_of(x).dtype != type.dtype ||
          p_.type_of(y).dtype != type.dtype)
        return std::nullopt;
      const int64_t rows = element_count(p_.type_of(x).shape);
      const int64_t columns = element_count(p_.type_of(y).shape);
      if (rows * columns != n || !leads(p_.type_of(x).shape, type.shape, columns)) continue;
      for (const Sum& sum : {Sum{*left, *right, rows, columns, false},
                             Sum{*right, *left, columns, rows, rows > 1 && columns > 1}})
        if (!best || vectors_of(sum) < vectors_of(*best)) best = sum;
    }
    return best;
  }

  static int64_t vectors_of(const Sum& sum) {
    constexpr int64_t width = 8;
    return sum.rows * ((sum.columns + width - 1) / width);
  }

  // Whether an array of this shape, broadcast to `to`, goes along its first axes: those behind
  // them have `behind` elements.
  static bool leads(const Dims& shape, const Dims& to, int64_t behind) {
    size_t split = to.size();
    for (int64_t elements = 1; split > 0 && elements < behind; --split) elements *= to[split - 1];
    const size_t lead = to.size() - shape.size();
    for (size_t i = 0; i < to.size(); ++i) {
      const int64_t own = i < lead ? 1 : shape[i - lead];
      if (own != (i < split ? to[i] : 1)) return false;
    }
    return true;
  }

  // An element of a series or of the rest, perhaps reshaped.
  std::optional<uint32_t> packed_input(ValueId v) const {
    while (const Program::Step* s = step_of(v)) {
      if (op_by_id(s->op).view != ViewKind::reshaped) return std::nullopt;
      v = p_.in(*s)[0];
    }
    if (!is_input(v)) return std::nullopt;
    return p_.values[v].index;
  }

  const Program& p_;
  const size_t n_carry_;
};

namespace {

constexpr int64_t turns_at_once = 64;

// Packed rows, or the same one for all turns.
template <class T>
struct TurnRows {
  TurnRows(const Value& v, bool is_series, const ScanForm& f) : array(v.contiguous()) {
    if (array.is_scalar()) {
      number = scalar_as<T>(array);
      first = &number;
    } else {
      first = array.template data<T>();
    }
    if (!is_series) return;
    step = f.length > 0 ? array.size() / f.length : 0;
    if (!f.reverse) return;
    first += (f.length - 1) * step;
    step = -step;
  }
  TurnRows(const TurnRows&) = delete;
  TurnRows& operator=(const TurnRows&) = delete;
  const T* at(int64_t turn) const { return first + turn * step; }

  Value array;
  T number{};
  const T* first;
  int64_t step = 0;
};

// Of few numbers, in registers of their own.
template <int n, class T>
void add_few(T* sums, const T* row, int64_t step, int64_t turns) {
  T all[n];
  std::copy_n(sums, n, all);
  for (int64_t t = 0; t < turns; ++t, row += step)
    for (int i = 0; i < n; ++i) all[i] += row[i];
  std::copy_n(all, n, sums);
}

template <class T>
void add_rows(T* sums, int64_t n, const T* row, int64_t step, int64_t turns) {
  switch (n) {
    case 1:
      return add_few<1>(sums, row, step, turns);
    case 2:
      return add_few<2>(sums, row, step, turns);
    case 3:
      return add_few<3>(sums, row, step, turns);
    case 4:
      return add_few<4>(sums, row, step, turns);
    case 5:
      return add_few<5>(sums, row, step, turns);
    case 6:
      return add_few<6>(sums, row, step, turns);
    case 7:
      return add_few<7>(sums, row, step, turns);
    default:
      return fold_loops<T>(Fold::sum).columns(sums, row, step, turns, n, nullptr);
  }
}

// Vectors are loaded whole: rows that are none are copied with room behind them, some turns at a
// time, and so are the sums.
template <class T>
class OuterProducts {
 public:
  // The sum at [r, c] is sums[r * row_stride + c * column_stride].
  OuterProducts(T* sums, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride)
      : sums_(sums),
        rows_(rows),
        columns_(columns),
        row_stride_(row_stride),
        column_stride_(column_stride) {
    const int64_t width = outer_sums<T>().width;
    padded_ = (columns + width - 1) / width * width;
    in_place_ = padded_ == columns && column_stride == 1;
    if (padded_ != columns) right_.assign(static_cast<size_t>(turns_at_once * padded_), T{0});
    if (in_place_) return;
    own_.assign(static_cast<size_t>(rows * padded_), T{0});
    each([](T& own, const T& given) { own = given; });
  }

  void add(const T* left, int64_t left_step, const T* right, int64_t right_step, int64_t turns) {
    if (padded_ != columns_) {
      for (int64_t t = 0; t < turns; ++t)
        copy_row(right + t * right_step, columns_, right_.data() + t * padded_);
      right = right_.data();
      right_step = padded_;
    }
    outer_sums<T>().add(in_place_ ? sums_ : own_.data(), rows_, padded_, left, left_step, right,
                        right_step, turns);
  }

  void finish() {
    if (!in_place_) each([](const T& own, T& given) { given = own; });
  }

 private:
  template <class F>
  void each(F f) {
    for (int64_t r = 0; r < rows_; ++r)
      for (int64_t c = 0; c < columns_; ++c)
        f(own_[static_cast<size_t>(r * padded_ + c)],
          sums_[r * row_stride_ + c * column_stride_]);
  }

  T* sums_;
  int64_t rows_, columns_, row_stride_, column_stride_, padded_ = 0;
  bool in_place_ = false;
  std::vector<T> own_, right_;
};

}  // namespace

template <class T>
Value SumScan::add_up(const Sum& sum, const ScanForm& f, const Value& first,
                      std::span<const Value> in) {
  const TensorType type = type_of(first);
  Value made = Value::empty(type.dtype, type.shape.empty() ? Dims{1} : type.shape);
  T* const sums = made.data<T>();
  if (type.shape.empty()) {
    *sums = first.is_scalar() ? scalar_as<T>(first) : *first.data<T>();
  } else {
    copy_into(made, first);
  }
  const TurnRows<T> right(in[sum.right], f.is_xs(sum.right), f);
  InterruptPoll poll;
  const auto by_turns = [&](auto&& add) {
    for (int64_t turn = 0; turn < f.length; turn += turns_at_once) {
      poll();
      add(turn, std::min(turns_at_once, f.length - turn));
    }
  };
  if (sum.left == Sum::none) {
    by_turns([&](int64_t turn, int64_t turns) {
      add_rows(sums, sum.columns, right.at(turn), right.step, turns);
    });
  } else {
    const TurnRows<T> left(in[sum.left], f.is_xs(sum.left), f);
    OuterProducts<T> products(sums, sum.rows, sum.columns, sum.is_transposed ? 1 : sum.columns,
                              sum.is_transposed ? sum.rows : 1);
    by_turns([&](int64_t turn, int64_t turns) {
      products.add(left.at(turn), left.step, right.at(turn), right.step, turns);
    });
    products.finish();
  }
  return type.shape.empty() ? made.view({}, {}, 0) : made;
}

std::unique_ptr<const SumScan> SumScan::of(const Program& body, size_t n_carry) {
  return SumReader(body, n_carry).run();
}

void SumScan::run(const ScanForm& f, std::span<const Value> in, std::span<Value> out) const {
  for (size_t c = 0; c < sums_.size(); ++c)
    out[c] = f.body->in_type(c).dtype == DType::float32
                 ? add_up<float>(sums_[c], f, in[c], in)
                 : add_up<double>(sums_[c], f, in[c], in);
}

namespace {

// Kept with the body.
struct KeptSums final : BodyExtra {
  std::unique_ptr<const SumScan> scan;
};

}  // namespace

bool run_scan_of_sums(const ScanForm& f, std::span<const Value> in, std::span<Value> out) {
  if (f.n_carry == 0 || f.body->n_out() != f.n_carry) return false;
  constexpr uint64_t of_sums = uint64_t{1} << 63;
  const uint64_t key = of_sums | f.n_carry;
  const auto found = f.body->extra(key, [&] {
    auto kept = std::make_shared<KeptSums>();
    kept->scan = SumScan::of(f.body->program(), f.n_carry);
    return kept;
  });
  const auto& kept = static_cast<const KeptSums&>(*found);
  if (kept.scan) kept.scan->run(f, in, out);
  return kept.scan != nullptr;
}

}  // namespace tapegrad
