#include "tapegrad/rows/outer_sums.h"

#include "tapegrad/rows/cpu.h"

namespace tapegrad {

namespace isa_v1 {
void fill_outer_sums(OuterSums<double>& f64, OuterSums<float>& f32);
}
namespace isa_v3 {
void fill_outer_sums(OuterSums<double>& f64, OuterSums<float>& f32);
}
namespace isa_v4 {
void fill_outer_sums(OuterSums<double>& f64, OuterSums<float>& f32);
}

namespace {

struct BothOuterSums {
  OuterSums<double> f64;
  OuterSums<float> f32;
};

BothOuterSums of_this_machine() {
  BothOuterSums all;
  switch (isa_level()) {
#if TAPEGRAD_HIGHEST_ISA >= 4
    case IsaLevel::v4:
      isa_v4::fill_outer_sums(all.f64, all.f32);
      return all;
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
    case IsaLevel::v3:
      isa_v3::fill_outer_sums(all.f64, all.f32);
      return all;
#endif
    default:
      isa_v1::fill_outer_sums(all.f64, all.f32);
      return all;
  }
}

const BothOuterSums& both() {
  static const BothOuterSums chosen = of_this_machine();
  return chosen;
}

}  // namespace

template <>
const OuterSums<double>& outer_sums<double>() {
  return both().f64;
}
template <>
const OuterSums<float>& outer_sums<float>() {
  return both().f32;
}

}  // namespace tapegrad
