#include "tapegrad/base/recycled.h"

#include <utility>

namespace tapegrad::recycled {

constinit thread_local Blocks blocks[n_sizes] = {};

namespace {

struct Owner {
  ~Owner() {
    for (Blocks& b : blocks) {
      b.count = most_kept;
      while (b.first) ::operator delete(std::exchange(b.first, *static_cast<void**>(b.first)));
    }
  }
};

}  // namespace

void own_blocks() { thread_local Owner owner; }

}  // namespace tapegrad::recycled
