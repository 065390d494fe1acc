#include "tapegrad/rows/cpu.h"
#include "tapegrad/rows/lane_steps.h"

namespace tapegrad {

namespace isa_v1 {
void fill_lane_loops(LaneLoops<double>& f64, LaneLoops<float>& f32);
}
namespace isa_v3 {
void fill_lane_loops(LaneLoops<double>& f64, LaneLoops<float>& f32);
}
namespace isa_v4 {
void fill_lane_loops(LaneLoops<double>& f64, LaneLoops<float>& f32);
}

namespace {

struct BothLaneLoops {
  LaneLoops<double> f64;
  LaneLoops<float> f32;
};

const BothLaneLoops& both_lane_loops() {
  static const BothLaneLoops loops = [] {
    BothLaneLoops both;
    switch (isa_level()) {
#if TAPEGRAD_HIGHEST_ISA >= 4
      case IsaLevel::v4:
        isa_v4::fill_lane_loops(both.f64, both.f32);
        break;
#endif
#if TAPEGRAD_HIGHEST_ISA >= 3
      case IsaLevel::v3:
        isa_v3::fill_lane_loops(both.f64, both.f32);
        break;
#endif
      default:
        isa_v1::fill_lane_loops(both.f64, both.f32);
    }
    return both;
  }();
  return loops;
}

}  // namespace

template <>
const LaneLoops<double>& lane_loops() {
  return both_lane_loops().f64;
}

template <>
const LaneLoops<float>& lane_loops() {
  return both_lane_loops().f32;
}

}  // namespace tapegrad
