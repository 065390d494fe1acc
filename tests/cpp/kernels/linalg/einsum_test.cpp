#include "tapegrad/kernels/linalg/einsum.h"

#include "check.h"
#include "kernels/array_cases.h"

using namespace tapegrad;
using namespace cases;

namespace {

using Labels = std::vector<int>;

// Lengths of the labels 0, 1, 2 ...
const Dims lengths{3, 4, 2, 5, 6};

Dims shape_of(const Labels& labels) {
  Dims shape;
  for (int label : labels) shape.push_back(lengths[static_cast<size_t>(label)]);
  return shape;
}

EinsumTerm term(const Labels& labels, int layout, DType d = DType::float64) {
  return {laid_out(shape_of(labels), layout, d), labels};
}

// The term's element where each label has its own index.
double element(const EinsumTerm& t, const Dims& index) {
  int64_t flat = 0;
  for (int label : t.labels)
    flat = flat * lengths[static_cast<size_t>(label)] + index[static_cast<size_t>(label)];
  return t.value.at(flat);
}

// The sum over all labels that the result lacks, element by element.
double distance(const EinsumTerm& a, const EinsumTerm& b, const EinsumTerm& out) {
  Dims shape = shape_of(out.labels);
  double worst = out.value.shape() == shape ? 0 : 1e300;
  Dims walk(lengths.size(), 1);
  for (const EinsumTerm* t : {&a, &b})
    for (int label : t->labels)
      walk[static_cast<size_t>(label)] = lengths[static_cast<size_t>(label)];
  Value expected = Value::zeros(DType::float64, shape);
  for (int64_t i = 0; i < element_count(walk); ++i) {
    const Dims index = index_of(i, walk);
    int64_t flat = 0;
    for (int label : out.labels)
      flat = flat * lengths[static_cast<size_t>(label)] + index[static_cast<size_t>(label)];
    expected.set_at(flat, expected.at(flat) + element(a, index) * element(b, index));
  }
  for (int64_t i = 0; i < expected.size(); ++i)
    worst = std::fmax(worst, std::abs(expected.at(i) - out.value.at(i)));
  return worst;
}

}  // namespace

TEST(labels_are_sorted_by_what_happens_to_them) {
  const EinsumPair p = pair_labels({0, 1, 2, 3}, {3, 2, 4}, {0, 1, 3, 4}, {3, 0, 1, 4});
  CHECK(p.batch == Labels{3} && p.summed == Labels{2});
  CHECK(p.a_only == (Labels{0, 1}) && p.b_only == Labels{4} && !p.swapped);
  const EinsumPair turned = pair_labels({0, 1, 2, 3}, {3, 2, 4}, {0, 1, 3, 4}, {4, 3, 1, 0});
  CHECK(turned.swapped && turned.a_only == Labels{4} && turned.b_only == (Labels{0, 1}));
  // The batch follows the wanted order, whatever the operands'.
  CHECK(pair_labels({0, 1, 2}, {1, 0, 2}, {0, 1}, {1, 0}).batch == (Labels{1, 0}));
  // Nothing is summed: all labels are batch.
  const EinsumPair outer = pair_labels({0}, {1}, {0, 1}, {1, 0});
  CHECK(outer.batch == (Labels{1, 0}) && !outer.swapped);
}

TEST(contractions_of_every_layout) {
  const struct {
    Labels a, b, kept;
  } cases[] = {{{0, 1}, {1, 3}, {0, 3}},                 // a product of matrices
               {{1, 0}, {3, 1}, {0, 3}},                 // both transposed
               {{0, 1, 2}, {2, 3, 1}, {0, 3}},           // two labels summed, in another order
               {{0, 1, 2}, {0, 2, 4}, {0, 1, 4}},        // a stack
               {{1, 0, 2, 3}, {3, 0, 4, 2}, {0, 1, 4}},  // a stack of which the labels lie apart
               {{0, 1}, {0, 1}, {}},                     // to a number
               {{0, 1}, {1, 0}, {1}},                    // what is left is a batch
               {{0, 1}, {2}, {0, 1, 2}},                 // nothing is summed
               {{0}, {0, 1}, {0, 1}}};
  for (const auto& [a, b, kept] : cases)
    for (int left = 0; left < layouts; ++left)
      for (int right = 0; right < layouts; ++right) {
        Labels backwards(kept.rbegin(), kept.rend());
        for (const Labels& order : {kept, backwards}) {
          const EinsumTerm x = term(a, left), y = term(b, right);
          const EinsumTerm out = contract(x, y, kept, order);
          Labels sorted = out.labels;
          std::sort(sorted.begin(), sorted.end());
          CHECK(sorted == kept);
          CHECK(distance(x, y, out) < 1e-14);
        }
      }
}

TEST(an_empty_sum_is_zero_and_an_empty_batch_is_empty) {
  const EinsumTerm a{Value::empty(DType::float64, Dims{2, 0}), {0, 1}};
  const EinsumTerm b{Value::empty(DType::float64, Dims{0, 3}), {1, 2}};
  const EinsumTerm out = contract(a, b, {0, 2}, {0, 2});
  CHECK(out.value.shape() == (Dims{2, 3}));
  for (int64_t i = 0; i < 6; ++i) CHECK(out.value.at(i) == 0);
  CHECK(contract(a, a, {0, 1}, {0, 1}).value.shape() == (Dims{2, 0}));
}

TEST(integers_wrap_and_bools_are_or_of_ands) {
  const int64_t big[] = {int64_t{1} << 62, 3}, four[] = {4, 5};
  const EinsumTerm x{Value::from_int64(big, Dims{2}), {0}},
      y{Value::from_int64(four, Dims{2}), {0}};
  CHECK(contract(x, y, {}, {}).value.as_int64() == 15);
  CHECK(contract(x, y, {0}, {0}).value.data<int64_t>()[0] == 0);
  Value flags = Value::full(DType::bool_, Dims{3, 2}, 1);
  flags.set_at(1, 0);
  const EinsumTerm mask{flags, {0, 1}};
  CHECK(contract(mask, mask, {0}, {0}).value.at(0) == 1);
  const EinsumTerm any = sum_labels(mask, {0});
  CHECK(any.value.dtype() == DType::bool_ && any.value.at(1) == 1 && any.labels == Labels{1});
}

TEST(sums_keep_the_dtype_and_the_other_labels) {
  for (const DType d : {DType::float32, DType::int32, DType::uint64, DType::int8}) {
    const EinsumTerm t{Value::full(d, Dims{3, 2, 5}, 2), {4, 0, 2}};
    const EinsumTerm out = sum_labels(t, {4, 2});
    CHECK(out.labels == Labels{0} && out.value.dtype() == d && out.value.shape() == Dims{2});
    CHECK(out.value.at(0) == 30 && out.value.at(1) == 30);
    CHECK(sum_labels(t, {0, 2, 4}).value.as_double() == 60);
  }
}

TEST(same_bits_for_any_number_of_threads) {
  const Value a = laid_out({70, 80, 30}, 1), b = laid_out({30, 80, 40}, 3);
  CHECK(same_for_any_threads(
      [&] { return contract({a, {0, 1, 2}}, {b, {2, 1, 3}}, {0, 1, 3}, {0, 1, 3}).value; }));
  CHECK(same_for_any_threads(
      [&] { return contract({a, {0, 1, 2}}, {b, {2, 1, 3}}, {0, 1, 2, 3}, {0, 1, 2, 3}).value; }));
}
