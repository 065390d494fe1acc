// Many products of cotangents and partials in one pass over arrays of one shape: a stretch of a
// reverse sweep, written as one kernel, whose inner adjoints live in the cache for the length of a
// block and never become arrays.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "tapegrad/base/value.h"
#include "tapegrad/scalar/partial.h"

namespace tapegrad {

// places[to] = or += ct * partial(inputs), as accumulate_product does it.
struct ProductStep {
  enum class Kind : uint8_t {
    load,  // places[to] = *inputs[0], broadcast
    set,
    add
  };
  Kind kind;
  uint32_t from = 0;                     // place of the cotangent, a scratch place
  uint32_t to = 0;                       // place of the adjoint; not `from`
  const PartialTape* partial = nullptr;  // null of a load
  std::array<const Value*, 4> inputs{};  // x0.., y; null where it is not read
};

// Runs the steps in order on every lane. Places below scratch_places are scratch; the others are
// `memory`: packed arrays of the shape that own their memory, written in place. The bits are those
// of one accumulate_product after the other.
void run_products(std::span<const ProductStep> steps, uint32_t scratch_places,
                  std::span<Value> memory, const TensorType& type);

}  // namespace tapegrad
