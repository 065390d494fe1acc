#include "tapegrad/base/recycled.h"

#include <utility>

namespace tapegrad::recycled {

constinit thread_local Blocks blocks[n_sizes] = {};

void own_blocks() {
  thread_local struct Owner {
    ~Owner() {
      for (Blocks& b : blocks)
        for (b.count = most_kept; b.first != nullptr;)
          ::operator delete(std::exchange(b.first, *static_cast<void**>(b.first)));
    }
  } owner;
}

}  // namespace tapegrad::recycled
