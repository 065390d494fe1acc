// A Program is a frozen tape: steps over numbered values, each value written once (SSA), each step
// after what it reads. Recording makes one (record.h), passes turn one into a better one
// (passes.h), an Executor runs it (executor.h), replay() applies its ops to Refs, so that whatever
// works on a recording works on a program.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/base/pooled.h"
#include "tapegrad/base/value.h"
#include "tapegrad/kernels/fused/lane_program.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {

using ValueId = uint32_t;

enum class Source : uint8_t {
  input,     // index: the number of the input
  captured,  // index: the number of the capture, an array or Variable read at each run
  constant,  // index: into Program::constants
  step       // index: the step that writes it
};

// What passes write in place of ops. Any thread may run one at any time.
class StepKernel {
 public:
  virtual ~StepKernel() = default;
  virtual void run(std::span<const Value> in, std::span<Value> out) const = 0;
  virtual double ns(size_t n_operands) const = 0;  // roughly
  // The most memory that a run takes, besides its outputs.
  virtual size_t scratch_bytes() const { return 0; }
  virtual void print(std::ostream& out) const = 0;
  // What it was compiled to by now, an instruction a line.
  virtual std::string machine_code() const { return {}; }
};

// A fused group of elementwise ops and sums: see lanes/lane_kernel.h.
struct FusedKernel final : StepKernel {
  explicit FusedKernel(LaneKernel k, Dims s) : lanes(std::move(k)), space(std::move(s)) {}
  void run(std::span<const Value> in, std::span<Value> out) const override {
    lanes.run(in, space, out);
  }
  double ns(size_t n_operands) const override;
  void print(std::ostream& out) const override;
  std::string machine_code() const override { return lanes.machine_code(); }
  LaneProgram lanes;
  Dims space;
};

struct Program {
  struct ValueInfo {
    Source source;
    uint32_t type;  // into types
    uint32_t index;
  };
  struct Step {
    uint16_t op = 0;                  // where kernel < 0
    int32_t kernel = -1;              // into kernels
    uint32_t attrs = 0;               // into attrs; 0 is the empty list
    uint32_t first_in = 0, n_in = 0;  // into operands
    ValueId first_out = 0;            // its outputs are numbered one after the other
    uint32_t n_out = 0;
    bool held = false;  // a replay on Refs lets no derivative through
    uint32_t line = 0;  // into lines
  };
  // A replay is the recorded path only where `value` still is what it was. Where a guard does not
  // hold that a pass made, the program is run as it was without that pass.
  struct Guard {
    ValueId value;
    Value expected;
    std::string where;  // the user's line
    bool of_pass = false;
  };

  std::vector<TensorType> types;
  std::vector<Attrs> attrs{Attrs()};
  std::vector<Value> constants;
  LongVector<ValueInfo> values;
  LongVector<ValueId> operands;
  LongVector<Step> steps;
  std::vector<std::shared_ptr<const StepKernel>> kernels;
  std::vector<ValueId> inputs;
  std::vector<ValueId> captures;
  std::vector<Guard> guards;
  std::vector<ValueId> outputs;
  // The user's lines, where the recording kept them; steps that passes wrote have none.
  std::vector<std::string> lines{""};

  std::span<const ValueId> in(const Step& s) const {
    return {operands.data() + s.first_in, s.n_in};
  }
  std::span<ValueId> in(const Step& s) { return {operands.data() + s.first_in, s.n_in}; }
  const TensorType& type_of(ValueId v) const { return types[values[v].type]; }
  const Attrs& attrs_of(const Step& s) const { return attrs[s.attrs]; }
  // Empty where it is not known: a step may have come here without its program's lines.
  const std::string& line_of(const Step& s) const {
    return lines[s.line < lines.size() ? s.line : 0];
  }
  bool is_constant(ValueId v) const { return values[v].source == Source::constant; }
  const Value& constant_of(ValueId v) const { return constants[values[v].index]; }
};

// Throws RuntimeError naming the first broken invariant: for tests, and after passes in debug
// builds.
void check_program(const Program& p);

// Whether two programs take the same steps on the same constants; kernels are told apart.
bool same_program(const Program& p, const Program& q);
size_t hash_of(const Program& p);

// How often each value is read: by steps, by guards and as an output.
LongVector<uint32_t> use_counts(const Program& p);

// One step a line.
std::string to_string(const Program& p);
// Of its kernels, as far as they were compiled by now.
std::string machine_code(const Program& p);

}  // namespace tapegrad
