#include "tapegrad/rows/elementwise_loops.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_exponential(ElementwiseTable& table) {
  fill_family(table, ExponentialFunctions());
}

}  // namespace tapegrad
