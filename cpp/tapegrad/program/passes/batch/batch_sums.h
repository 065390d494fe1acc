#pragma once

#include "tapegrad/program/program.h"

namespace tapegrad {

// p with the sums over all rows of a product taken before the product.
Program sums_before_products(const Program& p);

}  // namespace tapegrad
