// Passes that look at one step at a time, in order, when its inputs have been rewritten already. A
// rule may put a value in the step's place, written with emit(): what it writes goes through the
// rules too, so that folding, identities and sharing feed one another in one walk.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {

// A step that is about to be written: values of the new program, types by number.
struct Application {
  Program::Step like;  // op, attributes, held
  std::span<const ValueId> in;
  std::span<const uint32_t> out;
};

class LocalPass;

// Sums and products of matrices round by the strides of their operands too. So a value that such an
// op may come to read is replaced only by one that lies in memory as it did: packed, or said to be
// so by the rule (in_its_layout).
class LocalRule {
 public:
  virtual ~LocalRule() = default;
  // The first of the values that stand for the application's outputs, or no_value.
  virtual ValueId replace(LocalPass& pass, const Application& a) = 0;
  // The values for a step of several outputs, which need not lie side by side.
  virtual bool replace_each(LocalPass&, const Application&, std::vector<ValueId>&) { return false; }
  virtual void written(LocalPass&, const Application&) {}
};

// Whether a value is sure to lie in C order without gaps. `is_part`: what was copied out of arrays
// and written into them counts; other rules leave it where it is for the kernels of slices.
bool is_packed(const Program& p, ValueId v, bool is_part = false);

template <class F>
constexpr uint16_t op_of_fn() {
  return static_cast<uint16_t>(scalar_fn_of<F>());
}

inline bool is_elementwise(uint16_t op) { return op < scalar_fn_count; }

// The number that a value has everywhere, looked at once for each constant.
class UniformConstants {
 public:
  std::optional<double> at(const Program& p, ValueId v);

 private:
  enum class State : uint8_t { unseen, uniform, varied };
  std::vector<State> states_;
  std::vector<double> numbers_;
};

class LocalPass {
 public:
  LocalPass(const Program& p, std::vector<std::unique_ptr<LocalRule>> rules)
      : edit_(p), rules_(std::move(rules)) {}
  LocalPass(Program&& p, std::vector<std::unique_ptr<LocalRule>> rules)
      : edit_(std::move(p)), rules_(std::move(rules)) {}
  Program run();

  const Program& program() const { return edit_.program(); }
  Edit& edit() { return edit_; }
  const TensorType& type(uint32_t t) const { return program().types[t]; }
  uint32_t type_number(ValueId v) const { return program().values[v].type; }

  // One application with one output, through the rules.
  ValueId emit(uint16_t op, uint32_t attrs, std::span<const ValueId> in, uint32_t out);
  ValueId emit(uint16_t op, std::initializer_list<ValueId> in, uint32_t out) {
    return emit(op, 0, {in.begin(), in.size()}, out);
  }
  template <class F>
  ValueId emit(std::initializer_list<ValueId> in, uint32_t out) {
    return emit(op_of_fn<F>(), in, out);
  }
  // x as a value of type `out`: itself, or broadcast; no_value where the dtypes differ.
  ValueId as_type(ValueId x, uint32_t out);
  ValueId number(double x, DType dtype) { return edit_.constant(Value::scalar(x, dtype)); }

  // The step that made v where it lets derivatives through and is no kernel, else null; where it
  // applies this scalar function; where it is a view of this kind.
  const Program::Step* producer(ValueId v) const;
  template <class F>
  const Program::Step* made_by(ValueId v) const {
    const Program::Step* s = producer(v);
    return s && s->op == op_of_fn<F>() ? s : nullptr;
  }
  const Program::Step* view_made_by(ValueId v, ViewKind view) const {
    const Program::Step* s = producer(v);
    return s && op_by_id(s->op).view == view ? s : nullptr;
  }
  ValueId input_of(const Program::Step& s, size_t i) const {
    return program().operands[s.first_in + i];
  }
  // Whether an application with these attributes does; they are looked at once.
  bool calls_host(uint32_t attrs) {
    if (attrs == 0) return false;
    if (attrs >= calls_host_.size()) calls_host_.resize(program().attrs.size(), Answer::unknown);
    Answer& known = calls_host_[attrs];
    if (known == Answer::unknown)
      known = program().attrs[attrs].calls_host() ? Answer::yes : Answer::no;
    return known == Answer::yes;
  }
  // Says of what a rule returns that it has the strides that the application's result had.
  ValueId in_its_layout(ValueId v) { return same_layout_ = v; }
  std::optional<double> uniform(ValueId v) { return uniform_.at(program(), v); }

 private:
  ValueId place(const Application& a);
  bool place_each(const Application& a, ValueId first_old);
  void find_layout_free();

  Edit edit_;
  std::vector<bool> layout_free_;  // by old value: nobody who reads it cares for its strides
  bool may_be_strided_ = true;     // the step at work is one of those
  ValueId same_layout_ = no_value;
  std::vector<std::unique_ptr<LocalRule>> rules_;
  UniformConstants uniform_;
  enum class Answer : uint8_t { unknown, yes, no };
  std::vector<Answer> calls_host_;  // by attributes
};

// The rules; each is defined in the file of its pass.
std::unique_ptr<LocalRule> folding_rule();
std::unique_ptr<LocalRule> algebra_rule(bool reorder);
std::unique_ptr<LocalRule> view_rule();
std::unique_ptr<LocalRule>
mean_rule();  // mean(f(x)) as a sum, which a kernel can make, and a quotient
std::unique_ptr<LocalRule> sharing_rule();
// By constant, the first that is equal: what a loop makes anew in each turn, index arrays above
// all.
std::vector<uint32_t> equal_constants(const Program& p);
std::unique_ptr<LocalRule> part_rule();    // what was written into an array is read directly
std::unique_ptr<LocalRule> update_rule();  // what is added to a part is added in place

// The passes that `options` names among parts, fold, views, algebra and shared, in one walk.
Program rewrite_locally(const Program& p, const PassOptions& options);
Program rewrite_locally(Program&& p, const PassOptions& options);

}  // namespace tapegrad
