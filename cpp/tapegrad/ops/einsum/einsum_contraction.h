#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "tapegrad/kernels/linalg/einsum.h"
#include "tapegrad/ops/einsum/einsum_spec.h"

namespace tapegrad {

// One term of many, each with a vector `labels`: labels that a single term has are summed there, by
// sum(term, labels); terms are contracted two at a time, the cheapest pair first, by
// contract(a, b, kept).
template <class Term, class Sum, class Contract>
Term contract_terms(const EinsumSpec& spec, std::vector<Term> terms, Sum&& sum,
                    Contract&& contract) {
  const auto length = [&](int label) {
    return static_cast<double>(spec.lengths[static_cast<size_t>(label)]);
  };
  // Labels that the output or a term other than `self` has.
  const auto needed_beside = [&](size_t self) {
    std::vector<int> labels = spec.output;
    for (size_t i = 0; i < terms.size(); ++i)
      if (i != self) labels.insert(labels.end(), terms[i].labels.begin(), terms[i].labels.end());
    return labels;
  };
  const auto cost = [&](const Term& a, const Term& b) {
    double product = 1;
    for (int label : a.labels) product *= length(label);
    for (int label : b.labels)
      if (!has_label(a.labels, label)) product *= length(label);
    return product;
  };
  for (size_t i = 0; i < terms.size(); ++i) {
    const std::vector<int> needed = needed_beside(i);
    std::vector<int> lone;
    for (int label : terms[i].labels)
      if (!has_label(needed, label)) lone.push_back(label);
    if (!lone.empty()) terms[i] = sum(terms[i], lone);
  }
  while (terms.size() > 1) {
    std::pair<size_t, size_t> best{0, 1};
    double least = cost(terms[0], terms[1]);
    for (size_t i = 0; i < terms.size(); ++i)
      for (size_t j = i + 1; j < terms.size(); ++j)
        if (const double c = cost(terms[i], terms[j]); c < least) {
          least = c;
          best = {i, j};
        }
    const auto [i, j] = best;
    const Term a = std::move(terms[i]), b = std::move(terms[j]);
    terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(j));
    terms[i] = {};
    terms[i] = contract(a, b, needed_beside(i));
  }
  return std::move(terms[0]);
}

}  // namespace tapegrad
