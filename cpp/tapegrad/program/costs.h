// What things cost, as passes reckon that choose between two programs for the same: one table,
// which `python -m benchmarks.costs` measures on the machine at hand and holds against this one, or
// writes (--write). Rough figures are enough; they are compiled in and not measured where a program
// is made, so that a function has the same program, and the same bits, everywhere.
#pragma once

#include <string_view>

namespace tapegrad {

struct CostEntry {
  std::string_view name;
  double ns;
  std::string_view what;  // of what
};

inline constexpr CostEntry cost_table[] = {
    // Steps, whatever their arrays
    {"step", 300, "an op that is no other step of this list"},
    {"elementwise_step", 150, "an elementwise op that is not fused"},
    {"view_step", 60, "a reshape or another view"},
    {"planned_step", 60, "an op in the body of a scan whose arrays have their places"},
    {"turn", 10, "a turn of a scan"},
    // For each element
    {"element", 0.5, "to move or add an element of small arrays"},
    {"far_byte", 0.08, "to read or write a byte of an array that is in no near cache"},
    // Scalar tapes on one element
    {"instruction", 1.3, "an instruction of a scalar tape"},
    {"far_instruction", 2.5, "an instruction of a tape that the near caches do not hold"},
    // Scalar tapes on rows of lanes
    {"row_instruction", 4, "an instruction on a row"},
    {"row_element", 0.06, "an addition on one lane more of a row"},
    // Products of matrices
    {"product", 0.04, "a multiply-add"},
    {"small_product", 8, "over the square of the inner length: what small matrices cost beside"},
    // Making programs
    {"compiled_instruction", 400, "to make an instruction of a kernel over lanes"},
};

consteval double cost_named(std::string_view name) {
  for (const CostEntry& e : cost_table)
    if (e.name == name) return e.ns;
  throw "no such cost";
}

namespace costs {
inline constexpr double step = cost_named("step");
inline constexpr double elementwise_step = cost_named("elementwise_step");
inline constexpr double view_step = cost_named("view_step");
inline constexpr double planned_step = cost_named("planned_step");
inline constexpr double turn = cost_named("turn");
inline constexpr double element = cost_named("element");
inline constexpr double far_byte = cost_named("far_byte");
inline constexpr double instruction = cost_named("instruction");
inline constexpr double far_instruction = cost_named("far_instruction");
inline constexpr double row_instruction = cost_named("row_instruction");
inline constexpr double row_element = cost_named("row_element");
inline constexpr double product = cost_named("product");
inline constexpr double small_product = cost_named("small_product");
inline constexpr double compiled_instruction = cost_named("compiled_instruction");
}  // namespace costs

// A multiply-add of a product of matrices.
inline double product_cost(double inner) {
  return costs::product + costs::small_product / (inner * inner);
}

}  // namespace tapegrad
