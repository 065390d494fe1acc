#include "tapegrad/rows/elementwise_loops.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_bessel(ElementwiseTable& table) {
  fill_family(table, BesselFunctions());
}

}  // namespace tapegrad
