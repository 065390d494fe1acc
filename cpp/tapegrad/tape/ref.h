#pragma once

#include <initializer_list>
#include <span>
#include <vector>

#include "tapegrad/base/value.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {

class Tape;

// The handle that rules compute with: a node of a tape, or a plain constant value.
class Ref {
 public:
  Ref() = default;
  Ref(Value value) : value_(std::move(value)) {}
  Ref(double f) : value_(f) {}
  Ref(Tape* tape, uint32_t slot);               // takes a count of its own
  static Ref adopt(Tape* tape, uint32_t slot);  // takes over a count that the caller holds
  Ref(const Ref& o);
  Ref(Ref&& o) noexcept : tape_(o.tape_), slot_(o.slot_), value_(std::move(o.value_)) {
    o.tape_ = nullptr;
  }
  Ref& operator=(Ref o) noexcept {
    swap(o);
    return *this;
  }
  ~Ref() {
    if (tape_) release();
  }

  bool tracked() const { return tape_ != nullptr; }
  Tape* tape() const { return tape_; }
  uint32_t slot() const { return slot_; }
  const Value& value() const { return tape_ ? node_value() : value_; }
  uint32_t release_slot() && {  // the count is the caller's now
    tape_ = nullptr;
    return slot_;
  }
  Value take_value() &&;  // moves the value out where this is its only user
  Dims shape() const { return value().shape(); }
  DType dtype() const { return value().dtype(); }
  int ndim() const { return value().ndim(); }
  int64_t size() const { return value().size(); }
  TensorType type() const { return type_of(value()); }

  void swap(Ref& o) noexcept {
    std::swap(tape_, o.tape_);
    std::swap(slot_, o.slot_);
    value_.swap(o.value_);
  }

 private:
  const Value& node_value() const;
  void release();

  Tape* tape_ = nullptr;
  uint32_t slot_ = 0;
  Value value_;
};

// Evaluates `op` and records the application where an input is tracked and recording is on.
// In-place ops overwrite their first input when it is moved in and nothing else needs its value.
Ref apply(const Op& op, const Attrs& attrs, std::initializer_list<Ref> inputs);
std::vector<Ref> apply(const Op& op, const Attrs& attrs, std::vector<Ref> inputs);

}  // namespace tapegrad
