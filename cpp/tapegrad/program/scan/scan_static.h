// Scans whose bodies have a place for each value (run/static/static_plan.h).
#pragma once

#include <span>

#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

// Inputs and outputs of the scan; false where the body has no such plan, and nothing was done.
bool run_scan_statically(const ScanForm& f, std::span<const Value> in, std::span<Value> out);

}  // namespace tapegrad
