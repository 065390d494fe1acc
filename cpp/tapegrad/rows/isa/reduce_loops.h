#pragma once

#include "tapegrad/rows/reduce_loops.h"

namespace tapegrad {

// Indexed by Fold (the integer tables end after min).
struct FoldTables {
  const FoldLoops<float>* float32;
  const FoldLoops<double>* float64;
  const FoldLoops<int64_t>* int64;
  const FoldLoops<uint64_t>* uint64;
};

namespace isa_v1 {
FoldTables fold_tables();
}
namespace isa_v3 {
FoldTables fold_tables();
}
namespace isa_v4 {
FoldTables fold_tables();
}

}  // namespace tapegrad
