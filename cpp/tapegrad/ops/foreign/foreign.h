#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "tapegrad/ops/foreign/formula.h"

namespace tapegrad {

// A loop over `dims[0]` elements: `args` has the first element of each input and output, `steps`
// how many bytes apart elements are.
using ForeignLoop = void (*)(char** args, const std::ptrdiff_t* dims, const std::ptrdiff_t* steps,
                             void* data);

// An elementwise function of another library, as an attribute of the ops that apply it. It is
// immutable once it has been applied, and lives as long as the process.
class ForeignFunction final : public AttrObject {
 public:
  struct Loop {
    ForeignLoop run = nullptr;
    void* data = nullptr;
  };
  // What is known of a partial derivative: a formula in the inputs and then the outputs; nothing,
  // where it is 0; or why there is none.
  using Partial = std::variant<std::monostate, Formula, std::string>;

  static constexpr size_t most_operands = 12;

  std::string name;
  size_t n_in = 1, n_out = 1;
  Loop f64, f32;  // f32 may be missing
  // In their place, of a function of whole numbers: a loop of float64 whose flagged inputs are
  // int64.
  Loop whole;
  unsigned whole_inputs = 0;

  // The derivative of output j by input i.
  const Partial& partial(size_t j, size_t i) const { return partials_[j * n_in + i]; }
  void set_partial(size_t j, size_t i, Partial partial);

  size_t hash() const override { return std::hash<const void*>()(this); }
  bool equals(const AttrObject& other) const override { return this == &other; }
  void print(std::ostream& out) const override;

 private:
  std::vector<Partial> partials_;
};
using ForeignPtr = std::shared_ptr<const ForeignFunction>;

// `foreign` has one result, `foreign_several` as many as the function has.
const Op& foreign_op(const ForeignFunction& f);
inline Attrs foreign_attrs(ForeignPtr f) { return Attrs{AttrRef(std::move(f))}; }

// Loops of another library may report errors in ways of its own. The host is told before a loop
// over n elements and after it; `end` may throw.
struct ForeignHost {
  void* (*begin)(int64_t n) = nullptr;
  void (*end)(void* state) = nullptr;
};
extern ForeignHost foreign_host;

}  // namespace tapegrad
