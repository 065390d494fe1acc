#include "tapegrad/ops/index/index_part.h"

#include "check.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/registry.h"

using namespace tapegrad;

namespace {

Ref number(int64_t i) { return Ref(Value::integer_scalar(i)); }
Ref numbers(std::vector<int64_t> items) {
  const auto n = static_cast<int64_t>(items.size());
  return Ref(Value::from_int64(items, Dims{n}));
}

Ref counted(const Dims& shape) {
  register_all_ops();
  Value x = Value::empty(DType::float64, shape);
  for (int64_t i = 0; i < x.size(); ++i) x.set_at(i, static_cast<double>(i));
  return Ref(x);
}

Ref read(const Ref& x, const IndexPart& part) { return get_index(x, part.spec, part.indices); }

// Whether one key reads what the two read one after the other.
bool reads_the_same(const Ref& x, const IndexPart& outer, const IndexPart& inner) {
  const std::optional<IndexPart> both = composed(outer, inner, x.shape());
  if (!both) return false;
  const Value found = read(x, *both).value(), expected = read(read(x, outer), inner).value();
  return found.shape() == expected.shape() && same_bits(found.contiguous(), expected.contiguous());
}

}  // namespace

TEST(parts_of_parts_are_parts) {
  const Ref x = counted(Dims{4, 5, 6});
  const IndexPart slices{IndexSpec().range(3, -1, 4).range(1, 2, 2).whole(6), {}};
  CHECK(reads_the_same(x, slices, {IndexSpec().at(1).range(1, -1, 2).range(2, 1, 3), {}}));
  CHECK(reads_the_same(x, slices, {IndexSpec().newaxis().whole(4).at(0).newaxis().whole(6), {}}));
  const IndexPart row{IndexSpec().array().whole(5).whole(6), {number(-2)}};
  CHECK(reads_the_same(x, row, {IndexSpec().at(2).range(1, 2, 2), {}}));
  CHECK(reads_the_same(x, row, {IndexSpec().whole(5).array(), {number(3)}}));
  CHECK(reads_the_same(x, row, {IndexSpec().array().array(), {number(3), number(-1)}}));
}

TEST(stretches_keep_their_place) {
  const Ref x = counted(Dims{4, 5, 6});
  IndexPart stretch{IndexSpec().whole(4).array().whole(6), {numbers({2, 3, 4})}};
  stretch.spec.position = 1;
  CHECK(reads_the_same(x, stretch, {IndexSpec().whole(4).whole(3).at(1), {}}));
  CHECK(reads_the_same(x, stretch, {IndexSpec().at(2).whole(3).range(5, -1, 3), {}}));
  CHECK(reads_the_same(x, stretch, {IndexSpec().array().whole(3).whole(6), {number(1)}}));
  const IndexPart page{IndexSpec().array().whole(5).whole(6), {number(1)}};
  IndexPart inner{IndexSpec().whole(5).array(), {numbers({0, 5})}};
  inner.spec.position = 1;
  CHECK(reads_the_same(x, page, inner));
  const std::optional<IndexPart> both = composed(page, inner, x.shape());
  CHECK(both->spec.position == 1 && both->indices.size() == 2);
}

TEST(what_no_single_key_says_is_none) {
  const Ref x = counted(Dims{4, 5});
  IndexPart stretch{IndexSpec().array().whole(5), {numbers({1, 2})}};
  CHECK(!composed(stretch, {IndexSpec().at(1).whole(5), {}}, x.shape()));
  CHECK(!composed(stretch, {IndexSpec().whole(2).array(), {numbers({0, 1})}}, x.shape()));
  // A number counts from the ends of the part.
  const IndexPart slice{IndexSpec().range(1, 1, 3).whole(5), {}};
  CHECK(!composed(slice, {IndexSpec().array().whole(5), {number(-1)}}, x.shape()));
  CHECK(reads_the_same(x, slice, {IndexSpec().whole(3).array(), {number(-1)}}));
  CHECK(!composed(slice, {IndexSpec().flag(true).whole(3).whole(5), {}}, x.shape()));
}

TEST(parts_begin_at_their_first_positions) {
  const IndexPart part{IndexSpec().array().at(3).array().range(2, 2, 2),
                       {number(7), numbers({4, 5, 6})}};
  const IndexSpec first = at_first_positions(part);
  CHECK(first.is_basic());
  CHECK(first.code == IndexSpec().at(0).at(3).whole(3).range(2, 2, 2).code);
}
