// What things cost, as passes reckon that choose between two programs for the same: one table,
// which benchmarks/costs.py measures on the machine at hand and holds against this one. Rough
// figures are enough; they are compiled in and not measured where a program is made, so that a
// function has the same program, and the same bits, everywhere.
#pragma once

#include <span>

namespace tapegrad {

namespace costs {
#define COST(name, ns, what) inline constexpr double name = ns;
#include "tapegrad/program/cost_list.h"
#undef COST
}  // namespace costs

struct CostEntry {
  const char* name;
  double ns;
  const char* what;
};
std::span<const CostEntry> cost_table();

// A multiply-add of a product of matrices.
inline double product_cost(double inner) {
  return costs::product + costs::small_product / (inner * inner);
}

}  // namespace tapegrad
