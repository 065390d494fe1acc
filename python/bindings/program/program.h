#pragma once

#include <pybind11/pybind11.h>

#include "tapegrad/program/record.h"
#include "tapegrad/program/run/executor.h"

namespace tapegrad {

// _core.Tracer, _core.Recording and _core.Program: what tg.compile is made of.
void bind_programs(pybind11::module_& m);

// What is inside a _core.Program and a _core.Recording; they must be kept alive.
const Executor& executor_of(pybind11::handle program);
const Recording& recording_of(pybind11::handle recording);
// What the program reads now: its own captures where `captures` is None, else those instead.
std::vector<Value> captured_values(pybind11::handle program, pybind11::handle captures);

// Runs a _core.Program on the inputs, with its own captures or those given; `captured` is scratch
// memory. False where a guard does not hold; throws what a step throws.
bool run_program(pybind11::handle program, std::span<const Value> inputs, pybind11::handle captures,
                 std::vector<Value>& captured, std::vector<Value>& outputs);

// _core.TrainStep and _core.TrainLoop: what tg.optim.train is made of.
void bind_train(pybind11::module_& m);

}  // namespace tapegrad
