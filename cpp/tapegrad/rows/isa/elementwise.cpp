#include "tapegrad/rows/elementwise_table.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_elementwise(ElementwiseTable& table) {
  fill_arithmetic(table);
  fill_selection(table);
  fill_rounding(table);
  fill_exponential(table);
  fill_trigonometric(table);
  fill_hyperbolic(table);
  fill_special(table);
  fill_bessel(table);
}

}  // namespace tapegrad
