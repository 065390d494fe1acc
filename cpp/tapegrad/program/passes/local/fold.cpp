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
    if (a.like.held) return no_value;
    for (ValueId v : a.in)
      if (!p.is_constant(v)) return no_value;
    if (pass.calls_host(a.like.attrs)) return no_value;
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
