#include "tapegrad/ops/foreign/formula.h"

#include <algorithm>
#include <utility>

namespace tapegrad {

bool Formula::reads(uint32_t input) const {
  if (result == input) return true;
  return std::ranges::any_of(
      steps, [&](const Step& s) { return std::ranges::find(s.args, input) != s.args.end(); });
}

Ref Formula::at(std::span<const Ref> inputs, DType dtype) const {
  std::vector<Ref> known(inputs.begin(), inputs.end());
  for (double c : constants) known.push_back(Ref(Value::scalar(c, dtype)));
  for (const Step& s : steps) {
    std::vector<Ref> in;
    for (uint32_t k : s.args) in.push_back(known[k]);
    for (Ref& r : apply(*s.op, s.attrs, std::move(in))) known.push_back(std::move(r));
  }
  return known[result];
}

}  // namespace tapegrad
