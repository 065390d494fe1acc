// What a run of a program costs, in ns: rough, for passes that choose between two programs for the
// same. The cost of large arrays is told well enough to see that it is the same in both.
#pragma once

#include "tapegrad/program/program.h"

namespace tapegrad {

double run_cost(const Program& p);
double run_cost(const StepKernel& kernel);
// An instruction of a kernel on a single element, and on each of many.
double number_cost(ScalarFn fn);
double lane_cost(ScalarFn fn);
// What is left where every array is taken apart into scalars, each computed by one instruction.
double least_cost(const Program& p);

}  // namespace tapegrad
