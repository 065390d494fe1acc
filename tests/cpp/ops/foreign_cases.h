// A function of another library, for tests: the product of two numbers.
#pragma once

#include <memory>

#include "tapegrad/ops/foreign/foreign.h"
#include "tapegrad/ops/registry.h"

namespace cases {

inline void multiply_loop(char** args, const std::ptrdiff_t* n, const std::ptrdiff_t* steps,
                          void*) {
  for (std::ptrdiff_t i = 0; i < *n; ++i) {
    const double a = *reinterpret_cast<double*>(args[0] + i * steps[0]);
    const double b = *reinterpret_cast<double*>(args[1] + i * steps[1]);
    *reinterpret_cast<double*>(args[2] + i * steps[2]) = a * b;
  }
}

// a, in two outputs: b times it, and it.
inline void scale_loop(char** args, const std::ptrdiff_t* n, const std::ptrdiff_t* steps, void*) {
  for (std::ptrdiff_t i = 0; i < *n; ++i) {
    const double a = *reinterpret_cast<double*>(args[0] + i * steps[0]);
    *reinterpret_cast<double*>(args[1] + i * steps[1]) = 3 * a;
    *reinterpret_cast<double*>(args[2] + i * steps[2]) = a * a;
  }
}

inline tapegrad::Attrs product_attrs() {
  static const tapegrad::ForeignPtr product = [] {
    auto f = std::make_shared<tapegrad::ForeignFunction>();
    f->name = "product";
    f->n_in = 2;
    f->f64 = {multiply_loop, nullptr};
    tapegrad::Formula other;
    other.n_inputs = 3;
    other.result = 1;
    f->set_partial(0, 0, other);
    other.result = 0;
    f->set_partial(0, 1, other);
    return f;
  }();
  return tapegrad::foreign_attrs(product);
}

inline tapegrad::Attrs several_attrs() {
  static const tapegrad::ForeignPtr several = [] {
    auto f = std::make_shared<tapegrad::ForeignFunction>();
    f->name = "several";
    f->n_out = 2;
    f->f64 = {scale_loop, nullptr};
    tapegrad::Formula three;
    three.n_inputs = 3;
    three.constants = {3};
    three.result = 3;
    f->set_partial(0, 0, three);
    tapegrad::Formula twice;
    twice.n_inputs = 3;
    tapegrad::register_all_ops();
    twice.steps = {{tapegrad::find_op("add"), {}, {0, 0}, 3}};
    twice.result = 3;
    f->set_partial(1, 0, twice);
    return f;
  }();
  return tapegrad::foreign_attrs(several);
}

}  // namespace cases
