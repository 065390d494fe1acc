// How a pass rewrites a program: the tables (types, attributes, constants, kernels) are taken over
// as they are, steps and values are written anew, in order. What is no longer used stays in the
// tables until drop_dead.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/program.h"

namespace tapegrad {

constexpr ValueId no_value = ~ValueId{0};

class Edit {
 public:
  explicit Edit(const Program& old);  // which stays where it is meanwhile
  explicit Edit(Program&& old);       // takes the tables over
  Edit(const Edit&) = delete;
  Edit& operator=(const Edit&) = delete;

  // The old program: its steps, operands and values (types by number, constants by index; the
  // tables may have gone over to the new one).
  const Program& old() const { return *old_; }

  // The program written so far.
  const Program& program() const { return p_; }
  // The new number of an old value.
  ValueId at(ValueId old) {
    if (map_[old] == no_value)
      map_[old] = constant_at(old_->values[old].index, old_->values[old].type);
    return map_[old];
  }
  // From now on the first of equal constants stands for the others (equal_constants()).
  void share_constants(std::vector<uint32_t> same) { same_ = std::move(same); }
  bool has(ValueId old) const { return map_[old] != no_value; }
  void set(ValueId old, ValueId now) { map_[old] = now; }

  // Writes a step like `like` (op, kernel, attributes, held); `in` are new values, `out` types.
  ValueId write(const Program::Step& like, std::span<const ValueId> in,
                std::span<const uint32_t> out);
  ValueId write(const Op& op, const Attrs& attrs, std::span<const ValueId> in,
                const TensorType& out);
  void copy(const Program::Step& old);

  ValueId constant(Value value);
  ValueId constants(std::span<Value> values);  // the first of new values, one after the other
  uint32_t type(const TensorType& t);
  uint32_t attrs(const Attrs& a);
  int32_t kernel(std::shared_ptr<const StepKernel> k);

  void require(ValueId now, Value expected);  // by a guard of the pass

  Program finish();  // guards and outputs

 private:
  void begin();
  ValueId value(Source source, uint32_t type, uint32_t index);
  ValueId constant_at(uint32_t index, uint32_t type);
  bool holds_always(const Program::Guard& g) const;

  Program taken_;
  const Program* old_;
  Program p_;
  std::vector<Program::Guard> required_;
  LongVector<ValueId> map_;
  std::vector<ValueId> ins_;
  std::vector<uint32_t> outs_;
  std::vector<ValueId> constant_ids_;  // by index
  std::vector<uint32_t> same_;         // by index: the constant that stands for it
  FlatTable types_, attrs_, scalars_;
  bool types_known_ = false, attrs_known_ = false, scalars_known_ = false;
};

}  // namespace tapegrad
