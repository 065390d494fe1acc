#include <algorithm>

#include "tapegrad/kernels/linalg/einsum.h"
#include "tapegrad/ops/einsum/einsum_contraction.h"
#include "tapegrad/ops/linalg/linalg_expand.h"
#include "tapegrad/ops/reduce/reduce_expand.h"

// einsum of small arrays: a sum of products over all labels, or, where the order counts, the
// contractions that the op makes, one by one.

namespace tapegrad {
namespace {

EinsumSpec spec_of(ExpandContext& c) {
  const Attrs& attrs = c.attrs();
  std::vector<Dims> shapes;
  for (size_t i = 0; i < c.n_in(); ++i) shapes.push_back(c.in_shape(i));
  return parse_einsum(attrs.text(einsum_attrs::subscripts),
                      attrs.flag_or(einsum_attrs::internal, false), shapes);
}

// The elements of an operand in C order, an axis for each label, no label twice.
struct Term {
  std::vector<int> labels;
  Scalars elements;
  bool is_packed = true;  // its array lies in memory like that
};

class Contractions {
 public:
  explicit Contractions(ExpandContext& c) : c_(c), spec_(spec_of(c)) {}

  // False where the order of a sum is not known.
  bool fits() {
    contract_all();
    return fits_;
  }

  void write() {
    writes_ = true;
    const Term found = contract_all();
    std::vector<int> wanted;
    for (int label : spec_.output)
      if (has_label(found.labels, label)) wanted.push_back(label);
    if (!found.is_packed || wanted != found.labels) c_.mark_strided(0);
    c_.set(0, in_order(found, wanted));
  }

 private:
  Term contract_all() {
    std::vector<Term> terms;
    for (size_t i = 0; i < c_.n_in(); ++i) terms.push_back(term(i));
    return contract_terms(
        spec_, std::move(terms),
        [&](const Term& t, const std::vector<int>& labels) { return summed(t, labels); },
        [&](const Term& a, const Term& b, const std::vector<int>& kept) {
          return contracted(a, b, kept);
        });
  }

  Dims shape(const std::vector<int>& labels) const {
    Dims lengths;
    for (int label : labels) lengths.push_back(spec_.lengths[static_cast<size_t>(label)]);
    return lengths;
  }

  // Axes of length 1 are left out; equal labels have equal indices.
  Term term(size_t i) {
    const Dims& own = c_.in_shape(i);
    const Dims strides = contiguous_strides(own);
    Term t;
    t.is_packed = !c_.is_strided(i);
    Dims steps;
    for (size_t axis = 0; axis < own.size(); ++axis) {
      if (own[axis] == 1) continue;
      const int label = spec_.inputs[i][axis];
      const auto at = std::find(t.labels.begin(), t.labels.end(), label);
      if (at == t.labels.end()) {
        t.labels.push_back(label);
        steps.push_back(strides[axis]);
      } else {
        t.is_packed = false;
        steps[static_cast<size_t>(at - t.labels.begin())] += strides[axis];
      }
    }
    if (writes_) t.elements = walked(c_.in(i), shape(t.labels), steps);
    return t;
  }

  static Scalars walked(const Scalars& all, const Dims& lengths, const Dims& steps) {
    Scalars out;
    Dims index(lengths.size(), 0);
    for (int64_t k = element_count(lengths); k > 0; --k) {
      int64_t at = 0;
      for (size_t axis = 0; axis < index.size(); ++axis) at += index[axis] * steps[axis];
      out.push_back(all[static_cast<size_t>(at)]);
      for (size_t axis = index.size(); axis-- > 0;) {
        if (++index[axis] < lengths[axis]) break;
        index[axis] = 0;
      }
    }
    return out;
  }

  // The term with these axes, repeated along those that it lacks.
  Scalars in_order(const Term& t, const std::vector<int>& labels) const {
    const Dims own = contiguous_strides(shape(t.labels));
    Dims steps;
    for (int label : labels) {
      const auto at = std::find(t.labels.begin(), t.labels.end(), label);
      steps.push_back(at == t.labels.end() ? 0 : own[static_cast<size_t>(at - t.labels.begin())]);
    }
    return walked(t.elements, shape(labels), steps);
  }

  Term summed(const Term& t, const std::vector<int>& labels) {
    Term out;
    Dims flags;
    for (int label : t.labels) {
      flags.push_back(has_label(labels, label));
      if (!has_label(labels, label)) out.labels.push_back(label);
    }
    fits_ = fits_ && (t.is_packed || element_count(shape(t.labels)) <= 2);
    if (writes_) out.elements = sum_axes(c_, dtype(), t.elements, shape(t.labels), flags);
    return out;
  }

  Term contracted(const Term& first, const Term& second, const std::vector<int>& kept) {
    const EinsumPair p = pair_labels(first.labels, second.labels, kept, spec_.output);
    const Term &a = p.swapped ? second : first, &b = p.swapped ? first : second;
    Term out;
    out.labels = p.batch;
    if (p.summed.empty()) {
      if (!writes_) return out;
      const Scalars x = in_order(a, p.batch), y = in_order(b, p.batch);
      for (size_t k = 0; k < x.size(); ++k)
        out.elements.push_back(c_.multiply(dtype(), x[k], y[k]));
      return out;
    }
    out.labels.insert(out.labels.end(), p.a_only.begin(), p.a_only.end());
    out.labels.insert(out.labels.end(), p.b_only.begin(), p.b_only.end());
    const auto count = [&](const std::vector<int>& labels) {
      return static_cast<size_t>(element_count(shape(labels)));
    };
    const size_t rows = count(p.a_only), columns = count(p.b_only), inner = count(p.summed);
    fits_ = fits_ && adds_in_order(count(p.batch), rows, columns, inner);
    if (!writes_) return out;
    std::vector<int> all = out.labels;
    all.insert(all.end(), p.summed.begin(), p.summed.end());
    const Scalars x = in_order(a, all), y = in_order(b, all);
    for (size_t k = 0; k < x.size(); k += inner) {
      Scalars terms;
      for (size_t j = k; j < k + inner; ++j) terms.push_back(c_.multiply(dtype(), x[j], y[j]));
      out.elements.push_back(c_.sum(dtype(), terms));
    }
    return out;
  }

  DType dtype() const { return c_.dtype(); }

  ExpandContext& c_;
  const EinsumSpec spec_;
  bool fits_ = true, writes_ = false;  // the first time through it only looks
};

bool sum_all_products(ExpandContext& c) {
  const EinsumSpec spec = spec_of(c);
  const DType d = c.dtype();
  std::vector<Dims> shapes;
  std::vector<Scalars> in;
  for (size_t i = 0; i < c.n_in(); ++i) {
    shapes.push_back(c.in_shape(i));
    in.push_back(c.in(i));
  }
  int64_t points = 1;
  for (int64_t n : spec.lengths) points *= n;
  if (points > c.most_terms()) return false;
  const auto position = [&](const std::vector<int>& labels, const Dims& shape,
                            const std::vector<int64_t>& index) {
    int64_t p = 0;
    for (size_t k = 0; k < labels.size(); ++k)
      p = p * shape[k] + (shape[k] == 1 ? 0 : index[static_cast<size_t>(labels[k])]);
    return static_cast<size_t>(p);
  };
  const Dims out_shape = spec.output_shape();
  std::vector<Scalars> terms(static_cast<size_t>(element_count(out_shape)));
  std::vector<int64_t> index(spec.lengths.size(), 0);
  for (int64_t k = 0; k < points; ++k) {
    Scalar product = in[0][position(spec.inputs[0], shapes[0], index)];
    for (size_t i = 1; i < in.size(); ++i)
      product = c.multiply(d, product, in[i][position(spec.inputs[i], shapes[i], index)]);
    terms[position(spec.output, out_shape, index)].push_back(product);
    for (size_t axis = index.size(); axis-- > 0;) {
      if (++index[axis] < spec.lengths[axis]) break;
      index[axis] = 0;
    }
  }
  Scalars out;
  for (const Scalars& group : terms) out.push_back(c.sum(d, group));
  c.set(0, std::move(out));
  return true;
}

}  // namespace

bool expand_einsum(ExpandContext& c) {
  if (!c.has_one_floating_dtype()) return false;
  if (!c.keeps_order()) return sum_all_products(c);
  Contractions all(c);
  if (!all.fits()) return false;
  all.write();
  return true;
}

}  // namespace tapegrad
