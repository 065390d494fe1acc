#include "tapegrad/program/costs.h"

namespace tapegrad {

std::span<const CostEntry> cost_table() {
  static constexpr CostEntry table[] = {
#define COST(name, ns, what) {#name, ns, what},
#include "tapegrad/program/cost_list.h"
#undef COST
  };
  return table;
}

}  // namespace tapegrad
