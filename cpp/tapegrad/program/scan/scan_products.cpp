#include "tapegrad/program/scan/scan_products.h"

#include <algorithm>
#include <optional>

#include "tapegrad/kernels/partials/partial_product.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/passes.h"

namespace tapegrad {
namespace {

constexpr int64_t most_inner = 16;     // of a product whose time is that of the addition
constexpr int64_t stacked_rows = 128;  // that are multiplied at once

struct Product {
  ValueId left = 0, right = 0;
  int64_t rows = 0;
};

// (m, rows) and (rows, n), or (n) for one row.
bool fits(const Program& p, ValueId a, ValueId b, int64_t rows, const TensorType& sum) {
  const TensorType &left = p.type_of(a), &right = p.type_of(b);
  return left.dtype == sum.dtype && right.dtype == sum.dtype &&
         left.shape == Dims{sum.shape[0], rows} &&
         (right.shape == Dims{rows, sum.shape[1]} ||
          (rows == 1 && right.shape == Dims{sum.shape[1]}));
}

std::optional<Product> as_product(const Program& p, const Program::Step& s) {
  if (s.kernel >= 0) return {};
  const bool is_matmul = op_by_id(s.op).product == ProductKind::matrices;
  if (!is_matmul && s.op != op_of_fn<Multiply>()) return {};
  const ValueId a = p.in(s)[0], b = p.in(s)[1];
  const TensorType& sum = p.type_of(s.first_out);
  if (is_matmul) {
    const Dims& x = p.type_of(a).shape;
    if (!fits(p, a, b, x.back(), sum) || x.back() > most_inner) return {};
    return Product{a, b, x.back()};
  }
  if (fits(p, a, b, 1, sum)) return Product{a, b, 1};
  if (fits(p, b, a, 1, sum)) return Product{b, a, 1};
  return {};
}

struct Found {
  ProductSum sum;
  std::vector<Product> terms;
};

class Finder {
 public:
  explicit Finder(const Program& p) : p_(p), reads_(p.values.size(), 0) {
    for (ValueId v : p.operands) ++reads_[v];
    for (ValueId v : p.outputs) ++reads_[v];
  }

  std::optional<Found> find(size_t carry) {
    const ValueId before = p_.inputs[carry], after = p_.outputs[carry];
    type_ = &p_.type_of(before);
    if (reads_[before] != 1 || before == after) return {};
    Found found{{carry, type_->shape, type_->dtype, 0, 0}, {}};
    bool added = false;  // the carry
    std::vector<ValueId> open{after};
    while (!open.empty()) {
      const ValueId v = open.back();
      open.pop_back();
      if (v == before) {
        added = true;
        continue;
      }
      if (reads_[v] != 1 || p_.values[v].source != Source::step) return {};
      const Program::Step& s = p_.steps[p_.values[v].index];
      if (s.kernel < 0 && s.op == op_of_fn<Add>()) {
        for (ValueId part : p_.in(s)) {
          if (p_.type_of(part) != *type_) return {};
          open.push_back(part);
        }
      } else if (const auto product = as_product(p_, s)) {
        found.sum.rows += product->rows;
        ++found.sum.n_terms;
        found.terms.push_back(*product);
      } else {
        return {};
      }
    }
    if (!added || found.terms.empty()) return {};
    return found;
  }

 private:
  const Program& p_;
  std::vector<uint32_t> reads_;
  const TensorType* type_ = nullptr;
};

// Returns the two axes of a matrix, or of a vector read as a row.
Value as_matrix(const Value& v) {
  if (v.ndim() == 2) return v;
  return v.view(Dims{1, v.dim(0)}, Dims{0, v.strides()[0]}, 0);
}

Value transposed(const Value& v) {
  return v.view(Dims{v.dim(1), v.dim(0)}, Dims{v.strides()[1], v.strides()[0]}, 0);
}

}  // namespace

bool may_be_gathered(const TensorType& sum) {
  return is_floating(sum.dtype) && sum.shape.size() == 2 &&
         element_count(sum.shape) > most_ungathered &&
         std::min(sum.shape[0], sum.shape[1]) > most_inner;
}

bool is_gathered_term(const Program& p, const Program::Step& s) {
  return may_be_gathered(p.type_of(s.first_out)) && as_product(p, s).has_value();
}

GatheredForm::GatheredForm(const ScanForm& f) : form(f), stays(f.n_carry, 1) {
  std::vector<Found> all;
  if (f.length >= least_gathered_length) {
    std::optional<Finder> finder;
    for (size_t c = 0; c < f.n_carry; ++c) {
      if (!may_be_gathered(f.body->in_type(c))) continue;
      if (!finder) finder.emplace(f.body->program());
      if (std::optional<Found> found = finder->find(c)) {
        all.push_back(std::move(*found));
        stays[c] = 0;
      }
    }
  }
  if (all.empty()) return;
  for (const Found& found : all) sums.push_back(found.sum);
  form.n_carry -= all.size();
  form.body = f.body->derived(flags_name("gathered", {&stays}), [&] {
    Program p = f.body->program();
    p.outputs.clear();
    for (size_t j = 0; j < f.body->n_out(); ++j)
      if (j >= f.n_carry || stays[j]) p.outputs.push_back(f.body->program().outputs[j]);
    for (const Found& found : all)
      for (const Product& term : found.terms)
        p.outputs.insert(p.outputs.end(), {term.left, term.right});
    Flags kept(f.body->n_in(), 1);
    std::copy(stays.begin(), stays.end(), kept.begin());
    return Body::of(drop_dead(p))->keeping_inputs(kept);
  });
}

ProductStack::ProductStack(const ProductSum& sum)
    : m_(sum.shape[0]),
      n_(sum.shape[1]),
      rows_(sum.rows),
      capacity_(std::max(stacked_rows / sum.rows, int64_t{1}) * sum.rows),
      left_(Value::empty(sum.dtype, Dims{capacity_, m_})),
      right_(Value::empty(sum.dtype, Dims{capacity_, n_})) {}

void ProductStack::put(const Value& left, const Value& right) {
  const Value a = transposed(as_matrix(left)), b = as_matrix(right);
  copy_into(left_.view(a.shape(), Dims{m_, 1}, used_ * m_), a);
  copy_into(right_.view(b.shape(), Dims{n_, 1}, used_ * n_), b);
  used_ += a.dim(0);
}

void ProductStack::add_to(Value& carry) {
  if (used_ == 0) return;
  add_in_place(carry, multiply_values(left_.view(Dims{m_, used_}, Dims{1, m_}, 0),
                                      right_.view(Dims{used_, n_}, Dims{n_, 1}, 0)));
  used_ = 0;
}

}  // namespace tapegrad
