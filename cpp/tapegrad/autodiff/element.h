#pragma once

#include <span>

#include "tapegrad/autodiff/variable.h"

namespace tapegrad {

// x[i], x[i, j] at plain positions, which may count from the end: what loops read, without a key,
// its region and a view. The recorded node is that of Cell::item. Null where there is more to see
// to: positions that name no element, a blank, a function that is being recorded.
Cell* element_at(Cell& x, std::span<const int64_t> positions);

}  // namespace tapegrad
