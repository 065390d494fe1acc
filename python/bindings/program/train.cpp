#include "tapegrad/program/train/train.h"

#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/interpreter.h"
#include "bindings/program/program.h"
#include "tapegrad/parallel/interrupt.h"

namespace tapegrad {
namespace {

// A program that may make training steps, with what keeps it alive.
struct PyTrainStep {
  TrainStep step;
  py::object program;
};

std::vector<Value> to_values(const py::sequence& items) {
  std::vector<Value> found;
  found.reserve(items.size());
  for (const py::object x : items) found.push_back(to_value(x.ptr(), "train"));
  return found;
}

py::list to_list(const std::vector<Value>& values) {
  py::list found(values.size());
  for (size_t k = 0; k < values.size(); ++k) found[k] = to_object(values[k]);
  return found;
}

class PyTrainLoop {
 public:
  PyTrainLoop(const py::sequence& carried, const py::sequence& data, int64_t batch_size)
      : loop(to_values(carried), to_values(data), batch_size) {}

  bool set_steps(const py::list& steps, bool last) {
    std::vector<TrainStep> found;
    py::list kept;
    for (py::handle item : steps) {
      const auto pair = item.cast<py::tuple>();
      const auto& s = pair[0].cast<const PyTrainStep&>();
      if (!loop.fits(s.step.executor->program(), last)) continue;
      found.push_back(s.step);
      read_captures(program_of(s.program), pair[1], found.back().captures);
      kept.append(pair);
    }
    const bool any = !found.empty();
    loop.set_steps(std::move(found), last);
    kept_[last] = kept;
    return any;
  }

  std::string run(int64_t epochs) {
    TrainLoop::Stop stop = TrainLoop::Stop::done;
    {
      const LockRelease released;
      stop = loop.run(epochs, [&] { return is_interrupted(released.state()); });
    }
    switch (stop) {
      case TrainLoop::Stop::done:
        return "done";
      case TrainLoop::Stop::unserved:
        return "unserved";
      case TrainLoop::Stop::not_finite:
        return "not finite";
      case TrainLoop::Stop::interrupted:
        throw Interrupted();
    }
    return "done";
  }

  TrainLoop loop;

 private:
  py::list kept_[2];
};

}  // namespace

void bind_train(py::module_& m) {
  py::class_<PyTrainStep>(m, "TrainStep", "A program, ready to make training steps.")
      .def(py::init([](const py::object& program, const py::object& recording) {
             return PyTrainStep{
                 make_train_step(program_of(program).executor(), recording_of(recording).program),
                 program};
           }),
           py::arg("program"), py::arg("recording"))
      .def_property_readonly("is_scalar",
                             [](const PyTrainStep& s) { return s.step.f64 || s.step.f32; });

  py::class_<PyTrainLoop>(m, "TrainLoop", "Whole epochs of training steps.")
      .def(py::init<const py::sequence&, const py::sequence&, int64_t>(), py::arg("carried"),
           py::arg("data"), py::arg("batch_size"))
      .def(
          "set_steps",
          [](PyTrainLoop& self, const py::list& steps, bool last) {
            return self.set_steps(steps, last);
          },
          py::arg("steps"), py::arg("last"))
      .def(
          "set_order",
          [](PyTrainLoop& self,
             const py::array_t<int64_t, py::array::c_style | py::array::forcecast>& order) {
            self.loop.set_order({order.data(), order.data() + order.size()});
          },
          py::arg("order"))
      .def(
          "run", [](PyTrainLoop& self, int64_t epochs) { return self.run(epochs); },
          py::arg("epochs"))
      .def("next_batch", [](PyTrainLoop& self) { return to_list(self.loop.next_batch()); })
      .def(
          "commit",
          [](PyTrainLoop& self, double loss, const py::sequence& carried) {
            self.loop.commit(loss, to_values(carried));
          },
          py::arg("loss"), py::arg("carried"))
      .def_property_readonly("carried",
                             [](const PyTrainLoop& self) { return to_list(self.loop.carried()); })
      .def_property_readonly("epoch", [](const PyTrainLoop& self) { return self.loop.epoch(); })
      .def_property_readonly("batch", [](const PyTrainLoop& self) { return self.loop.batch(); })
      .def_property_readonly("in_last", [](const PyTrainLoop& self) { return self.loop.in_last(); })
      .def_property_readonly("bad_loss",
                             [](const PyTrainLoop& self) { return self.loop.bad_loss(); })
      .def_property_readonly("losses", [](const PyTrainLoop& self) { return self.loop.losses(); });
}

}  // namespace tapegrad
