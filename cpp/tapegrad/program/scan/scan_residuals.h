// What the reverse sweep over a scan reads of the steps, besides the carries that came into them:
// their residuals. A result that costs more to compute again than to store and to read is handed
// out among the ys; the next value of a carry is the one that came into the step behind, which the
// reverse sweep has just left; what is elementwise is mostly computed again.
#pragma once

#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

constexpr double most_residual_bytes = 256.0 * (1 << 20);  // of all steps

struct Residuals {
  Flags next;                   // by carry: its next value is one
  std::vector<ValueId> stored;  // results of steps of the body

  // Those that derivatives with respect to the flagged inputs read.
  Residuals(const ScanForm& form, const Flags& inputs);
};

// Returns the body that hands out the incoming carries and the residuals to be stored as further
// ys, behind its own.
BodyPtr with_residuals(const ScanForm& form, Flags inputs);

// Says what a step back is given instead of computing it again.
struct KnownResults {
  Flags next;  // by carry
  Flags ys;    // by output of the body; carries are none

  // All that are at hand: of the residuals those that the body hands out.
  KnownResults(const ScanForm& form, const Flags& inputs);
  KnownResults() = default;
};

}  // namespace tapegrad
