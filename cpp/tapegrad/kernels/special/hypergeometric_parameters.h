#pragma once

namespace tapegrad {

// Derivatives of 0F1(b; z), 1F1(a; b; z) and 2F1(a, b; c; z), of the inputs: how many times by each
// argument, twice in all at most, then the arguments.
double hyp0f1_by(const double* inputs);
double hyp1f1_by(const double* inputs);
double hyp2f1_by(const double* inputs);

}  // namespace tapegrad
