#include "tapegrad/scalar/partial.h"

#include <bit>
#include <sstream>

#include "tapegrad/scalar/sym.h"

namespace tapegrad {

uint32_t PartialRecorder::constant(double value) {
  for (size_t k = 0; k < constants_.size(); ++k)
    if (std::bit_cast<uint64_t>(constants_[k]) == std::bit_cast<uint64_t>(value))
      return first_constant + static_cast<uint32_t>(k);
  constants_.push_back(value);
  return first_constant + static_cast<uint32_t>(constants_.size()) - 1;
}

uint32_t PartialRecorder::record(ScalarFn fn, std::array<uint32_t, 3> args, int arity) {
  for (size_t k = static_cast<size_t>(arity); k < 3; ++k) args[k] = 0;
  const ScalarTape::Instruction made{fn, args};
  for (size_t k = 0; k < code_.size(); ++k)
    if (code_[k] == made) return n_inputs_ + static_cast<uint32_t>(k);
  code_.push_back(made);
  return n_inputs_ + static_cast<uint32_t>(code_.size()) - 1;
}

bool PartialRecorder::is_negated(uint32_t operand) const {
  return operand >= n_inputs_ && operand < first_constant &&
         code_[operand - n_inputs_].fn == scalar_fn_of<Negative>();
}

PartialTape PartialRecorder::finish(uint32_t result) const {
  std::vector<bool> live(code_.size(), false);
  const auto is_result = [&](uint32_t op) { return op >= n_inputs_ && op < first_constant; };
  const auto mark = [&](uint32_t op) {
    if (is_result(op)) live[op - n_inputs_] = true;
  };
  const auto for_args = [&](size_t k, auto&& f) {
    for (int i = 0; i < scalar_fn_info(code_[k].fn).arity; ++i)
      f(code_[k].args[static_cast<size_t>(i)]);
  };
  mark(result);
  for (size_t k = code_.size(); k-- > 0;)
    if (live[k]) for_args(k, mark);

  PartialTape p;
  p.n_inputs = n_inputs_;
  std::vector<uint32_t> constant_at(constants_.size(), ~uint32_t{0}), result_at(code_.size());
  const auto keep_constant = [&](uint32_t op) {
    if (op < first_constant) return;
    uint32_t& at = constant_at[op - first_constant];
    if (at != ~uint32_t{0}) return;
    at = p.first_result();
    p.constants.push_back(constants_[op - first_constant]);
  };
  keep_constant(result);
  for (size_t k = 0; k < code_.size(); ++k)
    if (live[k]) for_args(k, keep_constant);

  const auto operand = [&](uint32_t op) {
    if (op >= first_constant) return constant_at[op - first_constant];
    return is_result(op) ? result_at[op - n_inputs_] : op;
  };
  for (size_t k = 0; k < code_.size(); ++k) {
    if (!live[k]) continue;
    std::array<uint32_t, 3> args{};
    size_t i = 0;
    for_args(k, [&](uint32_t op) { args[i++] = operand(op); });
    result_at[k] = p.add(code_[k].fn, args);
  }
  p.result = operand(result);
  p.finish();
  return p;
}

void PartialTape::finish() {
  reads = 0;
  auto read = [&](uint32_t operand) {
    if (is_input(operand)) reads |= operand == arity() ? reads_output : 1u << operand;
  };
  for (const Instruction& step : code)
    for (int i = 0; i < scalar_fn_info(step.fn).arity; ++i) read(step.args[static_cast<size_t>(i)]);
  read(result);
  constant.reset();
  if (is_constant(result)) constant = constants[result - first_constant()];
  is_zero = constant == 0.0;
}

namespace {

using PartialTapes = std::vector<std::array<PartialTape, 3>>;

// Functions of which a zero partial says that they do not look at the operand there, or have a
// kink whose slope is zero by convention: nothing goes back to it, however much comes.
template <class F, class... Fs>
constexpr bool is_one_of = (std::is_same_v<F, Fs> || ...);
template <class F>
constexpr bool has_strong_partials =
    is_one_of<F, Absolute, Fabs, Maximum, Minimum, Fmax, Fmin, Clip, Zproduct>;

template <class F>
std::array<PartialTape, 3> record_partials() {
  PartialRecorder recorder(F::arity);
  auto input = [&](uint32_t i) { return Sym(&recorder, i); };
  std::array<PartialTape, 3> tapes;
  const auto partials = [&] {
    if constexpr (F::arity == 1) {
      return F::template partials<Sym>(input(0), input(1));
    } else if constexpr (F::arity == 2) {
      return F::template partials<Sym>(input(0), input(1), input(2));
    } else {
      return F::template partials<Sym>(input(0), input(1), input(2), input(3));
    }
  }();
  for (size_t i = 0; i < partials.size(); ++i) {
    tapes[i] = recorder.finish(partials[i].operand(recorder));
    tapes[i].of = scalar_fn_of<F>();
    tapes[i].by = static_cast<int>(i);
    tapes[i].is_mask = std::is_same_v<F, Select> && !tapes[i].is_zero;
    tapes[i].strong =
        tapes[i].is_mask || (std::is_same_v<F, Zmul> && i == 1) || has_strong_partials<F>;
  }
  return tapes;
}

template <class... F>
PartialTapes record_all(FunctionList<F...>) {
  return {record_partials<F>()...};
}

}  // namespace

const PartialTape& partial_tape(ScalarFn f, int i) {
  static const PartialTapes tapes = record_all(ScalarFunctions());
  return tapes[index_of(f)][static_cast<size_t>(i)];
}

std::string to_string(const PartialTape& p) {
  std::ostringstream out;
  out.precision(17);
  auto operand = [&](uint32_t i) {
    if (p.is_input(i)) {
      if (i == p.arity()) {
        out << 'y';
      } else {
        out << 'x' << i;
      }
    } else if (p.is_constant(i)) {
      out << p.constants[i - p.first_constant()];
    } else {
      out << 't' << i - p.first_result();
    }
  };
  for (size_t k = 0; k < p.code.size(); ++k) {
    const ScalarFnInfo& info = scalar_fn_info(p.code[k].fn);
    out << 't' << k << " = " << info.name << '(';
    for (int i = 0; i < info.arity; ++i) {
      if (i) out << ", ";
      operand(p.code[k].args[static_cast<size_t>(i)]);
    }
    out << "); ";
  }
  operand(p.result);
  return out.str();
}

}  // namespace tapegrad
