#include "tapegrad/rows/elementwise_loops.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_arithmetic(ElementwiseTable& table) {
  fill_family(table, ArithmeticFunctions());
}

}  // namespace tapegrad
