#include "tapegrad/program/passes/local/parts/part_chains.h"

#include "program/programs.h"
#include "tapegrad/ops/index/index_spec.h"

using namespace programs;
using namespace tapegrad;

namespace {

// An array of three rows of four, and keys of parts of it.
struct Parts {
  Draft d;
  ValueId array = d.input({3, 4});
  Program p;
  PartChains chains;

  explicit Parts(const std::vector<IndexSpec>& keys) {
    p = d.returning({array});
    for (const IndexSpec& key : keys) p.attrs.push_back(key.attrs());
  }
  // Of key number k, counted from 1.
  PartChains::Part part(uint32_t k) { return chains.part_of(p, k, array); }
};

IndexSpec row(int64_t i) { return IndexSpec().at(i).whole(4); }
IndexSpec element(int64_t i, int64_t j) { return IndexSpec().at(i).at(j); }
IndexSpec column(int64_t j) { return IndexSpec().whole(3).at(j); }

}  // namespace

TEST(equal_keys_are_one_part) {
  Parts parts({row(1), row(1), row(2), element(1, 2)});
  CHECK(parts.part(1).number == parts.part(2).number);
  CHECK(parts.part(1).number != parts.part(3).number);
  CHECK(!parts.part(1).is_element && parts.part(4).is_element);
}

TEST(keys_without_a_position_are_no_parts) {
  Parts parts({IndexSpec().whole(3).whole(4), IndexSpec().at(1)});
  CHECK(!parts.part(1).is_known());  // the whole
  CHECK(!parts.part(2).is_known());  // an axis without an item
}

// There it holds for the last axes, as where turns or lanes come before them.
TEST(a_key_is_no_part_of_an_array_with_more_axes) {
  Draft d;
  const ValueId array = d.input({3, 4}), lanes = d.input({5, 3, 4});
  Program p = d.returning({array, lanes});
  p.attrs.push_back(row(0).attrs());
  for (const bool of_lanes_first : {false, true}) {
    PartChains chains;
    if (of_lanes_first) CHECK(!chains.part_of(p, 1, lanes).is_known());
    CHECK(chains.part_of(p, 1, array).is_known());
    CHECK(!chains.part_of(p, 1, lanes).is_known());
    CHECK(chains.part_of(p, 1, array).is_known());
  }
}

TEST(the_last_write_that_touches_a_part) {
  Parts parts({row(0), row(1), element(1, 2), row(2)});
  const ValueId first = 10, second = 11, third = 12;
  parts.chains.add(first, parts.array, parts.part(2), 5, false);
  parts.chains.add(second, first, parts.part(3), 6, true);
  parts.chains.add(third, second, parts.part(1), 7, false);
  const PartChains::Version v = parts.chains.version_of(third);
  CHECK(v.writes == 3);
  const auto touch = [&](uint32_t k, uint32_t end) {
    return parts.chains.last_touch(v.chain, parts.part(k), end);
  };
  CHECK(touch(1, 3).number == 3 && touch(1, 3).how == Overlap::same);
  CHECK(touch(2, 3).number == 2 && touch(2, 3).how == Overlap::inside);
  CHECK(touch(2, 1).number == 1 && touch(2, 1).how == Overlap::same);
  CHECK(touch(3, 1).number == 1 && touch(3, 1).how == Overlap::around);
  CHECK(touch(4, 3).number == 0);
  CHECK(parts.chains.has_element_at(v, 1) && !parts.chains.has_element_at(v, 0));
  CHECK(parts.chains.chain(v.chain).writes[1].adds);
}

TEST(another_lead_or_an_older_version_begins_a_chain) {
  Parts parts({row(0), column(1), row(1)});
  const ValueId first = 10, other = 11, again = 12;
  parts.chains.add(first, parts.array, parts.part(1), 5, false);
  parts.chains.add(other, first, parts.part(2), 6, false);
  parts.chains.add(again, parts.array, parts.part(3), 7, false);
  const auto chain = [&](ValueId v) { return parts.chains.version_of(v).chain; };
  CHECK(chain(first) != chain(other) && chain(other) != chain(again));
  CHECK(parts.chains.chain(chain(other)).axis == 1);
  CHECK(parts.chains.chain(chain(other)).root == first);
  CHECK(parts.chains.last_touch(chain(first), parts.part(2), 1).how == Overlap::unclear);
}
