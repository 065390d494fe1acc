#pragma once

#include "tapegrad/tape/ref.h"
#include "tapegrad/tape/tape.h"

// The parts of apply() that layers above use on their own.

namespace tapegrad {

void check_input_count(const Op& op, size_t n);

// apply() for an op with one output and at most three inputs that is neither in place nor composed.
Ref apply_single(const Op& op, const Attrs& attrs, std::span<const Ref> inputs);

// The same for an op that may be in place, where the input is moved in.
Ref apply_few(const Op& op, const Attrs& attrs, std::span<Ref> inputs);

// A node for an application; the value is still to be set. The caller holds its counts.
uint32_t record_application(Tape& tape, const Op& op, const Attrs& attrs,
                            std::span<const Ref> inputs);
Ref record_single(Tape& tape, const Op& op, const Attrs& attrs, std::span<const Ref> inputs,
                  Value out);

// The tape that an application of `op` belongs on, or null. Every tracked input must be this
// thread's.
Tape* recording_tape(const Op& op, std::span<const Ref> inputs);
// The nodes of an op with several outputs, which have been computed.
std::vector<Ref> record_several(Tape& tape, const Op& op, const Attrs& attrs,
                                std::span<const Ref> inputs, std::vector<Value> out);

// A node for output j of an op with several.
Ref pick_output(const Ref& primary, size_t j, Value value);
// The same, or a node like it, where it is an output whose value it has given up.
Ref with_value(const Ref& r);

}  // namespace tapegrad
