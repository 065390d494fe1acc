#include "tapegrad/autodiff/scalar_operation.h"

#include "tapegrad/ops/elementwise.h"
#include "tapegrad/tape/record.h"

namespace tapegrad {

Cell* record_watched_scalar(ScalarFn fn, int arity, const ScalarOperand& a, const ScalarOperand& b,
                            double result) {
  const auto ref_of = [](const ScalarOperand& s) { return s.cell ? s.cell->ref() : Ref(s.x); };
  const std::array<Ref, 2> inputs{ref_of(a), arity == 2 ? ref_of(b) : Ref()};
  return Cell::from(record_single(Tape::current(), op_by_id(static_cast<uint16_t>(fn)), {},
                                  {inputs.data(), static_cast<size_t>(arity)}, Value(result)));
}

}  // namespace tapegrad
