#include "tapegrad/kernels/fused/bound/bound_windows.h"

#include <algorithm>

namespace tapegrad {
namespace {

class Masker {
 public:
  explicit Masker(const LaneKernel& kernel) : old_(kernel), made_{kernel, {}} {}

  MaskedKernel run() {
    find_masks();
    LaneKernel& made = made_.kernel;
    made.windows.clear();
    made.code.clear();
    made.n_inputs += static_cast<uint32_t>(made_.masks.size());
    if (!made.offsets.empty()) {
      made.offsets.resize(made.n_inputs, no_offset);
      made.boxes.resize(made.n_inputs);
    }
    for (const ScalarTape::Instruction& code : old_.code) now_.push_back(written(code));
    for (LaneKernel::Output& out : made.outputs) out.operand = operand(out.operand);
    return std::move(made_);
  }

 private:
  void find_masks() {
    for (const LaneWindow& w : old_.windows) {
      const auto at = std::ranges::find(made_.masks, w);
      mask_of_.push_back(old_.n_inputs + static_cast<uint32_t>(at - made_.masks.begin()));
      if (at == made_.masks.end()) made_.masks.push_back(w);
    }
  }

  uint32_t operand(uint32_t old) const {
    if (old < old_.n_inputs) return old;
    if (old >= old_.first_result()) return now_[old - old_.first_result()];
    return old + static_cast<uint32_t>(made_.masks.size());
  }

  uint32_t written(ScalarTape::Instruction code) {
    LaneKernel& made = made_.kernel;
    if (!is_window_fn(code.fn)) {
      for (size_t k = 0; k < static_cast<size_t>(lane_arity(code.fn)); ++k)
        code.args[k] = operand(code.args[k]);
      return made.add(code.fn, code.args);
    }
    const uint32_t base = operand(code.args[0]), mask = mask_of_[code.args[2]];
    uint32_t within = operand(code.args[1]);
    if (code.fn == window_add) within = made.add(scalar_fn_of<Add>(), {base, within, 0});
    return made.add(scalar_fn_of<Select>(), {mask, within, base});
  }

  const LaneKernel& old_;
  MaskedKernel made_;
  std::vector<uint32_t> mask_of_, now_;  // by window, by instruction
};

}  // namespace

MaskedKernel windows_as_masks(const LaneKernel& kernel) { return Masker(kernel).run(); }

}  // namespace tapegrad
