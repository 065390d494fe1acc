#include "tapegrad/rows/elementwise_loops.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_hyperbolic(ElementwiseTable& table) {
  fill_family(table, HyperbolicFunctions());
}

}  // namespace tapegrad
