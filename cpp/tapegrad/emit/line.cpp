#include "tapegrad/emit/line.h"

#include <algorithm>
#include <cstdio>

namespace tapegrad::emit {

std::string listing_of(const Compiled& made) {
  std::string all;
  for (const ListedInstruction& i : made.code.listing()) {
    char place[16];
    std::snprintf(place, sizeof place, "%6zx  ", i.at);
    std::string bytes;
    for (uint8_t b : made.code.bytes().subspan(i.at, i.length)) {
      char two[4];
      std::snprintf(two, sizeof two, "%02x", b);
      bytes += two;
    }
    bytes.resize(std::max<size_t>(bytes.size(), 26), ' ');
    all += place + bytes + i.text + "\n";
  }
  return all;
}

}  // namespace tapegrad::emit
