#include "bindings/blanks.h"

#include "bindings/convert.h"
#include "bindings/variable/variable_type.h"

namespace tapegrad {
namespace {

thread_local int depth = 0;

// Entering and leaving run no Python code, so that an interrupt comes before or after them. The
// namespace has the replacements while any thread is in a block; the interpreter's lock guards it.
class Block {
 public:
  Block(py::dict space, py::dict replacements, py::dict originals)
      : space_(std::move(space)),
        replacements_(std::move(replacements)),
        originals_(std::move(originals)) {}

  void enter() {
    if (blocks_ == 0) fill_in(replacements_);
    ++blocks_;
    ++depth;
  }

  void leave() {
    --depth;
    if (--blocks_ == 0) fill_in(originals_);
  }

 private:
  void fill_in(const py::dict& names) {
    if (PyDict_Update(space_.ptr(), names.ptr()) != 0) throw py::error_already_set();
  }

  py::dict space_, replacements_, originals_;
  int blocks_ = 0;  // of all threads
};

}  // namespace

void bind_blanks(py::module_& m) {
  py::class_<Block>(m, "BlankBlock", "Inside it, a namespace has other functions.")
      .def(py::init<py::dict, py::dict, py::dict>(), py::arg("space"), py::arg("replacements"),
           py::arg("originals"))
      .def("__enter__", &Block::enter)
      .def("__exit__", [](Block& b, const py::args&) { b.leave(); });
  m.def(
      "blank",
      [](const py::array& array) {
        const Value v = to_value(array.ptr(), "blank");
        if (v.is_scalar() && is_floating(v.dtype())) {
          Cell* const made = Cell::blank(Value(v));
          made->count_as_array();
          return py::reinterpret_steal<py::object>(new_variable(made));
        }
        return py::reinterpret_steal<py::object>(new_blank(v.is_scalar() ? Value(v) : v.copy()));
      },
      py::arg("array"),
      "A copy that takes Variables: plain until one is written to it. Other dtypes than floats "
      "stay NumPy's.");
  m.def(
      "stands_for_array", [](const py::handle& x) { return is_array(x.ptr()); }, py::arg("x"),
      "Whether plain code has an array there: what has no axes may be a number or an array.");
  m.def(
      "overlap",
      [](const py::handle& a, const py::handle& b) {
        return is_variable(a.ptr()) && is_variable(b.ptr()) &&
               variable_cell(a.ptr()).overlaps(variable_cell(b.ptr()));
      },
      py::arg("a"), py::arg("b"), "Whether a write to the one shows in the other.");
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
  m.def("in_blank_block", [] { return depth > 0; }, "Whether this thread is in such a block.");
}

}  // namespace tapegrad
