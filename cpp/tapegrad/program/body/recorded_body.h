#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tapegrad/program/scan/scan.h"

namespace tapegrad {

// A recording, to be applied as one operation by the host language: its body, and what the body's
// last outputs are for: the values that guards look at.
class RecordedBody {
 public:
  explicit RecordedBody(const Recording& r);

  // What an application gave; `recorded` says which outputs the host should see as recorded: those
  // that derivatives reach, and all of them where a tracer is at work.
  struct Results {
    std::vector<Ref> outputs;
    Flags recorded;
  };

  // The body's outputs of the inputs, which the captures follow. Where the outputs are known they
  // are not computed; `recording` says what the guards expect.
  Results call(std::vector<Ref> inputs) const;
  Results call_with(std::vector<Ref> inputs, const Recording& recording,
                    std::vector<Value> outputs) const;

  // The body applied step by step (scan.h); at most `checkpoints` carries are held for the reverse
  // sweep, all of them where that is 0.
  Results scan(std::vector<Ref> inputs, int64_t length, size_t n_carry, size_t n_xs, bool reverse,
               int64_t checkpoints) const;

  const BodyPtr& body() const { return body_; }

 private:
  Results results_of(std::vector<Ref> outputs, size_t n, const Flags& reached) const;

  BodyPtr body_;
  std::vector<std::string> guards_;  // where
};

}  // namespace tapegrad
