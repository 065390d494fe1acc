#pragma once

#include "tapegrad/program/scan/scan_residuals.h"

namespace tapegrad {

// Says how a scan is swept back: which of the body's inputs are given an adjoint and which outputs
// a cotangent, when what is needed and given at the ends of the scan has spread over its carries.
struct ScanReversal {
  ScanForm form;
  Flags wanted;  // by input of the body
  Flags has_ct;  // by output

  ScanReversal(const ScanForm& f, Flags needed, Flags given);
  bool any() const;

  // Returns the scan that goes the other way. Its carries are the cotangents of the flagged
  // carries, sums for the wanted rest, and the known next carries; its xs are the incoming carries,
  // the xs, the cotangents of the flagged ys and the known ys; its rest is the rest. Its ys are the
  // adjoints of the wanted xs. It is recorded at `in`, the inputs of the scan.
  ScanForm step(std::span<const Value> in, const KnownResults& known = {}) const;
};

}  // namespace tapegrad
