#pragma once

#include "tapegrad/tape/tape.h"

namespace tapegrad {

// While it lives, what is recorded is no part of the program that a Tracer records.
class Untraced {
 public:
  explicit Untraced(Tape& tape) : tape_(tape), before_(tape.tracer()) { tape_.set_tracer(nullptr); }
  ~Untraced() { tape_.set_tracer(before_); }
  Untraced(const Untraced&) = delete;
  Untraced& operator=(const Untraced&) = delete;

 private:
  Tape& tape_;
  Tracer* before_;
};

}  // namespace tapegrad
