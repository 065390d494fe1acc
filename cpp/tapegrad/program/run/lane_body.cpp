#include "tapegrad/program/run/lane_body.h"

#include <algorithm>

#include "tapegrad/ops/axes.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {
namespace {

class Translator {
 public:
  Translator(const Program& p, size_t n_carry, size_t n_series) : p_(p) {
    loop_.n_carry = static_cast<uint32_t>(n_carry);
    loop_.n_series = static_cast<uint32_t>(n_series);
  }

  std::shared_ptr<const LaneBody> run() {
    if (!find_space() || !check_ends() || !collect_constants()) return nullptr;
    kernel().n_inputs = static_cast<uint32_t>(p_.inputs.size() + constants_.size());
    number_operands();
    for (const Program::Step& s : p_.steps)
      if (!translate(s)) return nullptr;
    for (size_t k = 0; k < p_.outputs.size(); ++k) {
      const TensorType& type = p_.type_of(p_.outputs[k]);
      LaneKernel::Output out{operand(p_.outputs[k])};
      out.dtype = type.dtype;
      kernel().outputs.push_back(std::move(out));
      rows().push_back(!type.shape.empty());
    }
    return std::make_shared<const LaneBody>(std::move(loop_), std::move(constants_));
  }

 private:
  LaneKernel& kernel() { return loop_.body; }
  std::vector<uint8_t>& rows() { return loop_.is_row; }
  bool in_space(ValueId v) const {
    const Dims& shape = p_.type_of(v).shape;
    return shape.empty() || shape == loop_.space;
  }
  bool fits(ValueId v) const {
    const DType d = p_.type_of(v).dtype;
    return in_space(v) && (is_bool(d) || d == loop_.body.dtype);
  }

  // The one shape that is not (), and the dtype that is not bool.
  bool find_space() {
    bool known = false;
    for (size_t v = 0; v < p_.values.size(); ++v) {
      const ValueId id = static_cast<ValueId>(v);
      const TensorType& type = p_.type_of(id);
      if (p_.values[v].source == Source::constant && type.shape.empty()) continue;
      if (is_floating(type.dtype)) {
        if (known && type.dtype != kernel().dtype) return false;
        kernel().dtype = type.dtype;
        known = true;
      }
      if (type.shape.empty() || type.shape == loop_.space) continue;
      if (!loop_.space.empty()) return false;
      loop_.space = type.shape;
    }
    if (loop_.space.empty()) loop_.space = Dims{1};  // numbers alone
    const int64_t n = element_count(loop_.space);
    return known && n >= 1 && n <= most_loop_lanes;
  }

  bool check_ends() const {
    const auto fit = [this](ValueId v) { return fits(v); };
    return std::all_of(p_.inputs.begin(), p_.inputs.end(), fit) &&
           std::all_of(p_.outputs.begin(), p_.outputs.end(), fit);
  }

  bool collect_constants() {
    rows().assign(p_.inputs.size(), 0);
    for (size_t i = 0; i < p_.inputs.size(); ++i)
      rows()[i] = !p_.type_of(p_.inputs[i]).shape.empty();
    array_.assign(p_.constants.size(), 0);
    number_.assign(p_.constants.size(), 0);
    for (size_t v = 0; v < p_.values.size(); ++v) {
      if (p_.values[v].source != Source::constant) continue;
      const uint32_t index = p_.values[v].index;
      const Value& c = p_.constants[index];
      if (!c.is_scalar()) {
        if (!fits(static_cast<ValueId>(v))) return false;
        if (array_[index] != 0) continue;
        constants_.push_back(c);
        rows().push_back(1);
        array_[index] = static_cast<uint32_t>(p_.inputs.size() + constants_.size());
      } else if (number_[index] == 0) {
        kernel().constants.push_back(c.as_double());
        number_[index] = static_cast<uint32_t>(kernel().constants.size());
      }
    }
    return true;
  }

  void number_operands() {
    operand_.assign(p_.values.size(), 0);
    for (size_t i = 0; i < p_.inputs.size(); ++i) operand_[p_.inputs[i]] = static_cast<uint32_t>(i);
    for (size_t v = 0; v < p_.values.size(); ++v) {
      if (p_.values[v].source != Source::constant) continue;
      const uint32_t index = p_.values[v].index;
      operand_[v] =
          array_[index] != 0 ? array_[index] - 1 : kernel().first_constant() + number_[index] - 1;
    }
  }

  uint32_t operand(ValueId v) const { return operand_[v]; }

  void write(ScalarFn fn, std::span<const ValueId> in, ValueId out) {
    ScalarTape::Instruction code{fn, {0, 0, 0}};
    for (size_t k = 0; k < in.size(); ++k) code.args[k] = operand(in[k]);
    kernel().code.push_back(code);
    operand_[out] = kernel().first_result() + static_cast<uint32_t>(kernel().code.size()) - 1;
  }

  bool translate(const Program::Step& s) {
    if (s.kernel >= 0 || s.n_out != 1) return false;
    const std::span<const ValueId> in = p_.in(s);
    const ValueId out = s.first_out;
    if (!fits(out) || !std::all_of(in.begin(), in.end(), [this](ValueId v) {
          return fits(v) || (p_.is_constant(v) && p_.constant_of(v).is_scalar());
        }))
      return false;
    const Op& op = op_by_id(s.op);
    if (is_elementwise(s.op)) {
      if (!computes_in_dtype(s)) return false;
      write(static_cast<ScalarFn>(s.op), in, out);
    } else if (op.view == ViewKind::broadcast) {
      operand_[out] = operand(in[0]);
    } else if (op.adds_up()) {
      const Dims &from = p_.type_of(in[0]).shape, &to = p_.type_of(out).shape;
      if (from == to) {
        operand_[out] = operand(in[0]);
      } else if (to.empty() && p_.type_of(in[0]).dtype == kernel().dtype) {
        write(row_sum, in, out);
      } else {
        return false;
      }
    } else {
      return false;
    }
    return true;
  }

  // A comparison of masks, say, is made in float64 whatever the rest is.
  bool computes_in_dtype(const Program::Step& s) const {
    if (kernel_dtype() == DType::float64) return true;
    const std::span<const ValueId> in = p_.in(s);
    return std::any_of(in.begin(), in.end(),
                       [&](ValueId v) { return p_.type_of(v).dtype == kernel_dtype(); });
  }
  DType kernel_dtype() const { return loop_.body.dtype; }

  const Program& p_;
  LaneLoop loop_;
  std::vector<Value> constants_;
  std::vector<uint32_t> array_, number_;  // by constant: 1 + what stands for it, or 0
  std::vector<uint32_t> operand_;         // by value
};

}  // namespace

void LaneBody::run(std::span<const Value> inputs, int64_t length, bool reverse,
                   std::span<Value> outputs) const {
  if (constants_.empty()) return program_.run(inputs, length, reverse, outputs);
  std::vector<Value> all(inputs.begin(), inputs.end());
  all.insert(all.end(), constants_.begin(), constants_.end());
  program_.run(all, length, reverse, outputs);
}

std::shared_ptr<const LaneBody> as_lane_body(const Program& body, size_t n_carry, size_t n_series) {
  std::vector<std::unique_ptr<LocalRule>> means;
  means.push_back(mean_rule());
  const Program p =
      drop_dead(LocalPass(rewrite_locally(body, PassOptions()), std::move(means)).run());
  return Translator(p, n_carry, n_series).run();
}

}  // namespace tapegrad
