#include "tapegrad/scalar/program.h"

#include <bit>
#include <sstream>

#include "tapegrad/scalar/sym.h"

namespace tapegrad {

int ProgramBuilder::constant(double value) {
  for (size_t k = 0; k < constants_.size(); ++k)
    if (std::bit_cast<uint64_t>(constants_[k]) == std::bit_cast<uint64_t>(value))
      return -1 - static_cast<int>(k);
  constants_.push_back(value);
  return -static_cast<int>(constants_.size());
}

int ProgramBuilder::record(ScalarFn fn, std::array<int, 3> args, int arity) {
  for (size_t k = static_cast<size_t>(arity); k < 3; ++k) args[k] = 0;
  for (size_t k = 0; k < nodes_.size(); ++k)
    if (nodes_[k].fn == fn && nodes_[k].args == args) return n_inputs_ + 1 + static_cast<int>(k);
  nodes_.push_back({fn, args});
  return n_inputs_ + static_cast<int>(nodes_.size());
}

bool ProgramBuilder::is_negated(int operand) const {
  const int node = operand - n_inputs_ - 1;
  return node >= 0 && nodes_[static_cast<size_t>(node)].fn == scalar_fn_of<Negative>();
}

int ProgramBuilder::argument(int operand, size_t i) const {
  return nodes_[static_cast<size_t>(operand - n_inputs_ - 1)].args[i];
}

ScalarProgram ProgramBuilder::finish(int result) const {
  const int first_node = n_inputs_ + 1;
  std::vector<bool> live(nodes_.size(), false);
  auto mark = [&](int operand) {
    if (operand >= first_node) live[static_cast<size_t>(operand - first_node)] = true;
  };
  mark(result);
  for (size_t k = nodes_.size(); k-- > 0;)
    if (live[k])
      for (int i = 0; i < scalar_fn_info(nodes_[k].fn).arity; ++i)
        mark(nodes_[k].args[static_cast<size_t>(i)]);

  ScalarProgram p;
  p.n_inputs = n_inputs_;
  std::vector<int> constant_at(constants_.size(), -1), node_at(nodes_.size(), -1);
  auto keep_constant = [&](int operand) {
    if (operand >= 0) return;
    int& at = constant_at[static_cast<size_t>(-1 - operand)];
    if (at >= 0) return;
    at = static_cast<int>(p.constants.size());
    p.constants.push_back(constants_[static_cast<size_t>(-1 - operand)]);
  };
  keep_constant(result);
  for (size_t k = 0; k < nodes_.size(); ++k)
    if (live[k])
      for (int i = 0; i < scalar_fn_info(nodes_[k].fn).arity; ++i)
        keep_constant(nodes_[k].args[static_cast<size_t>(i)]);

  auto final_operand = [&](int operand) {
    if (operand < 0)
      return static_cast<uint8_t>(p.first_constant() +
                                  constant_at[static_cast<size_t>(-1 - operand)]);
    if (operand < first_node) return static_cast<uint8_t>(operand);
    return static_cast<uint8_t>(p.first_temporary() +
                                node_at[static_cast<size_t>(operand - first_node)]);
  };
  for (size_t k = 0; k < nodes_.size(); ++k) {
    if (!live[k]) continue;
    ScalarProgram::Instruction step{nodes_[k].fn, {0, 0, 0}};
    for (int i = 0; i < scalar_fn_info(step.fn).arity; ++i)
      step.args[static_cast<size_t>(i)] = final_operand(nodes_[k].args[static_cast<size_t>(i)]);
    node_at[k] = static_cast<int>(p.code.size());
    p.code.push_back(step);
  }
  p.result = final_operand(result);
  p.finish();
  return p;
}

namespace {

// A result's slot is free again after its last use.
void assign_slots(ScalarProgram& p) {
  const int first = p.first_temporary();
  std::vector<int> last_use(p.code.size(), -1);
  for (size_t k = 0; k < p.code.size(); ++k)
    for (int i = 0; i < scalar_fn_info(p.code[k].fn).arity; ++i) {
      const int t = p.code[k].args[static_cast<size_t>(i)] - first;
      if (t >= 0) last_use[static_cast<size_t>(t)] = static_cast<int>(k);
    }
  if (p.result >= first)
    last_use[static_cast<size_t>(p.result - first)] = static_cast<int>(p.code.size());
  std::vector<uint8_t> free;
  p.slots.assign(p.code.size(), 0);
  p.slot_count = 0;
  for (size_t k = 0; k < p.code.size(); ++k) {
    if (free.empty()) free.push_back(static_cast<uint8_t>(p.slot_count++));
    p.slots[k] = free.back();
    free.pop_back();
    for (size_t t = 0; t < k; ++t)
      if (last_use[t] == static_cast<int>(k)) free.push_back(p.slots[t]);
  }
}

}  // namespace

void ScalarProgram::finish() {
  reads = 0;
  auto read = [&](int operand) {
    if (operand < n_inputs) reads |= 1u << operand;
    if (operand == n_inputs) reads |= reads_output;
  };
  for (const Instruction& step : code)
    for (int i = 0; i < scalar_fn_info(step.fn).arity; ++i) read(step.args[static_cast<size_t>(i)]);
  read(result);
  assign_slots(*this);
  constant.reset();
  if (!is_input(result) && result < first_temporary()) constant = constant_of(result);
  is_zero = constant == 0.0;
}

namespace {

using PartialPrograms = std::vector<std::array<ScalarProgram, 3>>;

template <class F>
std::array<ScalarProgram, 3> record_partials() {
  ProgramBuilder builder(F::arity);
  auto input = [&](int i) { return Sym(&builder, i); };
  std::array<ScalarProgram, 3> programs;
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
    programs[i] = builder.finish(partials[i].operand(builder));
    programs[i].is_mask = std::is_same_v<F, Select> && !programs[i].is_zero;
    programs[i].strong = programs[i].is_mask || (std::is_same_v<F, Zmul> && i == 1);
  }
  return programs;
}

template <class... F>
PartialPrograms record_all(FunctionList<F...>) {
  return {record_partials<F>()...};
}

}  // namespace

const ScalarProgram& partial_program(ScalarFn f, int i) {
  static const PartialPrograms programs = record_all(ScalarFunctions());
  return programs[index_of(f)][static_cast<size_t>(i)];
}

std::string to_string(const ScalarProgram& p) {
  std::ostringstream out;
  out.precision(17);
  auto operand = [&](int i) {
    if (i < p.n_inputs) {
      out << 'x' << i;
    } else if (i == p.n_inputs) {
      out << 'y';
    } else if (i < p.first_temporary()) {
      out << p.constant_of(i);
    } else {
      out << 't' << i - p.first_temporary();
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
