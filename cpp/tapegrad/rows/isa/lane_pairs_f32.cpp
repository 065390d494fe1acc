#include "tapegrad/rows/isa/lane_pairs.h"

namespace tapegrad {

void TAPEGRAD_ISA_NAMESPACE::fill_lane_pairs(LaneLoops<float>& loops) { add_pairs(loops); }

}  // namespace tapegrad
