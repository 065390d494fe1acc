#include "bindings/blanks/blanks.h"

#include <pybind11/stl.h>

#include <algorithm>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "bindings/blanks/creators.h"
#include "bindings/blanks/taken_names.h"
#include "bindings/convert.h"
#include "bindings/interpreter.h"
#include "bindings/variable/variable_type.h"

namespace tapegrad {
namespace {

thread_local int depth = 0;
thread_local int switched_off = 0;

py::object called(const py::object& f, const py::tuple& args, const py::dict& kwargs) {
  PyObject* found = in_python([&] { return PyObject_Call(f.ptr(), args.ptr(), kwargs.ptr()); });
  if (!found) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(found);
}

// The namespace of a module, and functions of it by name.
struct Patch {
  py::dict space, originals, replacements;

  void fill_in(const py::dict& names) const {
    if (PyDict_Update(space.ptr(), names.ptr()) != 0) throw py::error_already_set();
  }
};

// Entering and leaving run no Python code, so that an interrupt comes before or after them. The
// namespaces have the replacements while any thread is in a block; the interpreter's lock guards
// them.
class Block {
 public:
  Block(std::vector<Patch> patches, Creators creators)
      : patches_(std::move(patches)), creators_(std::move(creators)) {
    for (const Patch& p : patches_) taken_.add(p.originals, p.replacements);
    creators_.count_as_creators(&taken_);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void enter() {
    if (blocks_ == 0)
      for (const Patch& p : patches_) p.fill_in(p.replacements);
    ++blocks_;
    ++depth;
  }

  void leave() {
    --depth;
    if (--blocks_ > 0) return;
    taken_.restore();
    for (const Patch& p : patches_) p.fill_in(p.originals);
  }

  // The same for the names of a module of the user's, until the block that is open is left.
  void take(const py::dict& space) {
    const auto is = [&space](const Patch& p) { return p.space.ptr() == space.ptr(); };
    if (depth > 0 && std::ranges::none_of(patches_, is)) taken_.replace(space.ptr());
  }

  // f(*args, **kwargs) inside a block, if it may create arrays and is not in one already.
  py::object call(const py::object& f, const py::tuple& args, const py::dict& kwargs) {
    if (depth > 0) {
      take_names(f.ptr());
      return called(f, args, kwargs);
    }
    if (switched_off > 0 || !creators_.may_create(f.ptr(), args.ptr(), kwargs.ptr()))
      return called(f, args, kwargs);
    enter();
    try {
      take_names(f.ptr());
      py::object found = called(f, args, kwargs);
      leave();
      return found;
    } catch (...) {
      leave();
      throw;
    }
  }

  bool may_create(const py::object& f, const py::tuple& args) {
    return creators_.may_create(f.ptr(), args.ptr(), nullptr);
  }

 private:
  // Those of a function of the user's, and of what it names.
  void take_names(PyObject* f) {
    if (PyMethod_Check(f)) f = PyMethod_GET_FUNCTION(f);
    py::object inner;
    while (creators_.is_transformed(f)) {
      inner = py::reinterpret_steal<py::object>(PyObject_GetAttrString(f, "_function"));
      if (!inner) throw py::error_already_set();
      f = inner.ptr();
    }
    if (!PyFunction_Check(f) || Creators::is_of_package(PyFunction_GET_GLOBALS(f))) return;
    creators_.for_each_space(f, [this](PyObject* space) { taken_.replace(space); });
  }

  std::vector<Patch> patches_;
  TakenNames taken_;
  Creators creators_;
  int blocks_ = 0;  // of all threads
};

Block* block_of_package = nullptr;

// In which calls enter no block, and those around it don't count.
class NoBlocks {
 public:
  void enter() {
    around_.push_back(std::exchange(depth, 0));
    ++switched_off;
  }

  void leave() {
    --switched_off;
    depth = around_.back();
    around_.pop_back();
  }

 private:
  std::vector<int> around_;
};

// Which Variables a nesting of arguments holds.
enum class Held { none, blanks, others };

Held held_in(PyObject* x, int level = 0) {
  constexpr int deepest = 32;  // a list may hold itself
  if (is_variable(x)) return is_blank(x) ? Held::blanks : Held::others;
  if (level == deepest) return Held::others;
  Held found = Held::none;
  const auto add = [&found, level](PyObject* item) {
    found = std::max(found, held_in(item, level + 1));
    return found == Held::others;
  };
  if (PyTuple_Check(x) || PyList_Check(x)) {
    for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(x); ++k)
      if (add(PySequence_Fast_GET_ITEM(x, k))) break;
  } else if (PyDict_Check(x)) {
    PyObject *key, *value;
    for (Py_ssize_t at = 0; PyDict_Next(x, &at, &key, &value);)
      if (add(value)) break;
  }
  return found;
}

}  // namespace

py::object call_with_blanks(const py::object& f, const py::tuple& args, const py::dict& kwargs) {
  return block_of_package ? block_of_package->call(f, args, kwargs) : called(f, args, kwargs);
}

void bind_blanks(py::module_& m) {
  py::class_<Block>(m, "BlankBlock", "Inside it, namespaces have other functions.")
      .def(
          py::init([](const std::vector<std::tuple<py::dict, py::dict, py::dict>>& patches,
                      py::function facts, std::vector<py::object> plain,
                      std::vector<py::object> modules, std::set<std::string, std::less<>> libraries,
                      std::vector<py::object> transformed) {
            std::vector<Patch> made;
            for (const auto& [space, originals, replacements] : patches)
              made.push_back({space, originals, replacements});
            return std::make_unique<Block>(
                std::move(made), Creators(std::move(facts), std::move(plain), std::move(modules),
                                          std::move(libraries), std::move(transformed)));
          }),
          py::arg("patches"), py::arg("facts"), py::arg("plain"), py::arg("modules"),
          py::arg("libraries"), py::arg("transformed"))
      .def("__enter__", &Block::enter)
      .def("__exit__", [](Block& b, const py::args&) { b.leave(); })
      .def("take", &Block::take, py::arg("space"),
           "Until the block is left, a module's names of the functions stand for the others.")
      .def("call", &Block::call, py::arg("f"), py::arg("args"), py::arg("kwargs"),
           "Calls the function inside, if it may create arrays.")
      .def(
          "may_create",
          [](Block& b, const py::object& f, const py::args& args) { return b.may_create(f, args); },
          py::arg("f"), "False where a call of the function with these surely creates no array.");
  m.def(
      "serve_calls",
      [](const py::object& block) {
        block_of_package = &block.cast<Block&>();
        block.inc_ref();
      },
      py::arg("block"), "Makes this the block in which transforms call functions.");
  py::class_<NoBlocks>(m, "NoBlanks", "Inside it, calls enter no block of blanks.")
      .def(py::init<>())
      .def("__enter__", &NoBlocks::enter)
      .def("__exit__", [](NoBlocks& b, const py::args&) { b.leave(); });
  m.def(
      "blank",
      [](const py::array& array) {
        const Value v = to_value(array.ptr(), "blank");
        if (v.is_scalar() && is_floating(v.dtype())) {
          Cell* const made = Cell::blank(Value(v));
          made->count_as_array();
          return py::reinterpret_steal<py::object>(new_variable(made));
        }
        if (v.ndim() > 1 && !v.is_contiguous())
          return py::reinterpret_steal<py::object>(new_blank_lying_by(Value(v), v.strides()));
        return py::reinterpret_steal<py::object>(new_blank(v.is_scalar() ? Value(v) : v.copy()));
      },
      py::arg("array"),
      "A copy that takes Variables: plain until one is written to it, and that lies in memory as "
      "the array does. Other dtypes than floats stay NumPy's.");
  m.def(
      "stands_for_array", [](const py::handle& x) { return is_array(x.ptr()); }, py::arg("x"),
      "Whether plain code has an array there: what has no axes may be a number or an array.");
  m.def(
      "overlap",
      [](const py::handle& a, const py::handle& b) {
        return is_variable(a.ptr()) && is_variable(b.ptr()) &&
               variable_cell(a.ptr()).overlaps(variable_cell(b.ptr()));
      },
      py::arg("a"), py::arg("b"), "Whether these two have memory in common.");
  m.def(
      "to_array",
      [](const py::object& x) -> py::object {
        if (!is_variable(x.ptr()) || is_array(x.ptr())) return x;
        Cell& cell = variable_cell(x.ptr());
        Cell* const made =
            cell.is_blank() ? Cell::blank(Value(cell.value())) : Cell::from(as_strong(cell));
        made->count_as_array();
        return py::reinterpret_steal<py::object>(new_variable(made));
      },
      py::arg("x"), "Where NumPy gives an array of no axes: an array of its own.");
  m.def(
      "to_number",
      [](const py::object& x) -> py::object {
        if (!is_variable(x.ptr()) || variable_cell(x.ptr()).value().ndim() != 0 ||
            !is_array(x.ptr()))
          return x;
        Cell& cell = variable_cell(x.ptr());
        return py::reinterpret_steal<py::object>(cell.is_blank() ? new_blank(Value(cell.value()))
                                                                 : new_variable(cell.ref()));
      },
      py::arg("x"), "Where NumPy gives a number, and no array of no axes.");
  m.def(
      "is_blank", [](const py::handle& v) { return is_blank(v.ptr()); }, py::arg("v"),
      "Whether no Variable was written to this array.");
  m.def(
      "are_blanks", [](const py::handle& x) { return held_in(x.ptr()) == Held::blanks; },
      py::arg("x"),
      "Whether a nesting of tuples, lists and dicts holds Variables, and none but those to which "
      "no Variable was written.");
  m.def("in_blank_block", [] { return depth > 0; }, "Whether this thread is in such a block.");
}

}  // namespace tapegrad
