// What every step of a scan computes alike is computed once, before the scan: an element of the
// parameters that a step reads, say. A carry that every step hands on as it came is no carry.
#pragma once

#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

// The scan applied to `inputs`, with that taken out of its body: what it gives is the same.
// `hands_out`: and then the carries that come into each step, and its residuals, for the reverse
// sweep (scan_residuals.h).
std::vector<Ref> scan_without_fixed(ScanForm form, std::vector<Ref> inputs, bool hands_out);

}  // namespace tapegrad
