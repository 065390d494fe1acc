#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tapegrad/autodiff/variable.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {

// Gradients of sum_k <seeds[k], outputs[k]> with respect to each of wrt (its shape and dtype; zeros
// where no output depends on it). Without seeds the outputs must be scalars. `record`: whether the
// sweep is itself recorded, so that it can be differentiated again; by default it is inside a
// differentiation scope.
std::vector<Variable> grad(std::span<const Variable> outputs, std::span<const Variable> wrt,
                           std::span<const Ref> seeds = {}, std::optional<bool> record = {});

// Adds the gradient of a scalar output (or of <seed, output>) to the .grad of every leaf it was
// computed from.
void backward(Cell& output, const Value* seed = nullptr, bool free = false);

// grad(f): a mark on this thread's tape. Arguments enter as fresh identity nodes; derivatives with
// respect to them stop there. What comes out is plain unless something outside the scope is
// involved.
class Scope {
 public:
  Scope()
      : tape_(Tape::current()),
        serial_(tape_.open_scope()),
        recording_before_(tape_.set_recording(true)) {
    if (!recording_before_ && tape_.tracing())
      tape_.tracer()->refuse("it takes a derivative where recording is off (tg.no_grad)");
  }
  ~Scope() { close(); }
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  void close() {
    if (!open_) return;
    tape_.close_scope(serial_);
    tape_.set_recording(recording_before_);
    open_ = false;
  }

  Variable argument(const Ref& x);
  std::vector<Ref> grad(std::span<const Ref> outputs, std::span<const Ref> wrt,
                        std::span<const Ref> seeds);
  std::vector<Ref> jvp(std::span<const Ref> outputs, std::span<const Ref> wrt,
                       std::span<const Ref> tangents);
  // d output / d wrt[k], of shape output.shape + wrt[k].shape, by one sweep per element of the
  // output (reverse) or of the arguments (forward).
  std::vector<Ref> jacobian(const Ref& output, std::span<const Ref> wrt, bool reverse);
  // Whether the outputs of the last grad depended on any of its wrt.
  bool reached() const { return reached_; }
  // What may leave the scope: a plain value unless it depends on something outside.
  Ref result(const Ref& r) const;

 private:
  bool outside(const Ref& r) const;
  uint32_t program_only_from() const;
  Ref stand_in(Ref result, uint32_t origin) const;
  Tape& tape_;
  uint32_t serial_;
  bool recording_before_;  // off: nothing outside is of interest
  bool open_ = true;
  bool reached_ = true;
};

// sum = sum + g, in place where sum owns its buffer.
void add_to_gradient(Value& sum, const Value& g);

}  // namespace tapegrad
