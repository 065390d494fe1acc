#include "tapegrad/rows/isa/reduce_loops.h"

#include "tapegrad/rows/cpu.h"

namespace tapegrad {
namespace {

FoldTables choose_tables() {
  switch (isa_level()) {
#if TAPEGRAD_HIGHEST_ISA >= 4
    case IsaLevel::v4:
      return isa_v4::fold_tables();
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
    case IsaLevel::v3:
      return isa_v3::fold_tables();
#endif
    default:
      return isa_v1::fold_tables();
  }
}

const FoldTables& tables() {
  static const FoldTables chosen = choose_tables();
  return chosen;
}

}  // namespace

template <>
const FoldLoops<float>& fold_loops<float>(Fold fold) {
  return tables().float32[static_cast<int>(fold)];
}
template <>
const FoldLoops<double>& fold_loops<double>(Fold fold) {
  return tables().float64[static_cast<int>(fold)];
}
template <>
const FoldLoops<int64_t>& fold_loops<int64_t>(Fold fold) {
  return tables().int64[static_cast<int>(fold)];
}
template <>
const FoldLoops<uint64_t>& fold_loops<uint64_t>(Fold fold) {
  return tables().uint64[static_cast<int>(fold)];
}

}  // namespace tapegrad
