#include "tapegrad/program/train/train_scalar.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tapegrad/lanes/lane_plan.h"

namespace tapegrad {

template <class T>
int64_t ScalarStep<T>::run(std::span<T> carried, std::span<const ScalarColumn> columns,
                           const int64_t* rows, int64_t first, int64_t n, double& total,
                           bool& finite) const {
  struct Column {
    const T* data;
    uint32_t reg;
  };
  struct Move {
    uint32_t to, from;
  };
  const size_t n_carried = carried.size();
  // Registers of carried numbers that the tape does not read come behind its own.
  std::vector<T> memory(code_.registers + 2 * n_carried);
  T* const x = memory.data();
  T* const next = x + code_.registers + n_carried;
  std::copy(code_.constants.begin(), code_.constants.end(), x);
  std::vector<Move> moves;
  for (uint32_t k = 0; k < n_carried; ++k)
    moves.push_back({code_.registers + k, code_.outputs[k + 1].reg});
  std::vector<Column> given;
  for (const auto& in : code_.inputs) {
    if (in.number < n_carried) {
      moves[in.number].to = in.reg;
    } else {
      given.push_back({static_cast<const T*>(columns[in.number - n_carried].first), in.reg});
    }
  }
  for (size_t k = 0; k < n_carried; ++k) x[moves[k].to] = carried[k];
  // Whether the next values can be put in place one by one: none of them is an old one.
  const bool one_by_one = std::ranges::none_of(moves, [&](const Move& m) {
    return std::ranges::find(moves, m.from, &Move::to) != moves.end();
  });
  const uint32_t loss_at = code_.outputs[0].reg;
  const auto* const guards = code_.outputs.data() + 1 + n_carried;
  double sum = 0;
  int64_t done = 0;
  finite = true;
  for (; done < n; ++done) {
    const int64_t row = rows ? rows[done] : first + done;
    for (const Column& c : given) x[c.reg] = c.data[row];
    run_registers(code_, x);
    bool held = true;
    for (size_t k = 0; k < expected_.size(); ++k)
      held = held && std::memcmp(&x[guards[k].reg], &expected_[k], sizeof(T)) == 0;
    if (!held) break;
    const T loss = x[loss_at];
    if (!std::isfinite(loss)) {
      finite = false;
      break;
    }
    sum += static_cast<double>(loss);
    if (one_by_one) {
      for (const Move& m : moves) x[m.to] = x[m.from];
    } else {
      for (size_t k = 0; k < n_carried; ++k) next[k] = x[moves[k].from];
      for (size_t k = 0; k < n_carried; ++k) x[moves[k].to] = next[k];
    }
  }
  total += sum;
  for (size_t k = 0; k < n_carried; ++k) carried[k] = x[moves[k].to];
  return done;
}

template <class T>
std::unique_ptr<ScalarStep<T>> make_scalar_step(const Program& p) {
  constexpr DType dtype = sizeof(T) == sizeof(double) ? DType::float64 : DType::float32;
  constexpr uint32_t none = ~uint32_t{0};
  ScalarTape tape;
  std::vector<uint32_t> operand(p.values.size(), none);
  const auto known = [&](ValueId v) {
    const TensorType& t = p.type_of(v);
    return element_count(t.shape) == 1 && (t.dtype == dtype || is_bool(t.dtype));
  };
  if (!p.captures.empty()) return nullptr;
  for (ValueId v : p.inputs) {
    if (!known(v) || p.type_of(v).dtype != dtype) return nullptr;
    operand[v] = tape.n_inputs++;
  }
  for (ValueId v = 0; v < p.values.size(); ++v) {
    if (!p.is_constant(v) || p.constant_of(v).size() != 1) continue;
    const double x = p.constant_of(v).at(0);
    if (x == x && static_cast<double>(static_cast<T>(x)) != x) continue;  // not exact in T
    operand[v] = tape.first_result();
    tape.constants.push_back(x);
  }
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0 || s.n_out != 1 || !known(s.first_out)) return nullptr;
    const std::span<const ValueId> in = p.in(s);
    for (ValueId v : in)
      if (operand[v] == none) return nullptr;
    const Op& op = op_by_id(s.op);
    if (s.op < scalar_fn_count) {
      if (in.size() > 3) return nullptr;
      std::array<uint32_t, 3> args{};
      for (size_t k = 0; k < in.size(); ++k) args[k] = operand[in[k]];
      operand[s.first_out] = tape.add(static_cast<ScalarFn>(s.op), args);
    } else if (op.passes_single_element() && in.size() == 1 &&
               p.type_of(in[0]).dtype == p.type_of(s.first_out).dtype) {
      operand[s.first_out] = operand[in[0]];
    } else {
      return nullptr;
    }
  }
  std::vector<uint32_t> outputs;
  for (ValueId v : p.outputs) {
    if (operand[v] == none || p.type_of(v).dtype != dtype) return nullptr;
    outputs.push_back(operand[v]);
  }
  std::vector<T> expected;
  for (const Program::Guard& g : p.guards) {
    if (operand[g.value] == none || !known(g.value)) return nullptr;
    outputs.push_back(operand[g.value]);
    expected.push_back(static_cast<T>(g.expected.at(0)));
  }
  return std::make_unique<ScalarStep<T>>(make_register_code<T>(tape, outputs, true),
                                         std::move(expected));
}

template class ScalarStep<double>;
template class ScalarStep<float>;
template std::unique_ptr<ScalarStep<double>> make_scalar_step(const Program&);
template std::unique_ptr<ScalarStep<float>> make_scalar_step(const Program&);

}  // namespace tapegrad
