#include <algorithm>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/program/passes/local/local.h"

// x[part] += u is recorded as a read of the part, an addition and a write, which keep a version of
// x for each of them (the elements of a mesh that are added to a matrix, pieces of a signal that
// overlap). Here it is one addition to the part, in place; and the reverse sweep's detour, a part
// that is set to 0 and gets back what stood there, is nothing at all, but for the sign of a zero.

namespace tapegrad {
namespace {

class PartUpdates final : public LocalRule {
 public:
  ValueId replace(LocalPass& pass, const Application& a) override {
    if (a.like.held || is_elementwise(a.like.op) || a.in.size() != 2) return no_value;
    const Op& op = op_by_id(a.like.op);
    if (op.key != KeyKind::basic || op.update == UpdateKind::none) return no_value;
    const TensorType& array = pass.type(a.out[0]);
    if (!is_floating(array.dtype)) return no_value;
    return op.update == UpdateKind::set ? added(pass, a, array) : put_back(pass, a);
  }

 private:
  static std::span<const int64_t> code_of(const LocalPass& pass, uint32_t attrs) {
    return pass.program().attrs[attrs].integers(index_attrs::code);
  }

  // Whether v is the part of `array` with this key.
  static bool is_part(const LocalPass& pass, ValueId v, ValueId array, uint32_t key) {
    const Program::Step* s = pass.producer(v);
    if (!s || is_elementwise(s->op) || s->n_in != 1 || pass.input_of(*s, 0) != array) return false;
    const Op& op = op_by_id(s->op);
    return op.key == KeyKind::basic && op.update == UpdateKind::none &&
           std::ranges::equal(code_of(pass, s->attrs), code_of(pass, key));
  }

  // Rows and numbers have their own ways, and so have kernels that write most of an array.
  static bool is_small_piece(const LocalPass& pass, uint32_t key, const TensorType& array,
                             const TensorType& part) {
    constexpr int64_t small = 4;  // so many of them are the array
    if (part.shape.empty() || small * element_count(part.shape) > element_count(array.shape))
      return false;
    const IndexItems items(code_of(pass, key));
    if (static_cast<int>(items.size()) != array.shape.ndim()) return false;
    for (size_t k = 0; k < items.size(); ++k)
      if (items[k].kind == IndexKind::range && items[k].length != array.shape[k]) return true;
    return false;
  }

  static ValueId added(LocalPass& pass, const Application& a, const TensorType& array) {
    const TensorType part = pass.program().type_of(a.in[1]);
    if (part.dtype != array.dtype || !is_small_piece(pass, a.like.attrs, array, part))
      return no_value;
    const Program::Step* s = pass.made_by<Add>(a.in[1]);
    const bool takes_away = !s && (s = pass.made_by<Subtract>(a.in[1]));
    if (!s) return no_value;
    for (size_t k = 0; k < (takes_away ? 1 : 2); ++k) {
      ValueId update = pass.input_of(*s, 1 - k);
      if (pass.program().type_of(update) != part ||
          !is_part(pass, pass.input_of(*s, k), a.in[0], a.like.attrs))
        continue;
      if (takes_away) update = pass.emit<Negative>({update}, pass.type_number(a.in[1]));
      const ValueId in[] = {a.in[0], update};
      return pass.in_its_layout(pass.emit(slice_add_op().id, a.like.attrs, in, a.out[0]));
    }
    return no_value;
  }

  static ValueId put_back(LocalPass& pass, const Application& a) {
    const Program::Step* s = pass.producer(a.in[0]);
    if (!s || is_elementwise(s->op) || s->n_in != 2) return no_value;
    const Op& op = op_by_id(s->op);
    if (op.key != KeyKind::basic || op.update != UpdateKind::set ||
        !std::ranges::equal(code_of(pass, s->attrs), code_of(pass, a.like.attrs)))
      return no_value;
    const ValueId array = pass.input_of(*s, 0);
    if (pass.type_number(array) != a.out[0] || !is_part(pass, a.in[1], array, a.like.attrs) ||
        pass.uniform(pass.input_of(*s, 1)) != 0.0)
      return no_value;
    return is_packed(pass.program(), array, true) ? pass.in_its_layout(array) : array;
  }
};

}  // namespace

std::unique_ptr<LocalRule> update_rule() { return std::make_unique<PartUpdates>(); }

}  // namespace tapegrad
