#pragma once

#include "tapegrad/program/body/body.h"

namespace tapegrad {

// scan (body, length, n_carry, n_xs, reverse, checkpoints) applies the body `length` times. Its
// inputs are the carries, then the xs, which have a leading axis of that length, then the rest, the
// same at every step; the body's are the same, with one element of each xs. The body's outputs are
// the next carries, then the ys; those of scan are the last carries, then the ys of all steps,
// stacked. Step t reads and writes at index t, also where the steps go from the last to the first
// (reverse).
//
// The reverse sweep reads the carries that came into each step. Where the body hands them out among
// its ys they are taken from there (with_carries), else they are computed again: all at once, or,
// where `checkpoints` is not 0, so that at most so many of them are held at a time
// (scan_reverse.h).
struct ScanForm {
  BodyPtr body;
  int64_t length = 0;
  size_t n_carry = 0, n_xs = 0;
  bool reverse = false;
  int64_t checkpoints = 0;

  explicit ScanForm(const Attrs& attrs);
  ScanForm(BodyPtr b, int64_t n, size_t carries, size_t xs, bool backwards)
      : body(std::move(b)), length(n), n_carry(carries), n_xs(xs), reverse(backwards) {}
  Attrs attrs() const;
  static std::vector<AttrDeclaration> declarations();
  size_t n_rest() const { return body->n_in() - n_carry - n_xs; }
  size_t n_ys() const { return body->n_out() - n_carry; }
  bool is_xs(size_t input) const { return input >= n_carry && input < n_carry + n_xs; }
};

// Returns the type of `length` rows.
TensorType stacked_type(const TensorType& row, int64_t length);

const Op& scan_op();

std::vector<Ref> scan(const ScanForm& form, std::vector<Ref> inputs);

// Returns the body that hands out the incoming carries as further ys, behind its own.
BodyPtr with_carries(const ScanForm& form);

// Returns the outputs that derivatives with respect to the flagged inputs reach.
Flags reached_through(const ScanForm& form, Flags inputs);

// Keeps only these outputs, by flags, of which none takes a carry that is left out. Inputs that
// nothing reads then are left out too, and cleared in `inputs`; the second keeps all carries.
ScanForm keeping_outputs(const ScanForm& form, const Flags& outputs, Flags& inputs);
ScanForm keeping_ys(const ScanForm& form, const Flags& ys, Flags& inputs);

}  // namespace tapegrad
