#include "tapegrad/rows/elementwise_loops.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_rounding(ElementwiseTable& table) {
  fill_family(table, RoundingFunctions());
}

}  // namespace tapegrad
