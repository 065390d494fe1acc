#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/functions.h"
#include "bindings/program/body.h"
#include "bindings/program/program.h"
#include "bindings/program/replay.h"
#include "bindings/program/snapshot.h"
#include "bindings/variable/array_function.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/base/buffer.h"
#include "tapegrad/kernels/blas/blas_library.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/program/body/call.h"
#include "tapegrad/rows/cpu.h"
#include "tapegrad/tape/data_values.h"

namespace tapegrad {
namespace {

namespace py = pybind11;

PyObject* exception_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::value:
      return PyExc_ValueError;
    case ErrorKind::type:
      return PyExc_TypeError;
    case ErrorKind::index:
      return PyExc_IndexError;
    case ErrorKind::memory:
      return PyExc_MemoryError;
    case ErrorKind::zero_division:
      return PyExc_ZeroDivisionError;
    case ErrorKind::linalg:
      return py::object(py::module_::import("numpy.linalg").attr("LinAlgError")).release().ptr();
    default:
      return PyExc_RuntimeError;
  }
}

}  // namespace

void set_python_error() {
  learn_lengths();  // an error may come of one
  try {
    throw;
  } catch (py::error_already_set& e) {
    e.restore();
  } catch (const Error& e) {
    PyErr_SetString(exception_for(e.kind()), e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  }
}

}  // namespace tapegrad

PYBIND11_MODULE(_core, m) {
  using namespace tapegrad;
  m.doc() = "The compiled core of tapegrad: Variable, grad, SGD and what the package is built on.";
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const Error&) {
      set_python_error();
    }
  });
  register_all_ops();
  register_body_ops();
  create_variable_type(m);
  fill_ufunc_table();
  install_location_hook();
  long_work = {[]() -> void* { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; },
               [](void* state) {
                 PyEval_RestoreThread(static_cast<PyThreadState*>(state));
                 release_pending_references();
               }};
  bind_forwarding(m);
  bind_functions(m);
  bind_array_functions(m);
  bind_scope(m);
  bind_sgd(m);
  bind_programs(m);
  bind_bodies(m);
  bind_snapshot(m);
  bind_replay(m);
  bind_train(m);
  m.def("set_num_threads", &set_num_threads, py::arg("n"),
        "Threads for large computations; 0: back to the default.");
  m.def("get_num_threads", &num_threads, "Threads for large computations.");
  m.def("set_work_threshold_ns", &set_work_threshold_ns, py::arg("ns"),
        "Work below this many nanoseconds stays on one thread; 0 sends everything to the threads "
        "(for tests).");
  m.def("parallel_regions_run", &parallel_regions_run,
        "Parallel regions that ran on two threads or more.");
  m.def(
      "set_blas_library", [](const std::string& path) { set_blas_library(path); }, py::arg("path"),
      "The OpenBLAS that products use; '' for the built-in kernels.");
  m.def(
      "isa_level", [] { return static_cast<int>(isa_level()); },
      "x86-64 level of the kernels in use: 1, 3 or 4.");
  m.def(
      "trim_pool",
      [] {
        if (Tape* tape = Tape::current_if_any()) tape->trim();
        trim_pool();
      },
      "Gives cached memory back to the system.");
  m.def("pool_bytes",
        [] { return py::make_tuple(pool_stats().bytes_in_use, pool_stats().bytes_cached); });
}
