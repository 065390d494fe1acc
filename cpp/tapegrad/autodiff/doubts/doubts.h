// What a derivative may have got wrong by a convention, looked for after the sweep and told to the
// user. Nothing here changes a number, and where there is nothing to doubt it costs next to
// nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tapegrad/sweep/schedule.h"
#include "tapegrad/tape/ref.h"

namespace tapegrad {

// Warns the user, set by the bindings; null without them. May throw.
extern void (*warn_of_doubt)(const std::string& message);

// A zero cotangent hides an infinite partial. That is right for a branch that was not taken; where
// the value itself is not finite, it may be an overflow: log(1 + exp(800)). Call it after an
// unrecorded sweep of `outputs` with `seeds` (none: ones) over `schedule`.
void doubt_hidden_overflow(const Schedule& schedule, std::span<const Ref> outputs,
                           std::span<const Ref> seeds, const char* operation);

// At the tip of a cone (a norm at 0) the first derivative is a convention, and a second derivative
// that rests on it may be a wrong number: that of norm(v)**2. Call it after a recorded sweep of
// `outputs` over `schedule`.
void doubt_tips(const Schedule& schedule, std::span<const Ref> outputs, const char* operation);

// V f(w) V' of eigenvalues that are equal has a derivative, of which a sweep sees the part that
// f(w) carries: where that is zero (log at 1), nothing at all, and the derivative taken is zero.
// Call it after a sweep that was silent about ties: `silent_ties()` (kernels/decompose/ties.h)
// counts them. No seeds: ones.
void doubt_ties(const Schedule& schedule, std::span<const Ref> outputs, std::span<const Ref> seeds,
                const char* operation);

}  // namespace tapegrad
