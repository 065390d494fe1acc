#include "tapegrad/rows/elementwise_loops.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_special(ElementwiseTable& table) {
  fill_family(table, SpecialFunctions());
}

}  // namespace tapegrad
