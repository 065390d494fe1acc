#pragma once

#include "tapegrad/program/scan/scan_reversal.h"

namespace tapegrad {

// scan_reverse (the attributes of scan, needed, given) is the reverse sweep over a scan of which at
// most `checkpoints` carries are held at a time; the others are computed again, by the schedule of
// binomial.h. Inputs are those of the scan and the cotangents of its given outputs; outputs are the
// adjoints of its needed inputs, where there are any. Its own derivatives are those of the sweep
// that holds every carry.
struct ReverseForm {
  ScanForm form;
  Flags needed, given;
  ScanReversal reversal;

  explicit ReverseForm(const Attrs& attrs);
  size_t n_in() const { return form.body->n_in(); }
  bool gives(size_t input) const { return needed[input] && reversal.wanted[input]; }
};

const Op& scan_reverse_op();

Attrs reverse_attrs(const ScanForm& form, const Flags& needed, const Flags& given);
std::vector<Ref> scan_reverse(const ScanForm& form, const Flags& needed, const Flags& given,
                              std::vector<Ref> inputs);

}  // namespace tapegrad
