#include "tapegrad/program/costs.h"

#include <set>
#include <string>

#include "check.h"

namespace tapegrad {

TEST(each_cost_stands_once_and_says_what_it_is) {
  std::set<std::string> names;
  for (const CostEntry& e : cost_table()) {
    CHECK(names.insert(e.name).second);
    CHECK(e.ns > 0 && std::string(e.what).size() > 10);
  }
  CHECK(names.contains("step") && names.contains("row_element"));
}

TEST(small_matrices_cost_more_for_each_product) {
  CHECK(product_cost(3) > 5 * product_cost(16));
  CHECK(product_cost(1000) < 1.1 * costs::product);
}

}  // namespace tapegrad
