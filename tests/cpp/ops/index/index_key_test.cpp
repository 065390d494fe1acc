#include "tapegrad/ops/index/index_key.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "check.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/tape/tracer.h"

using namespace tapegrad;

namespace {

using Bound = std::optional<int64_t>;

IndexEntry at(int64_t i) { return {.kind = IndexEntry::position, .start = i}; }
IndexEntry slice_of(Bound start, Bound stop, int64_t step = 1) {
  return {IndexEntry::slice, start.has_value(), stop.has_value(),
          start.value_or(0), stop.value_or(0),  step};
}
IndexEntry flag(bool on) { return {.kind = IndexEntry::flag, .start = on}; }
const IndexEntry newaxis{.kind = IndexEntry::newaxis}, ellipsis{.kind = IndexEntry::ellipsis},
    positions{.kind = IndexEntry::positions}, mask{.kind = IndexEntry::mask};

IndexKey resolve(std::vector<IndexEntry> entries, Dims shape, std::vector<Ref> arrays = {},
                 KeyUse use = KeyUse::read) {
  register_all_ops();
  return resolve_key(entries, std::move(arrays), shape, use);
}

Value integers(std::initializer_list<int64_t> items) {
  return Value::from_int64(std::vector<int64_t>(items), Dims{static_cast<int64_t>(items.size())});
}

// The elements of 0, 1, ... that a slice takes.
std::vector<int64_t> taken(int64_t length, const IndexEntry& slice) {
  const IndexItem item = resolve({slice}, Dims{length}).spec.items()[0];
  std::vector<int64_t> found;
  for (int64_t k = 0; k < item.length; ++k) found.push_back(item.start + k * item.step);
  return found;
}

// What Python's slice takes, step by step.
std::vector<int64_t> expected(int64_t length, Bound start, Bound stop, int64_t step) {
  const auto bound = [&](Bound b, int64_t otherwise) {
    if (!b) return otherwise;
    const int64_t i = *b < 0 ? *b + length : *b;
    return step > 0 ? std::clamp<int64_t>(i, 0, length) : std::clamp<int64_t>(i, -1, length - 1);
  };
  const int64_t end = bound(stop, step > 0 ? length : -1);
  std::vector<int64_t> found;
  for (int64_t i = bound(start, step > 0 ? 0 : length - 1); step > 0 ? i < end : i > end; i += step)
    found.push_back(i);
  return found;
}

}  // namespace

TEST(slices_take_what_pythons_take) {
  std::vector<Bound> bounds{std::nullopt};
  for (int64_t b = -6; b <= 6; ++b) bounds.emplace_back(b);
  for (int64_t length = 0; length <= 4; ++length)
    for (const Bound start : bounds)
      for (const Bound stop : bounds)
        for (const int64_t step : {1, 2, 5, -1, -2, -5})
          CHECK(taken(length, slice_of(start, stop, step)) == expected(length, start, stop, step));
  constexpr int64_t farthest = std::numeric_limits<int64_t>::max();
  CHECK(taken(4, slice_of({}, {}, farthest)) == std::vector<int64_t>{0});
  CHECK(taken(4, slice_of({}, {}, -farthest)) == std::vector<int64_t>{3});
  CHECK_THROWS_SAYING(ValueError, "zero", taken(4, slice_of({}, {}, 0)));
}

TEST(keys_that_mean_something_else_of_another_length_are_known) {
  const auto clipped = [](const IndexEntry& e) { return resolve({e}, Dims{5}).clipped; };
  CHECK(!clipped(slice_of({}, {})) && !clipped(slice_of(1, -1)) && !clipped(slice_of({}, 3)));
  CHECK(clipped(slice_of({}, 6)) && clipped(slice_of(-6, {})) && clipped(slice_of(3, 1)));
  CHECK(clipped(slice_of({}, {}, 2)) && !clipped(slice_of(0, 4, 2)));
  CHECK(!clipped(slice_of({}, {}, -1)) && clipped(slice_of(5, {}, -1)));
}

TEST(positions_are_counted_from_the_front) {
  const IndexKey key = resolve({at(-1), ellipsis, at(0)}, Dims{3, 4, 5});
  CHECK(key.spec.items().size() == 3);
  CHECK(key.spec.items()[0].start == 2 && key.spec.items()[1].length == 4);
  CHECK(result_shape(key.spec, Dims{3, 4, 5}) == (Dims{4}));
  CHECK_THROWS_SAYING(IndexError, "index 3 is out of bounds for axis 0 with size 3",
                      resolve({at(3)}, Dims{3}));
  CHECK_THROWS_SAYING(IndexError, "index -4 is out of bounds", resolve({at(-4)}, Dims{3}));
}

TEST(counts_of_axes_are_checked) {
  CHECK_THROWS_SAYING(IndexError, "too many indices", resolve({at(0), at(0)}, Dims{3}));
  CHECK_THROWS_SAYING(IndexError, "single ellipsis", resolve({ellipsis, ellipsis}, Dims{3}));
  CHECK_THROWS_SAYING(IndexError, "dimensions must be within",
                      resolve(std::vector<IndexEntry>(70, newaxis), Dims{3}));
  CHECK(result_shape(resolve({newaxis}, Dims{3}).spec, Dims{3}) == (Dims{1, 3}));
}

TEST(masks_are_the_positions_where_they_are_true) {
  const Value m = integers({1, 0, 1}).cast(DType::bool_);
  const IndexKey key = resolve({mask}, Dims{3, 2}, {Ref(m)});
  CHECK(key.arrays.size() == 1 && !key.spec.is_basic());
  CHECK(same_bits(key.arrays[0].value(), integers({0, 2})));
  CHECK_THROWS_SAYING(IndexError, "boolean index did not match",
                      resolve({mask}, Dims{4}, {Ref(m)}));
  const Value none = Value::empty(DType::bool_, Dims{0});
  CHECK(resolve({mask}, Dims{4}, {Ref(none)}).arrays[0].size() == 0);
  const IndexKey single = resolve({mask}, Dims{4}, {Ref(Value::integer_scalar(1, DType::bool_))});
  CHECK(single.arrays.empty() && single.spec.items()[0].kind == IndexKind::flag);
}

TEST(axes_of_index_arrays_stand_where_numpy_puts_them) {
  const Ref i(integers({0, 1}));
  const auto position = [&](std::vector<IndexEntry> entries, std::vector<Ref> arrays) {
    return resolve(std::move(entries), Dims{3, 4, 5}, std::move(arrays)).spec.position;
  };
  CHECK(position({slice_of({}, {}), positions, positions}, {i, i}) == 1);
  CHECK(position({positions, slice_of({}, {}), positions}, {i, i}) == 0);
  CHECK(position({slice_of({}, {}), positions, ellipsis, at(0)}, {i}) == 0);
  CHECK(position({slice_of({}, {}), at(0), positions}, {i}) == 1);
  CHECK(position({newaxis, flag(true)}, {}) == 1);
}

TEST(recorded_positions_stay_recorded_and_masks_are_learned) {
  register_all_ops();
  Tracer tracer;
  const Ref i = tracer.argument(integers({2, 0}).cast(DType::int32));
  const IndexKey key = resolve({positions}, Dims{3}, {i});
  CHECK(key.arrays[0].tracked() && key.arrays[0].dtype() == DType::int64);
  CHECK(tracer.guards().empty());
  const Ref m = tracer.argument(integers({1, 0, 1}).cast(DType::bool_));
  CHECK(!resolve({mask}, Dims{3}, {m}).arrays[0].tracked());
  CHECK(tracer.guards().size() == 1 && tracer.guards()[0].value.slot() == m.slot());
}

TEST(recorded_numbers_stay_recorded) {
  register_all_ops();
  Tracer tracer;
  const Ref n = tracer.argument(Value::integer_scalar(-1));
  CHECK(resolve({positions, at(0)}, Dims{3, 2}, {n}).arrays.size() == 1);
  CHECK(resolve({positions}, Dims{3, 2}, {n}, KeyUse::write).arrays.size() == 1);
  const IndexKey row = resolve({positions}, Dims{3, 2}, {n});
  CHECK(row.arrays.size() == 1 && row.shows && row.spec.position == 0);
  const Ref j = tracer.argument(integers({0, 1}));
  const IndexKey both = resolve({positions, positions}, Dims{3, 2}, {n, j});
  CHECK(both.arrays.size() == 2 && !both.shows);  // a copy
  CHECK(tracer.guards().empty());
  // An array of no axes is no number: what it chooses is a copy, and learned.
  IndexEntry array = positions;
  array.is_array = true;
  const IndexKey copy = resolve({array}, Dims{3, 2}, {n});
  CHECK(copy.spec.is_basic() && copy.spec.items()[0].start == 2 && copy.copies && !copy.shows);
  CHECK(tracer.guards().size() == 1);
}

TEST(recorded_numbers_are_learned_where_a_view_would_lie_in_another_order) {
  register_all_ops();
  Tracer tracer;
  const Ref n = tracer.argument(Value::integer_scalar(1));
  const auto of_elements = [&](std::vector<IndexEntry> entries) {
    return resolve(std::move(entries), Dims{3, 2}, {n}, KeyUse::read_elements);
  };
  CHECK(of_elements({positions, at(0)}).arrays.size() == 1 && tracer.guards().empty());
  const IndexKey row = of_elements({positions});
  CHECK(row.spec.is_basic() && row.spec.items()[0].start == 1 && tracer.guards().size() == 1);
}

TEST(of_recorded_bounds_it_is_learned_how_far_they_are_apart) {
  register_all_ops();
  Tracer tracer;
  const IndexEntry bounds{.kind = IndexEntry::bounds};
  const auto numbers = [&](int64_t start, int64_t stop) {
    return std::vector<Ref>{tracer.argument(Value::integer_scalar(start)),
                            tracer.argument(Value::integer_scalar(stop))};
  };
  const IndexKey key = resolve({at(0), slice_of({}, {}), bounds}, Dims{2, 3, 9}, numbers(4, 7));
  CHECK(key.shows && key.clipped && key.spec.position == 1 && key.arrays.size() == 1);
  CHECK(same_bits(key.arrays[0].value(), integers({4, 5, 6})));
  CHECK(tracer.guards().size() == 2);
  CHECK(tracer.guards()[0].expected.as_int64() == 9);  // neither end is passed
  CHECK(tracer.guards()[1].expected.as_int64() == 3);
  // Bounds that reach over an end are cut off there, and learned.
  const IndexKey cut = resolve({bounds}, Dims{9}, numbers(7, 12));
  CHECK(cut.spec.is_basic() && cut.spec.items()[0].length == 2 && tracer.guards().size() == 4);
  const IndexKey wrapped = resolve({bounds}, Dims{9}, numbers(-3, -1));
  CHECK(wrapped.spec.items()[0].start == 6 && wrapped.spec.items()[0].length == 2);
  // Of two stretches the arrays would be broadcast: the second one is learned.
  std::vector<Ref> four = numbers(0, 1);
  for (const Ref& r : numbers(1, 3)) four.push_back(r);
  const IndexKey two = resolve({bounds, bounds}, Dims{4, 4}, four);
  CHECK(two.arrays.size() == 1 && two.spec.items()[1].length == 2);
}
