#include "bindings/blanks.h"

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
  m.def("in_blank_block", [] { return depth > 0; }, "Whether this thread is in such a block.");
}

}  // namespace tapegrad
