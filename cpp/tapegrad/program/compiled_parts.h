#pragma once

#include <string>

namespace tapegrad {

// Attributes of steps that have kernels of their own: bodies.
class CompiledParts {
 public:
  virtual ~CompiledParts() = default;
  // What they were compiled to by now, an instruction a line. Any thread may ask.
  virtual std::string machine_code() const = 0;
};

}  // namespace tapegrad
