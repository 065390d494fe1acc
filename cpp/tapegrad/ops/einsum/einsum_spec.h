#pragma once

#include <string>
#include <vector>

#include "tapegrad/base/shape.h"
#include "tapegrad/tape/attrs.h"

namespace tapegrad {

// The subscripts of an einsum, resolved against the operands' shapes. A label is a number; each
// axis of an ellipsis has its own, so that nothing after the parser knows of ellipses.
struct EinsumSpec {
  std::vector<std::vector<int>> inputs;  // the label of each axis of each operand
  std::vector<int> output;
  std::vector<int64_t> lengths;  // of each label; an operand may have 1 instead
  std::string names;             // a character for each label, unused ones for those of an ellipsis

  Dims output_shape() const;
  std::string term(const std::vector<int>& labels) const;
};

namespace einsum_attrs {
inline constexpr AttrKey subscripts{0, "subscripts"}, internal{1, "internal"};
}

// `internal` allows labels that are no letters (bytes from 128 on): rules name the axes of long
// ellipses by them.
EinsumSpec parse_einsum(const std::string& subscripts, bool internal,
                        const std::vector<Dims>& shapes);

}  // namespace tapegrad
