#include "tapegrad/base/layout.h"

#include <thread>
#include <vector>

#include "check.h"
#include "tapegrad/base/error.h"
#include "tapegrad/base/value.h"

using namespace tapegrad;

namespace {

// Asked for so often that it stays.
Layout* staying(const Dims& shape, const Dims& strides) {
  Layout* found = nullptr;
  for (int k = 0; k < 1000; ++k) {
    found = Layout::make(shape, strides);
    if (found->stays()) return found;
    found->drop();
  }
  return nullptr;
}

bool is(const Layout& layout, const Dims& shape, const Dims& strides, bool contiguous) {
  const auto n = static_cast<size_t>(layout.ndim());
  return Dims(layout.dims(), n) == shape && Dims(layout.strides(), n) == strides &&
         layout.size() == element_count(shape) && layout.contiguous() == contiguous;
}

}  // namespace

TEST(what_is_asked_for_often_is_one_and_stays) {
  for (const auto& [shape, strides, contiguous] :
       {std::tuple{Dims{7001}, Dims{1}, true}, std::tuple{Dims{3, 7002}, Dims{7002, 1}, true},
        std::tuple{Dims{7003, 3}, Dims{1, 7003}, false}, std::tuple{Dims{7004}, Dims{-1}, false},
        std::tuple{Dims{2, 7005}, Dims{0, 1}, false}, std::tuple{Dims{0, 7006}, Dims{9, 9}, true},
        std::tuple{Dims{1, 1, 1, 7007}, Dims{5, 5, 5, 1}, true}}) {
    Layout* const kept = staying(shape, strides);
    CHECK(kept != nullptr && is(*kept, shape, strides, contiguous));
    CHECK(Layout::make(shape, strides) == kept);
    for (int k = 0; k < 3; ++k) kept->drop();  // nobody counts
    kept->retain();
    CHECK(Layout::make(shape, strides) == kept && is(*kept, shape, strides, contiguous));
  }
}

TEST(lengths_alone_mean_packed_strides) {
  for (const Dims& shape :
       {Dims{7010}, Dims{2, 7011}, Dims{0, 3, 2}, Dims{2, 3, 1, 4}, Dims{2, 1, 3, 1, 7012}}) {
    for (int k = 0; k < 200; ++k) {
      Layout* const made = Layout::make(shape);
      CHECK(is(*made, shape, contiguous_strides(shape), true));
      made->drop();
    }
  }
}

TEST(what_is_asked_for_once_does_not_stay) {
  for (int64_t n = 100000; n < 110000; ++n) {
    Layout* const made = Layout::make(Dims{n});
    CHECK(!made->stays());
    made->drop();
  }
}

TEST(threads_find_the_same_one) {
  std::vector<Layout*> found(8);
  std::vector<std::thread> threads;
  for (Layout*& f : found) threads.emplace_back([&f] { f = staying(Dims{5, 7020}, Dims{1, 5}); });
  for (std::thread& t : threads) t.join();
  for (const Layout* f : found) CHECK(f != nullptr && is(*f, Dims{5, 7020}, Dims{1, 5}, false));
}

TEST(impossible_lengths_are_refused_every_time) {
  for (int k = 0; k < 100; ++k) {
    CHECK_THROWS(ValueError, Layout::make(Dims{-1}));
    CHECK_THROWS(ValueError, Layout::make(Dims{int64_t{1} << 40, int64_t{1} << 40}));
    CHECK_THROWS(ValueError, Layout::make(std::vector<int64_t>(max_ndim + 1, 1)));
  }
}

// Last: it fills the table.
TEST(what_shares_a_place_is_still_itself) {
  std::vector<Layout*> all;
  for (int64_t n = 0; n < 2000; ++n)
    for (int k = 0; k < 100; ++k) all.push_back(Layout::make(Dims{200000 + n}));
  for (size_t i = 0; i < all.size(); ++i)
    CHECK(is(*all[i], Dims{200000 + static_cast<int64_t>(i) / 100}, Dims{1}, true));
  bool some_counted = false;
  for (Layout* layout : all) {
    some_counted |= !layout->stays();
    layout->drop();
  }
  CHECK(some_counted);
}
