#pragma once

#include <optional>

#include "tapegrad/autodiff/variable.h"
#include "tapegrad/program/program.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {

// Something that a program reads at each run: a Variable, an array that belongs to the host
// language (borrowed memory), or a node that was recorded before.
struct Capture {
  CellPtr variable;
  Value array;
  Ref recorded;
  Value content() const {
    return variable ? variable->value() : recorded.tracked() ? recorded.value() : array;
  }
  Ref ref() const {
    return variable ? variable->ref() : recorded.tracked() ? recorded : Ref(array);
  }
};

// A number or array that plain code handed to a recorded operation: a constant of the program,
// whose origin the host language may know.
struct PlainConstant {
  ValueId value;
  Value content;
};

struct UnusedSteps;

// A recorded function as a program.
struct Recording {
  Program program;
  std::vector<Capture> captures;
  std::vector<PlainConstant> constants;
  std::vector<ValueId> made;  // constants that rules of derivatives made
  std::string refusal;  // why a replay would not do what the function does; empty where it would
  bool lost_weakness = false;  // see Tracer::lose_weakness
  std::string length_read;     // where plain code learned a length; empty where it learned none
  std::shared_ptr<const UnusedSteps> unused;  // nothing where there are none
};

// Applications that lead to no output and no guard. A run leaves them out; at other lengths they
// have to be possible all the same, for plain code would run them: x[3] of two elements raises.
// Numbers computed of numbers, which nothing else reads, are left out.
struct UnusedSteps {
  Recording recording;         // its inputs are values of the program that has these
  std::vector<ValueId> reads;  // by input
};

// An argument of the function whose node leads on to x: what the function keeps of it beyond its
// call has the derivatives that it would have without the tracer.
Ref linked_argument(Tracer& tracer, const Ref& x);

// Whether plain code could meet an error in these steps at other lengths of what they read.
bool may_fail_at_other_lengths(const UnusedSteps& unused);

// Freezes what leads from the tracer's arguments to the outputs and guards. Arrays of the host
// language are captured where they still hold what they held when they were recorded.
Recording freeze(const Tracer& tracer, std::span<const Ref> outputs);

// The same where sweeps of the tracer, from number `first_sweep` on, are no steps: what they read
// is among the outputs, and what they give, and what they differentiate by, among the inputs. Two
// recordings whose outlines agree are those of one function, whether or not their sweeps were left
// out. Nothing where that can't be said: a sweep calls the host language, or gives what was there
// before.
std::optional<Recording> outline(const Tracer& tracer, std::span<const Ref> outputs,
                                 size_t first_sweep);
// The first sweep that was left out.
size_t first_left_out(const Tracer& tracer);

// The recorded program where the arrays of these captures, by number, are constants: copies of what
// they hold now. The program still takes them, and reads them no more.
Program with_fixed_captures(const Recording& r, std::span<const size_t> fixed);

// Whether two recordings took the same path with the same attributes and constants. Which arrays
// they captured is for the host language to compare: it knows their names.
bool same_recording(const Recording& a, const Recording& b);

// The program applied to Refs by its ops (which records them where recording is on).
std::vector<Ref> replay(const Program& p, std::span<const Ref> inputs,
                        std::span<const Ref> captures);
// The same, and all its values, by number.
std::vector<Ref> replay_values(const Program& p, std::span<const Ref> inputs,
                               std::span<const Ref> captures);

}  // namespace tapegrad
