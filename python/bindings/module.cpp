#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "bindings/blanks/blanks.h"
#include "bindings/convert.h"
#include "bindings/functions.h"
#include "bindings/interpreter.h"
#include "bindings/numpy_functions/array_function.h"
#include "bindings/numpy_functions/calls/einsum.h"
#include "bindings/numpy_functions/calls/plain_calls.h"
#include "bindings/numpy_functions/entries.h"
#include "bindings/numpy_functions/foreign.h"
#include "bindings/numpy_functions/sequences.h"
#include "bindings/program/body.h"
#include "bindings/program/host_function.h"
#include "bindings/program/program.h"
#include "bindings/program/replay.h"
#include "bindings/program/snapshot.h"
#include "bindings/program/tree_maker.h"
#include "bindings/program/view.h"
#include "bindings/recording.h"
#include "bindings/variable/variable_type.h"
#include "tapegrad/autodiff/workspace.h"
#include "tapegrad/base/buffer.h"
#include "tapegrad/base/pool_policy.h"
#include "tapegrad/emit/machine_code.h"
#include "tapegrad/kernels/blas/blas_library.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/parallel/idle_memory.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/program/body/call.h"
#include "tapegrad/rows/cpu.h"
#include "tapegrad/tape/anomaly/anomaly.h"
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
    case ErrorKind::axis:
      return py::object(py::module_::import("numpy.exceptions").attr("AxisError")).release().ptr();
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
  } catch (const AnomalyError& e) {
    const py::object type = py::module_::import("tapegrad.transforms.anomaly").attr("AnomalyError");
    PyErr_SetString(type.ptr(), e.what());
  } catch (const Error& e) {
    PyErr_SetString(exception_for(e.kind()), e.what());
  } catch (const Interrupted&) {
    raise_interruption();
  } catch (const std::bad_alloc&) {
    PyErr_SetString(PyExc_MemoryError,
                    "out of memory; free some arrays, or give back what is kept for later with "
                    "tg.memory.trim()");
  } catch (const py::cast_error&) {
    PyErr_SetString(PyExc_TypeError, "an argument has a type that is not expected here");
  } catch (const py::builtin_exception& e) {
    e.set_error();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  } catch (...) {  // the unwinding of a thread at the interpreter's end
    sleep_until_process_ends();
  }
}

}  // namespace tapegrad

PYBIND11_MODULE(_core_of_main, m) {
  using namespace tapegrad;
  m.doc() = "The compiled core of tapegrad: Variable, grad, SGD and what the package is built on.";
  py::register_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const Error&) {
      set_python_error();
    } catch (const Interrupted&) {
      set_python_error();
    } catch (const std::bad_alloc&) {
      set_python_error();
    } catch (const py::cast_error&) {
      set_python_error();
    }
  });
  register_all_ops();
  register_body_ops();
  create_variable_type(m);
  fill_ufunc_table();
  install_location_hook();
  install_long_work();
  install_warnings();
  trim_idle_memory();
  bind_recording(m);
  bind_blanks(m);
  bind_forwarding(m);
  bind_functions(m);
  bind_array_functions(m);
  bind_foreign(m);
  bind_plain_calls(m);
  take_einsum();
  bind_sequences(m);
  bind_entries(m);
  bind_scope(m);
  bind_sgd(m);
  bind_programs(m);
  bind_views(m);
  bind_bodies(m);
  bind_host_functions(m);
  bind_snapshot(m);
  bind_replay(m);
  bind_tree_maker(m);
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
      "machine_code_count", [] { return emit::count().made; },
      "How many pieces of machine code were made.");
  m.def(
      "trim_pool",
      [] {
        if (Tape* tape = Tape::current_if_any()) tape->trim();
        WorkspaceLease::trim();
        trim_pool();
      },
      "Gives back to the system what is kept for later: this thread's nodes where none is alive, "
      "the memory of its sweeps, cached blocks.");
  m.def("set_pool_capacity", &set_pool_capacity, py::arg("bytes"),
        "The most that is kept for later.");
  m.def("pool_capacity", &pool_capacity);
  m.def("fail_allocation", &fail_allocation, py::arg("n"),
        "Lets the n-th allocation from now fail; none where n is negative (for tests). Returns "
        "whether the one asked for before is still to come.");
  m.def("pool_bytes",
        [] { return py::make_tuple(pool_stats().bytes_in_use, pool_stats().bytes_cached); });
  say_what_is_expected(m);
}

// What Python calls to import the module. State that belongs to the process, and locks that know
// one interpreter alone, would stop a second one for good.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return PyInit__core_of_main();
  PyErr_SetString(PyExc_ImportError,
                  "tapegrad: can't be imported in a subinterpreter; import it in the main "
                  "interpreter, and use threads or processes");
  return nullptr;
}
