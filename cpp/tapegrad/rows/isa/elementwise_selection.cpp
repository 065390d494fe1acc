#include "tapegrad/rows/elementwise_loops.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_selection(ElementwiseTable& table) {
  fill_family(table, SelectionFunctions());
}

}  // namespace tapegrad
