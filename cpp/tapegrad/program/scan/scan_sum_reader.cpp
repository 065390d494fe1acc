#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/scan/scan_products.h"
#include "tapegrad/program/scan/scan_sums.h"

// What the body of a scan adds to each carry, where it does nothing else.

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
    group_numbers(*found);
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

  // Those of one dtype to which as many terms are added.
  void group_numbers(SumScan& to) const {
    std::map<std::pair<DType, size_t>, std::vector<size_t>> groups;
    for (size_t c = 0; c < n_carry_; ++c)
      if (SumScan::is_of_numbers(to.sums_[c]))
        groups[{p_.type_of(p_.inputs[c]).dtype, to.sums_[c].terms.size()}].push_back(c);
    for (auto& [form, carries] : groups) to.numbers_.push_back(std::move(carries));
  }

  std::optional<Sum> sum_of(size_t c) const {
    const ValueId carry = p_.inputs[c];
    const TensorType& type = p_.type_of(carry);
    if (!is_floating(type.dtype) || element_count(type.shape) == 0 || may_be_gathered(type))
      return std::nullopt;
    std::vector<ValueId> terms;  // the last first
    for (ValueId v = p_.outputs[c]; v != carry;) {
      const Program::Step* s = step_of(v);
      if (!s || s->op != op_of_fn<Add>() || p_.type_of(v) != type) return std::nullopt;
      const auto in = p_.in(*s);
      const auto leads_on = [&](ValueId x) {
        const Program::Step* made = step_of(x);
        return x == carry || (made && made->op == op_of_fn<Add>());
      };
      const size_t a = leads_on(in[0]) ? 0 : 1;
      if (!leads_on(in[a]) || p_.type_of(in[1 - a]) != type) return std::nullopt;
      terms.push_back(in[1 - a]);
      v = in[a];
    }
    if (terms.empty()) return std::nullopt;
    std::ranges::reverse(terms);
    return of_one_form(terms, type);
  }

  // The terms as products of as many rows and columns; the least work of several such forms.
  std::optional<Sum> of_one_form(const std::vector<ValueId>& terms, const TensorType& type) const {
    std::optional<Sum> best;
    for (Sum sum : forms_of(terms[0], type)) {
      for (size_t k = 1; k < terms.size(); ++k)
        for (const Sum& other : forms_of(terms[k], type))
          if (other.rows == sum.rows && other.columns == sum.columns &&
              other.is_transposed == sum.is_transposed && sum.terms.size() == k &&
              (other.terms[0].left == Sum::none) == (sum.terms[0].left == Sum::none))
            sum.terms.push_back(other.terms[0]);
      if (sum.terms.size() == terms.size() && (!best || vectors_of(sum) < vectors_of(*best)))
        best = sum;
    }
    return best;
  }

  std::vector<Sum> forms_of(ValueId v, const TensorType& type) const {
    const int64_t n = element_count(type.shape);
    if (const auto input = packed_input(v)) return {Sum{{{Sum::none, *input}}, 1, n}};
    const Program::Step* s = step_of(v);
    if (!s || s->op != op_of_fn<Multiply>()) return {};
    const auto in = p_.in(*s);
    std::vector<Sum> found;
    for (size_t a = 0; a < 2; ++a) {
      const ValueId x = in[a], y = in[1 - a];
      const auto left = packed_input(x), right = packed_input(y);
      if (!left || !right || p_.type_of(x).dtype != type.dtype || p_.type_of(y).dtype != type.dtype)
        return {};
      const int64_t rows = element_count(p_.type_of(x).shape);
      const int64_t columns = element_count(p_.type_of(y).shape);
      if (rows * columns != n || !leads(p_.type_of(x).shape, type.shape, columns)) continue;
      found.push_back({{{*left, *right}}, rows, columns, false});
      found.push_back({{{*right, *left}}, columns, rows, rows > 1 && columns > 1});
    }
    return found;
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

std::unique_ptr<const SumScan> SumScan::of(const Program& body, size_t n_carry) {
  return SumReader(body, n_carry).run();
}

}  // namespace tapegrad
