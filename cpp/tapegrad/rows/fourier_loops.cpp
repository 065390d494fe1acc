#include "tapegrad/rows/isa/fourier_loops.h"

#include "tapegrad/rows/cpu.h"

namespace tapegrad {
namespace {

FourierTables choose_tables() {
  switch (isa_level()) {
#if TAPEGRAD_HIGHEST_ISA >= 4
    case IsaLevel::v4:
      return isa_v4::fourier_tables();
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
    case IsaLevel::v3:
      return isa_v3::fourier_tables();
#endif
    default:
      return isa_v1::fourier_tables();
  }
}

const FourierTables& tables() {
  static const FourierTables chosen = choose_tables();
  return chosen;
}

}  // namespace

template <>
const FourierLoops<float>& fourier_loops<float>() {
  return *tables().float32;
}
template <>
const FourierLoops<double>& fourier_loops<double>() {
  return *tables().float64;
}

}  // namespace tapegrad
