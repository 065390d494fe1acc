#pragma once

#include "tapegrad/rows/fourier_loops.h"

namespace tapegrad {

struct FourierTables {
  const FourierLoops<float>* float32;
  const FourierLoops<double>* float64;
};

namespace isa_v1 {
FourierTables fourier_tables();
}
namespace isa_v3 {
FourierTables fourier_tables();
}
namespace isa_v4 {
FourierTables fourier_tables();
}

}  // namespace tapegrad
