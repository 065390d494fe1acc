#include "tapegrad/base/recycled.h"

#include <thread>
#include <vector>

#include "check.h"

using namespace tapegrad;

namespace {

struct Small : recycled::Recycled {
  double content[5];
};

struct Large : recycled::Recycled {
  double content[100];
};

}  // namespace

TEST(what_was_freed_is_the_next_of_its_size) {
  auto* const a = new Small;
  delete a;
  auto* const b = new Small;
  CHECK(b == a);
  auto* const c = new Small;
  CHECK(c != b);
  delete b;
  delete c;
}

TEST(large_objects_are_not_kept) {
  delete new Large;
  for (const recycled::Blocks& b : recycled::blocks) CHECK(b.count < recycled::most_kept);
}

TEST(a_thread_keeps_so_many_and_frees_them_at_its_end) {
  std::thread([] {
    std::vector<Small*> all;
    for (int i = 0; i < recycled::most_kept + 10; ++i) all.push_back(new Small);
    for (Small* s : all) delete s;
    const size_t k = (sizeof(Small) - 1) / recycled::step;
    CHECK(recycled::blocks[k].count == recycled::most_kept);
  }).join();
}

TEST(an_object_may_go_on_another_thread) {
  auto* const made = new Small;
  std::thread([made] { delete made; }).join();
}
