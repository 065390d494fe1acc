#pragma once

#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

// How a scan is swept back: which of the body's inputs are given an adjoint and which outputs a
// cotangent, when what is needed and given at the ends of the scan has spread over its carries.
struct ScanReversal {
  ScanForm form;
  Flags wanted;  // by input of the body
  Flags has_ct;  // by output

  ScanReversal(const ScanForm& f, Flags needed, Flags given);
  bool any() const;

  // The scan the other way. Carries: cotangents of the flagged carries, sums for the wanted rest;
  // xs: incoming carries, xs, cotangents of the flagged ys; rest: the rest. Its ys are the adjoints
  // of the wanted xs. Recorded at `in`, the inputs of the scan.
  ScanForm step(std::span<const Value> in) const;
};

}  // namespace tapegrad
