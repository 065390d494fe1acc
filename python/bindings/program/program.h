#pragma once

#include <pybind11/pybind11.h>

#include "bindings/convert.h"
#include "tapegrad/program/run/captured_program.h"

namespace tapegrad {

// _core.Tracer, _core.Recording and _core.Program: what tg.compile is made of.
void bind_programs(pybind11::module_& m);

// What is inside a _core.Program and a _core.Recording; they must be kept alive.
const CapturedProgram& program_of(pybind11::handle program);
const Recording& recording_of(pybind11::handle recording);
// What the program reads now, appended: its own captures where `captures` is None, else those.
void read_captures(const CapturedProgram& program, pybind11::handle captures,
                   std::vector<Value>& captured);

// What plain code gets: `numbers`, bytes or None, says of which kind each is.
NumberKind number_kind(pybind11::handle numbers, size_t k);
pybind11::list to_plain_results(std::vector<Value>& values, pybind11::handle numbers);

// Operands of an operation, as Refs.
std::vector<Ref> refs_of(const pybind11::sequence& items, const char* operation);

// _core.TrainStep and _core.TrainLoop: what tg.optim.train is made of.
void bind_train(pybind11::module_& m);

}  // namespace tapegrad
