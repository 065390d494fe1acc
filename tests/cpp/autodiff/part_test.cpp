#include <vector>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/autodiff/scalar_operation.h"
#include "tapegrad/base/error.h"
#include "tapegrad/tape/tape.h"

using namespace tapegrad;

namespace {

Value counted(const Dims& shape) {
  Value v = Value::empty(DType::float64, shape);
  for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, 1.0 + static_cast<double>(i));
  return shape.empty() ? Value(1.0) : v;
}

IndexEntry at(int64_t i) { return {.kind = IndexEntry::position, .start = i}; }
IndexEntry slice(int64_t start, int64_t stop, int64_t step = 1) {
  return {IndexEntry::slice, true, true, start, stop, step};
}
IndexEntry all(int64_t step = 1) { return {.kind = IndexEntry::slice, .step = step}; }
const IndexEntry newaxis{.kind = IndexEntry::newaxis}, ellipsis{.kind = IndexEntry::ellipsis};

const std::vector<std::vector<IndexEntry>> keys = {{all()},
                                                   {slice(1, 3)},
                                                   {slice(0, 1)},
                                                   {slice(2, 1)},
                                                   {all(-1)},
                                                   {slice(-2, 9)},
                                                   {at(1)},
                                                   {at(-1)},
                                                   {ellipsis},
                                                   {newaxis},
                                                   {},
                                                   {ellipsis, at(0)},
                                                   {at(0), ellipsis},
                                                   {newaxis, all(), at(0)},
                                                   {all(), slice(1, 2)},
                                                   {at(1), at(0)}};

CellPtr by_item(Cell& x, const std::vector<IndexEntry>& key) {
  return CellPtr(x.item(resolve_key(key, {}, x.type().shape, KeyUse::read)));
}

bool are_same(Cell& a, Cell& b) {
  return same_bits(a.value(), b.value()) && a.is_view() == b.is_view() &&
         a.is_number() == b.is_number() && a.is_leaf() == b.is_leaf();
}

}  // namespace

TEST(a_part_is_the_item) {
  for (const Dims& shape : {Dims{4}, Dims{3, 4}, Dims{4, 3}, Dims{2, 3, 2}, Dims{5, 1}, Dims{}})
    for (const auto& key : keys)
      for (int k = 0; k < 3; ++k) {
        const CellPtr x(Cell::leaf(counted(shape)));
        CellPtr expected, found;
        try {
          expected = by_item(*x, key);
        } catch (const Error&) {
          CHECK_THROWS(IndexError, part_at(*x, key));
          continue;
        }
        found = CellPtr(part_at(*x, key));
        CHECK(found && are_same(*found, *expected));
      }
}

TEST(elements_at_positions_and_masks_are_the_item) {
  const Value positions = [] {
    Value v = Value::empty(DType::int64, Dims{2});
    v.set_at(0, 2), v.set_at(1, -1);
    return v;
  }();
  const Value square = positions.view(Dims{1, 2}, Dims{2, 1}, 0), four = [] {
    Value v = Value::empty(DType::bool_, Dims{4});
    for (int i = 0; i < 4; ++i) v.set_at(i, i == 1 || i == 3);
    return v;
  }();
  const IndexEntry list{.kind = IndexEntry::positions}, mask{.kind = IndexEntry::mask};
  struct Case {
    std::vector<IndexEntry> key;
    std::vector<Ref> arrays;
  };
  const std::vector<Case> cases = {{{list}, {positions}},
                                   {{mask}, {four}},
                                   {{list}, {square}},
                                   {{all(), list}, {positions}},
                                   {{all(), mask}, {four}},
                                   {{at(0), list}, {positions}},
                                   {{list, at(0)}, {positions}},
                                   {{slice(0, 2), list}, {square}},
                                   {{list, newaxis}, {positions}},
                                   {{list, newaxis, list}, {positions, positions}},
                                   {{list, list}, {square, positions}},
                                   {{list, mask}, {positions, four}}};
  for (const Dims& shape : {Dims{4}, Dims{3, 4}, Dims{4, 3}, Dims{2, 3, 4}, Dims{1}})
    for (const Case& c : cases)
      for (int k = 0; k < 2; ++k) {
        const CellPtr x(Cell::leaf(counted(shape)));
        CellPtr expected, found;
        auto key = c.key;
        auto arrays = c.arrays;
        try {
          expected = CellPtr(x->item(resolve_key(key, arrays, shape, KeyUse::read)));
        } catch (const Error&) {  // an error, or the general way that raises it
          try {
            CHECK(elements_at(*x, key, arrays) == nullptr);
          } catch (const IndexError&) {
          }
          continue;
        }
        found = CellPtr(elements_at(*x, key, arrays));
        CHECK(found && are_same(*found, *expected));
        backward(*CellPtr(Cell::from(sum(Variable(expected)).ref())));
        const Value wanted = x->grad();
        x->clear_grad();
        backward(*CellPtr(Cell::from(sum(Variable(found)).ref())));
        CHECK(same_bits(x->grad(), wanted));
      }
}

TEST(elements_that_are_left) {
  const CellPtr x(Cell::leaf(counted({4}))), blank(Cell::blank(counted({4})));
  Value short_mask = Value::empty(DType::bool_, Dims{3});
  for (int i = 0; i < 3; ++i) short_mask.set_at(i, 1);
  std::vector<IndexEntry> key{{.kind = IndexEntry::mask}};
  std::vector<Ref> arrays{short_mask};
  CHECK(elements_at(*x, key, arrays) == nullptr);
  key = {{.kind = IndexEntry::positions}};
  arrays = {Ref(Value::full(DType::int64, Dims{3}, 1.0))};
  CHECK(elements_at(*blank, key, arrays) == nullptr);
  key = {ellipsis, {.kind = IndexEntry::positions}};
  CHECK(elements_at(*x, key, arrays) == nullptr);
}

TEST(a_part_follows_its_array_and_has_its_derivative) {
  const std::vector<IndexEntry> key{slice(1, 3)};
  for (int k = 0; k < 2; ++k) {
    const CellPtr x(Cell::leaf(counted({4})));
    const CellPtr part(part_at(*x, key));
    IndexSpec second;
    second.at(1);
    x->assign(second, {}, Ref(7.0));
    CHECK(part->value().at(0) == 7 && part->value().at(1) == 3);
    backward(*CellPtr(Cell::from(sum(Variable(part)).ref())));
    CHECK(x->grad().at(0) == 0 && x->grad().at(1) == 1 && x->grad().at(3) == 0);
  }
}

TEST(what_lies_otherwise_is_read_by_its_strides) {
  const Value columns = counted({3, 4}).view(Dims{4, 3}, Dims{1, 4}, 0);
  for (int k = 0; k < 2; ++k) {
    const CellPtr packed(Cell::leaf(columns.copy())), x(Cell::leaf(columns));
    for (const auto& key : {std::vector{slice(1, 3), slice(0, 2)}, {at(1)}, {all(), at(2)}})
      CHECK(same_bits(CellPtr(part_at(*x, key))->value().contiguous(),
                      CellPtr(part_at(*packed, key))->value().contiguous()));
  }
}

TEST(views_blanks_and_other_keys_are_left) {
  const CellPtr x(Cell::leaf(counted({4}))), blank(Cell::blank(counted({4})));
  const std::vector<IndexEntry> key{slice(1, 3)};
  const CellPtr view(part_at(*x, key));
  CHECK(view->is_view());
  CHECK(part_at(*view, key) == nullptr && part_at(*blank, key) == nullptr);
  CHECK(part_at(*x, std::vector<IndexEntry>{{.kind = IndexEntry::flag, .start = 1}}) == nullptr);
  CHECK(part_at(*x, std::vector<IndexEntry>(5, newaxis)) == nullptr);
  CHECK(part_at(*x, std::vector<IndexEntry>{
                        {.kind = IndexEntry::position, .start = 1, .is_array = true}}) == nullptr);
}

TEST(without_recording_nothing_is_recorded) {
  const CellPtr x(Cell::leaf(counted({4})));
  const RecordingGuard off(false);
  const int64_t before = Tape::current().live_nodes();
  const CellPtr part(part_at(*x, std::vector<IndexEntry>{slice(1, 3)}));
  CHECK(part->value().at(0) == 2 && Tape::current().live_nodes() == before);
}
