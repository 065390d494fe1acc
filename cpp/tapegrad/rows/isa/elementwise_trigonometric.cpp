#include "tapegrad/rows/elementwise_loops.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_trigonometric(ElementwiseTable& table) {
  fill_family(table, TrigonometricFunctions());
}

}  // namespace tapegrad
