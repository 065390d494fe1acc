#pragma once

#include "tapegrad/rows/correlate_loops.h"

namespace tapegrad {

struct CorrelateTables {
  const CorrelateLoops<float>* float32;
  const CorrelateLoops<double>* float64;
};

namespace isa_v1 {
CorrelateTables correlate_tables();
}
namespace isa_v3 {
CorrelateTables correlate_tables();
}
namespace isa_v4 {
CorrelateTables correlate_tables();
}

}  // namespace tapegrad
