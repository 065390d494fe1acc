#pragma once

#include <unordered_map>
#include <unordered_set>

#include "tapegrad/program/passes/flat_table.h"
#include "tapegrad/program/program.h"

namespace tapegrad {

// Says whether all elements are the same number, to the bit; false for integers and for no
// elements.
bool is_uniform(const Value& v);

// Writes a program step by step; types, attributes and constants are shared. A pass reads one
// program and writes another through this.
class ProgramWriter {
 public:
  void reserve(size_t n_steps, size_t n_others);
  ValueId input(const TensorType& type);
  ValueId capture(const TensorType& type);
  ValueId constant(Value value);
  // Returns the first of n_out consecutive outputs.
  ValueId step(const Op& op, const Attrs& attrs, std::span<const ValueId> in,
               std::span<const TensorType> out, bool held = false);
  // The same with the types by number.
  ValueId step(const Op& op, const Attrs& attrs, std::span<const ValueId> in,
               std::span<const uint32_t> out, bool held = false);
  uint32_t type_number(const Value& v);
  ValueId kernel(std::shared_ptr<const StepKernel> kernel, std::span<const ValueId> in,
                 std::span<const TensorType> out);
  void guard(ValueId value, Value expected, std::string where, bool of_pass = false);
  void output(ValueId value) { p_.outputs.push_back(value); }
  // The user's line of the steps that follow; "" for none.
  void at_line(const std::string& line);

  const Program& program() const { return p_; }
  Program finish() && { return std::move(p_); }

 private:
  static constexpr uint32_t none = ~uint32_t{0};

  ValueId value(Source source, uint32_t type, size_t index);
  uint32_t type(const TensorType& t);
  uint32_t attrs(const Attrs& a);
  // Its outputs are still to be written.
  Program::Step& append(Program::Step step, std::span<const ValueId> in, size_t n_out);
  ValueId outputs(const Program::Step& step, std::span<const TensorType> out);

  Program p_;
  uint32_t last_type_ = 0, line_ = 0;
  std::vector<uint32_t> number_types_;  // of numbers, by dtype
  std::unordered_map<std::string, uint32_t> lines_;
  FlatTable types_, attrs_, constants_;
  std::unordered_set<ValueId> guarded_;
};

// Copies inputs, captures, steps, guards and outputs of a program into a writer, one by one. A pass
// calls begin(), then for each step either copy() or its own translation with set(), then end().
class Rewriter {
 public:
  explicit Rewriter(const Program& from) : from_(from), map_(from.values.size(), none) {}

  void begin();  // inputs and captures
  void copy(const Program::Step& step);
  void end();  // guards and outputs
  ProgramWriter& to() { return to_; }
  Program finish() && { return std::move(to_).finish(); }

  // Returns the new number of a value of the old program; constants are copied when first asked
  // for.
  ValueId at(ValueId old);
  void set(ValueId old, ValueId now) { map_[old] = now; }
  bool has(ValueId old) const { return map_[old] != none; }

 private:
  static constexpr ValueId none = ~ValueId{0};
  const Program& from_;
  ProgramWriter to_;
  LongVector<ValueId> map_;
  std::vector<ValueId> ins_;
  std::vector<TensorType> outs_;
};

}  // namespace tapegrad
