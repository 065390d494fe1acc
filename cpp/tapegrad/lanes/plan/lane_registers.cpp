#include <algorithm>

#include "tapegrad/lanes/plan/lane_fusion.h"

namespace tapegrad {

// A register that lanes or outputs read is kept to the end.
template <class T>
void LaneFusion::plan_registers(RegisterCode<T>& to, bool keep_order) {
  constexpr uint32_t window = 1024;
  reg_.assign(count_, none);
  uint32_t next = 0;
  for (double c : k_.constants) {
    reg_[first_constant_ + next] = next;
    ++next;
    to.constants.push_back(static_cast<T>(c));
  }
  for (uint32_t i = 0; i < k_.n_inputs; ++i) {
    if (!uniform_[i] || !needed_[i]) continue;
    reg_[i] = next++;
    to.inputs.push_back({i, reg_[i]});
  }
  std::vector<uint32_t> items;
  for (uint32_t op = first_result_; op < count_; ++op)
    if (uniform_[op] && needed_[op] && alias_[op] == op) items.push_back(op);
  if (items.size() >= least_grouped && !keep_order) {
    group(items, window, [&](uint32_t op, std::vector<uint32_t>& operands) {
      for (int i = 0; i < arity(op); ++i) operands.push_back(arg(op, i));
      return static_cast<uint16_t>(index_of(code(op).fn));
    });
  }
  std::fill(last_.begin(), last_.end(), none);
  for (uint32_t at = 0; at < items.size(); ++at)
    for (int i = 0; i < arity(items[at]); ++i) last_[arg(items[at], i)] = at;
  std::vector<uint32_t> free;
  uint32_t previous = none;
  for (uint32_t at = 0; at < items.size(); ++at) {
    const uint32_t op = items[at];
    uint32_t args[3] = {};
    for (int i = 0; i < arity(op); ++i) args[i] = reg_[arg(op, i)];
    for (int i = 0; i < arity(op); ++i) {
      const uint32_t a = arg(op, i);
      if (!is_result(a) || last_[a] != at || uses_[a]) continue;
      free.push_back(reg_[a]);
      last_[a] = none;
    }
    if (free.empty()) {
      reg_[op] = next++;
    } else {
      reg_[op] = free.back();
      free.pop_back();
    }
    to.steps.push_back(make_register_step(code(op).fn, reg_[op], args, previous));
    previous = reg_[op];
  }
  to.steps.push_back(end_step());
  to.registers = next;
  for (uint32_t op = 0; op < count_; ++op)
    if (uniform_[op])
      for (uint32_t k = first_output_[op]; k != none; k = next_output_[k])
        to.outputs.push_back({k, reg_[op]});
  std::ranges::sort(to.outputs, {}, &RegisterCode<T>::Port::number);
}

template void LaneFusion::plan_registers(RegisterCode<float>&, bool);
template void LaneFusion::plan_registers(RegisterCode<double>&, bool);

}  // namespace tapegrad
