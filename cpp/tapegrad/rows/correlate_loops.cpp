#include "tapegrad/rows/isa/correlate_loops.h"

#include "tapegrad/rows/cpu.h"

namespace tapegrad {
namespace {

CorrelateTables choose_tables() {
  switch (isa_level()) {
#if TAPEGRAD_HIGHEST_ISA >= 4
    case IsaLevel::v4:
      return isa_v4::correlate_tables();
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
    case IsaLevel::v3:
      return isa_v3::correlate_tables();
#endif
    default:
      return isa_v1::correlate_tables();
  }
}

const CorrelateTables& tables() {
  static const CorrelateTables chosen = choose_tables();
  return chosen;
}

}  // namespace

template <>
const CorrelateLoops<float>& correlate_loops<float>() {
  return *tables().float32;
}
template <>
const CorrelateLoops<double>& correlate_loops<double>() {
  return *tables().float64;
}

}  // namespace tapegrad
