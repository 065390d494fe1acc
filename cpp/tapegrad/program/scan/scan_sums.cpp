#include "tapegrad/program/scan/scan_sums.h"

#include <algorithm>
#include <vector>

#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/rows/copy_row.h"
#include "tapegrad/rows/elementwise_operands.h"
#include "tapegrad/rows/outer_sums.h"
#include "tapegrad/rows/reduce_loops.h"

namespace tapegrad {

namespace {

constexpr int64_t turns_at_once = 64;

// Packed rows, or the same one for all turns.
template <class T>
struct TurnRows {
  TurnRows(const Value& v, bool is_series, const ScanForm& f) : array(v.contiguous()) {
    if (array.is_scalar()) {
      const T number = scalar_as<T>(array);
      array = Value::empty(array.dtype(), Dims{1});
      *array.template data<T>() = number;
    }
    first = array.template data<T>();
    if (!is_series) return;
    step = f.length > 0 ? array.size() / f.length : 0;
    if (!f.reverse) return;
    first += (f.length - 1) * step;
    step = -step;
  }
  const T* at(int64_t turn) const { return first + turn * step; }

  Value array;
  const T* first;
  int64_t step = 0;
};

// A packed copy, of a number in an array of one.
template <class T>
Value own_copy(const Value& first) {
  const TensorType type = type_of(first);
  Value made = Value::empty(type.dtype, type.shape.empty() ? Dims{1} : type.shape);
  if (type.shape.empty()) {
    *made.data<T>() = first.is_scalar() ? scalar_as<T>(first) : *first.data<T>();
  } else {
    copy_into(made, first);
  }
  return made;
}

Value shaped(const Value& made, const TensorType& type) {
  return type.shape.empty() ? made.view({}, {}, 0) : made;
}

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
// time, and so are the sums. Of several terms the factors are copied, one turn's behind the other.
template <class T>
class OuterProducts {
 public:
  // The sum at [r, c] is sums[r * row_stride + c * column_stride].
  OuterProducts(T* sums, int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride,
                size_t n_terms)
      : sums_(sums),
        rows_(rows),
        columns_(columns),
        row_stride_(row_stride),
        column_stride_(column_stride) {
    const int64_t width = outer_sums<T>().width;
    padded_ = (columns + width - 1) / width * width;
    in_place_ = padded_ == columns && column_stride == 1;
    const size_t factors = static_cast<size_t>(turns_at_once) * n_terms;
    if (n_terms > 1) left_.assign(factors * static_cast<size_t>(rows), T{0});
    if (n_terms > 1 || padded_ != columns)
      right_.assign(factors * static_cast<size_t>(padded_), T{0});
    if (in_place_) return;
    own_.assign(static_cast<size_t>(rows * padded_), T{0});
    each([](T& own, const T& given) { own = given; });
  }

  void add(std::span<const TurnRows<T>> left, std::span<const TurnRows<T>> right, int64_t turn,
           int64_t turns) {
    const T *columns = left[0].at(turn), *rows = right[0].at(turn);
    int64_t column_step = left[0].step, row_step = right[0].step;
    if (!left_.empty()) {
      columns = gathered(left, turn, turns, rows_, rows_, left_);
      column_step = rows_;
    }
    if (!right_.empty()) {
      rows = gathered(right, turn, turns, columns_, padded_, right_);
      row_step = padded_;
    }
    outer_sums<T>().add(in_place_ ? sums_ : own_.data(), rows_, padded_, columns, column_step, rows,
                        row_step, turns * static_cast<int64_t>(left.size()));
  }

  void finish() {
    if (!in_place_) each([](const T& own, T& given) { given = own; });
  }

 private:
  static const T* gathered(std::span<const TurnRows<T>> terms, int64_t turn, int64_t turns,
                           int64_t n, int64_t room, std::vector<T>& to) {
    T* next = to.data();
    for (int64_t t = 0; t < turns; ++t)
      for (const TurnRows<T>& term : terms) {
        copy_row(term.at(turn + t), n, next);
        next += room;
      }
    return to.data();
  }

  template <class F>
  void each(F f) {
    for (int64_t r = 0; r < rows_; ++r)
      for (int64_t c = 0; c < columns_; ++c)
        f(own_[static_cast<size_t>(r * padded_ + c)], sums_[r * row_stride_ + c * column_stride_]);
  }

  T* sums_;
  int64_t rows_, columns_, row_stride_, column_stride_, padded_ = 0;
  bool in_place_ = false;
  std::vector<T> own_, left_, right_;
};

}  // namespace

template <class T>
Value SumScan::add_up(const Sum& sum, const ScanForm& f, const Value& first,
                      std::span<const Value> in) {
  Value made = own_copy<T>(first);
  T* const sums = made.data<T>();
  std::vector<TurnRows<T>> left, right;
  for (const Sum::Term& term : sum.terms) {
    right.emplace_back(in[term.right], f.is_xs(term.right), f);
    if (term.left != Sum::none) left.emplace_back(in[term.left], f.is_xs(term.left), f);
  }
  InterruptPoll poll;
  const auto by_turns = [&](auto&& add) {
    for (int64_t turn = 0; turn < f.length; turn += turns_at_once) {
      poll();
      add(turn, std::min(turns_at_once, f.length - turn));
    }
  };
  if (left.empty()) {
    by_turns([&](int64_t turn, int64_t turns) {
      if (right.size() == 1)
        return add_rows(sums, sum.columns, right[0].at(turn), right[0].step, turns);
      for (int64_t t = turn; t < turn + turns; ++t)
        for (const TurnRows<T>& rows : right)
          add_rows(sums, sum.columns, rows.at(t), rows.step, int64_t{1});
    });
  } else {
    OuterProducts<T> products(sums, sum.rows, sum.columns, sum.is_transposed ? 1 : sum.columns,
                              sum.is_transposed ? sum.rows : 1, left.size());
    by_turns([&](int64_t turn, int64_t turns) { products.add(left, right, turn, turns); });
    products.finish();
  }
  return shaped(made, type_of(first));
}

// Sums of numbers wait for one another less where some are taken side by side. `rows` are those of
// the first term of each sum, then of the second, and so on.
template <int n, class T>
void add_side_by_side(T* const* sums, const T* const* rows, const int64_t* steps, size_t n_terms,
                      int64_t turns) {
  T all[n];
  for (int i = 0; i < n; ++i) all[i] = *sums[i];
  const bool is_even = std::all_of(steps, steps + n, [&](int64_t s) { return s == steps[0]; });
  if (n_terms == 1 && is_even) {
    for (int64_t t = 0, at = 0; t < turns; ++t, at += steps[0])
      for (int i = 0; i < n; ++i) all[i] += rows[i][at];
  } else {
    for (int64_t t = 0; t < turns; ++t)
      for (size_t k = 0; k < n_terms * n; k += n)
        for (size_t i = 0; i < n; ++i) all[i] += rows[k + i][t * steps[k + i]];
  }
  for (int i = 0; i < n; ++i) *sums[i] = all[i];
}

template <class T>
void SumScan::add_up_numbers(std::span<const size_t> carries, const ScanForm& f,
                             std::span<const Value> in, std::span<Value> out) const {
  std::vector<TurnRows<T>> rows;
  std::vector<T*> sums;
  std::vector<const T*> next;
  std::vector<int64_t> steps;
  const size_t n_terms = sums_[carries[0]].terms.size();
  InterruptPoll poll;
  for (size_t n; !carries.empty(); carries = carries.subspan(n)) {
    poll();
    n = carries.size() >= 8 ? 8 : carries.size() >= 4 ? 4 : carries.size() >= 2 ? 2 : 1;
    rows.clear();
    sums.clear();
    for (size_t term = 0; term < n_terms; ++term)
      for (size_t c : carries.first(n)) {
        const uint32_t from = sums_[c].terms[term].right;
        rows.emplace_back(in[from], f.is_xs(from), f);
      }
    next.clear();
    steps.clear();
    for (const TurnRows<T>& r : rows) {
      next.push_back(r.first);
      steps.push_back(r.step);
    }
    for (size_t c : carries.first(n)) {
      out[c] = own_copy<T>(in[c]);
      sums.push_back(out[c].data<T>());
    }
    const auto add = n == 8   ? add_side_by_side<8, T>
                     : n == 4 ? add_side_by_side<4, T>
                     : n == 2 ? add_side_by_side<2, T>
                              : add_side_by_side<1, T>;
    add(sums.data(), next.data(), steps.data(), n_terms, f.length);
    for (size_t c : carries.first(n)) out[c] = shaped(out[c], f.body->in_type(c));
  }
}

void SumScan::run(const ScanForm& f, std::span<const Value> in, std::span<Value> out) const {
  for (size_t c = 0; c < sums_.size(); ++c) {
    const Sum& sum = sums_[c];
    if (is_of_numbers(sum)) continue;
    out[c] = f.body->in_type(c).dtype == DType::float32 ? add_up<float>(sum, f, in[c], in)
                                                        : add_up<double>(sum, f, in[c], in);
  }
  for (const std::vector<size_t>& carries : numbers_)
    if (f.body->in_type(carries[0]).dtype == DType::float32) {
      add_up_numbers<float>(carries, f, in, out);
    } else {
      add_up_numbers<double>(carries, f, in, out);
    }
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
