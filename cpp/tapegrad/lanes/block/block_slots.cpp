#include "tapegrad/lanes/block/block_slots.h"

#include "tapegrad/lanes/block/block_rows.h"

namespace tapegrad {
namespace {

using emit::RowValue;

// Visits what a piece reads from rows and what it writes to them.
template <class Read, class Write>
void visit_rows(emit::RowProgram& p, Read&& read, Write&& write) {
  std::vector<uint8_t> is_given(p.values.size());
  for (const emit::Line& line : p.lines) is_given[line.out] = 1;
  for (const bool given : {false, true})
    for (size_t v = 0; v < p.values.size(); ++v) {
      if (p.values[v].kind != RowValue::Kind::row || is_given[v] != given) continue;
      auto place = static_cast<uint32_t>(p.values[v].at);
      given ? write(place) : read(place);
      p.values[v].at = static_cast<int32_t>(place);
    }
}

// Visits the rows of all steps and pieces, in order; next() stands between two of them.
template <class T, class Read, class Write, class Next>
void visit_all(BlockPieces<T>& made, Read&& read, Write&& write, Next&& next) {
  auto piece = made.pieces.begin();
  for (size_t i = 0; i < made.code.steps.size();) {
    if (piece != made.pieces.end() && piece->begin == i) {
      visit_rows(piece->program, read, write);
      i = piece->end;
      ++piece;
    } else {
      visit_rows(made.code.steps[i], made.code.lists.data(), read, write);
      ++i;
    }
    next();
  }
}

}  // namespace

template <class T>
bool share_slots(BlockPieces<T>& made, uint32_t places) {
  const uint32_t first = made.code.first_slot;
  std::vector<uint32_t> last(made.code.places), at(made.code.places);
  uint32_t now = 0;
  const auto seen = [&](uint32_t place) { last[place] = now; };
  visit_all(made, seen, seen, [&] { ++now; });

  std::vector<uint32_t> free, ending;
  uint32_t end = first;
  now = 0;
  // A row that ends here is not written over here: it may be read after what is written.
  const auto ends = [&](uint32_t place) {
    if (last[place] == now) ending.push_back(at[place]);
  };
  visit_all(
      made,
      [&](uint32_t& place) {
        if (place < first) return;
        const uint32_t row = place;
        place = at[row];
        ends(row);
        if (last[row] == now) last[row] = ~uint32_t{0};  // a repeated operand ends once
      },
      [&](uint32_t& place) {
        if (place < first) return;
        const uint32_t row = place;
        if (free.empty()) {
          at[row] = end++;
        } else {
          at[row] = free.back();
          free.pop_back();
        }
        place = at[row];
        ends(row);
      },
      [&] {
        free.insert(free.end(), ending.begin(), ending.end());
        ending.clear();
        ++now;
      });
  made.code.places = end;
  return end <= places;
}

template bool share_slots(BlockPieces<float>&, uint32_t);
template bool share_slots(BlockPieces<double>&, uint32_t);

}  // namespace tapegrad
