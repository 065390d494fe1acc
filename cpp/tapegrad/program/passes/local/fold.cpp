#include <exception>

#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {
namespace {

// A constant may cost this much memory, and all that are computed from others so much together;
// what would be more stays a step, unless it is a view. (An array that is written at n places, all
// of it constant, has n versions.)
constexpr size_t most_bytes = 1 << 20, most_bytes_together = 16 << 20;

class Folding final : public LocalRule {
 public:
  ValueId replace(LocalPass& pass, const Application& a) override {
    const Program& p = pass.program();
    if (a.like.held || pass.calls_host(a.like.attrs)) return no_value;
    for (ValueId v : a.in)
      if (!p.is_constant(v)) return of_no_elements(pass, a);
    const size_t bytes = stays_view(p, a) ? 0 : byte_count(pass, a);
    if (bytes > most_bytes || (bytes > 0 && folded_ + bytes > most_bytes_together)) return no_value;
    std::vector<Value> in, out(a.out.size());
    for (ValueId v : a.in) in.push_back(p.constant_of(v));
    try {
      op_by_id(a.like.op).eval(p.attrs[a.like.attrs], in, out);
    } catch (const std::exception&) {
      return no_value;  // raised when the program runs
    }
    for (size_t j = 0; j < out.size(); ++j)
      if (type_of(out[j]) != pass.type(a.out[j])) return no_value;
    folded_ += bytes;
    return pass.in_its_layout(out.size() == 1 ? pass.edit().constant(std::move(out[0]))
                                              : pass.edit().constants(out));
  }

 private:
  // What is made of no elements: nothing, a sum of nothing, or what it would be written to.
  static ValueId of_no_elements(LocalPass& pass, const Application& a) {
    if (a.out.size() != 1 || a.in.empty()) return no_value;
    const TensorType type = pass.type(a.out[0]);
    const auto shape_of = [&](size_t k) { return pass.program().type_of(a.in[k]).shape; };
    const Op* const op = is_elementwise(a.like.op) ? nullptr : &op_by_id(a.like.op);
    const bool is_pure = !op || op->elements != ElementKind::computed || op->is_whole_view() ||
                         op->product == ProductKind::matrices || op->adds_up();
    if (!is_pure) return no_value;
    const bool is_nothing = element_count(type.shape) == 0;
    const bool is_sum = op && ((op->adds_up() && element_count(shape_of(0)) == 0) ||
                               (op->product == ProductKind::matrices && shape_of(0).back() == 0));
    if (is_nothing || is_sum)
      return pass.in_its_layout(pass.edit().constant(Value::zeros(type.dtype, type.shape)));
    if (!op || op->update == UpdateKind::none || element_count(shape_of(1)) > 0) return no_value;
    return is_packed(pass.program(), a.in[0], true) ? pass.in_its_layout(a.in[0]) : a.in[0];
  }

  // Whether the result shares its input's memory.
  static bool stays_view(const Program& p, const Application& a) {
    const Op& op = op_by_id(a.like.op);
    return op.is_whole_view() &&
           (op.view != ViewKind::reshaped || p.constant_of(a.in[0]).is_contiguous());
  }

  static size_t byte_count(const LocalPass& pass, const Application& a) {
    size_t bytes = 0;
    for (uint32_t t : a.out) {
      const TensorType& type = pass.type(t);
      bytes += static_cast<size_t>(element_count(type.shape)) * item_size(type.dtype);
    }
    return bytes;
  }

  size_t folded_ = 0;  // bytes of all constants that were computed
};

}  // namespace

std::unique_ptr<LocalRule> folding_rule() { return std::make_unique<Folding>(); }

Program fold_constants(const Program& p) {
  PassOptions only{.parts = false,
                   .fold = true,
                   .shared = false,
                   .algebra = false,
                   .views = false,
                   .fuse = false};
  return rewrite_locally(p, only);
}

}  // namespace tapegrad
