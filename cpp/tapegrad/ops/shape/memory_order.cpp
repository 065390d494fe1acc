#include "tapegrad/ops/shape/memory_order.h"

#include <algorithm>
#include <cstdlib>

#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/tape/tape.h"

namespace tapegrad {
namespace {

// Beyond this many nodes a value counts as packed in C order.
constexpr int most_nodes = 256;
constexpr int most_levels = 64;
constexpr int most_writes = 4096;

// An input of the shape of a result, aligned at the end: stride 0 where it repeats.
struct Aligned {
  Dims strides;
};

Aligned aligned(const Dims& shape, const Dims& strides, const Dims& to) {
  Aligned found{Dims(to.size(), 0)};
  const size_t first = to.size() - shape.size();
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1) found.strides[first + i] = std::abs(strides[i]);
  return found;
}

// What the inputs say of two axes, of which `outer` comes first in C order: to keep that, to
// exchange them (some input says so, and none says to keep them), or nothing.
enum class Verdict { keep, exchange, open };
Verdict compare(std::span<const Aligned> inputs, size_t inner, size_t outer) {
  Verdict found = Verdict::open;
  for (const Aligned& in : inputs) {
    const int64_t a = in.strides[inner], b = in.strides[outer];
    if (a == 0 || b == 0) continue;
    if (a <= b) {
      found = Verdict::keep;
    } else if (found == Verdict::open) {
      found = Verdict::exchange;
    }
  }
  return found;
}

// Packed strides whose axes lie in the order of the inputs' (NumPy's order "K"): of two axes the
// one with the shorter stride is the inner one, and C order decides where inputs disagree.
Dims packed_like(std::span<const Aligned> inputs, const Dims& shape) {
  std::vector<size_t> axes;  // from the innermost
  for (size_t next = shape.size(); next-- > 0;) {
    size_t place = axes.size();
    for (size_t k = axes.size(); k-- > 0;) {
      // `next` comes before all of `axes` in C order, so outside them.
      const Verdict v = compare(inputs, axes[k], next);
      if (v == Verdict::open) continue;
      if (v == Verdict::keep) break;
      place = k;
    }
    axes.insert(axes.begin() + static_cast<std::ptrdiff_t>(place), next);
  }
  Dims strides(shape.size(), 0);
  int64_t step = 1;
  for (const size_t axis : axes) {
    strides[axis] = step;
    step *= shape[axis];
  }
  return strides;
}

// What an array was before writes to parts of it, which leave it where it lies.
uint32_t before_writes(const Tape& tape, uint32_t slot) {
  for (int writes = 0; writes < most_writes; ++writes) {
    const Node& n = tape.node(slot);
    if (n.kind != NodeKind::op || op_by_id(n.op).update == UpdateKind::none) break;
    if (n.inputs()[0] == 0) break;  // a constant
    slot = n.inputs()[0];
  }
  return slot;
}

bool plainly_packed(const Tape& tape, uint32_t slot, int& nodes) {
  const Node& n = tape.node(slot);
  if (n.kind != NodeKind::op) return n.value.is_contiguous();
  const Op& op = op_by_id(n.op);
  if (op.view != ViewKind::none || !n.value.is_contiguous() || --nodes < 0) return false;
  if (n.value.ndim() < 2) return true;
  if (!op.by_element && !op.converts)
    return op.reduces == ReductionKind::none && op.join == JoinKind::none && op.axes < 0 &&
           op.key == KeyKind::none;
  for (const uint32_t input : n.inputs())
    if (tape.node(input).value.ndim() > 1 && !plainly_packed(tape, input, nodes)) return false;
  return true;
}

class Walk {
 public:
  explicit Walk(const Tape& tape) : tape_(tape) {}

  Dims strides(uint32_t slot) {
    slot = before_writes(tape_, slot);
    const Node& n = tape_.node(slot);
    const Dims own = n.value.strides();
    if (n.kind != NodeKind::op || own.empty()) return own;
    if (nodes_ >= most_nodes || levels_ >= most_levels) return own;
    ++nodes_;
    ++levels_;
    const Dims found = of_op(n, own);
    --levels_;
    return found;
  }

 private:
  Dims of_op(const Node& n, const Dims& own) {
    static const Attrs none;
    const std::span<const uint32_t> inputs = n.inputs();
    const Op& op = op_by_id(n.op);
    const Attrs& attrs = n.extra ? n.extra->attrs : none;
    const Dims shape = n.value.shape();
    if (inputs.empty()) return own;
    const Value& first = tape_.node(inputs[0]).value;
    if (op.view != ViewKind::none) {
      Dims found;
      if (strides_of_view(op, attrs, first.shape(), strides(inputs[0]), shape, found)) return found;
      return contiguous_strides(shape);
    }
    if (own.size() < 2) return own;
    if (op.reduces != ReductionKind::none) return of_reduction(op, attrs, inputs[0], shape);
    if (op.key == KeyKind::arrays && op.update == UpdateKind::none)
      return of_gather(attrs, first.shape(), shape);
    if (op.join == JoinKind::stack) return of_stack(attrs, inputs, shape);
    if (op.frame == FrameKind::pads) return of_pad(strides(inputs[0]), first.shape(), shape);
    // Without axes NumPy works on the array as it is flattened.
    const bool has_axes = op.axes >= 0 && !attrs.is_none(AttrKey(static_cast<size_t>(op.axes)));
    const bool like_inputs = op.by_element || op.converts || op.join == JoinKind::concatenate ||
                             (has_axes && op.key == KeyKind::none && first.shape() == shape);
    return like_inputs ? of_inputs(inputs, shape) : own;
  }

  // In Fortran's order where that is the order of what is padded.
  static Dims of_pad(const Dims& strides_there, const Dims& its, const Dims& shape) {
    const auto reversed = [](Dims x) {
      std::reverse(x.begin(), x.end());
      return x;
    };
    if (is_c_order(its, strides_there) || !is_c_order(reversed(its), reversed(strides_there)))
      return contiguous_strides(shape);
    return reversed(contiguous_strides(reversed(shape)));
  }

  Dims of_inputs(std::span<const uint32_t> inputs, const Dims& shape) {
    std::vector<Aligned> found;
    bool in_c_order = true;
    for (const uint32_t slot : inputs) {
      const Dims its = tape_.node(slot).value.shape();
      if (its.size() < 2 || its.size() > shape.size()) continue;
      const Dims strides_there = strides(slot);
      const bool its_order = is_c_order(its, strides_there);
      // A mask that was computed of a Variable is packed anew; NumPy's lies as that one does.
      if (its_order && tape_.node(slot).value.dtype() == DType::bool_) continue;
      in_c_order &= its_order;
      found.push_back(aligned(its, strides_there, shape));
    }
    return in_c_order ? contiguous_strides(shape) : packed_like(found, shape);
  }

  Dims of_stack(const Attrs& attrs, std::span<const uint32_t> inputs, const Dims& shape) {
    const auto axis = static_cast<size_t>(
        normalize_axis(attrs.integer(AttrKey(0, "axis")), shape.ndim(), "stack"));
    std::vector<Aligned> found;
    for (const uint32_t slot : inputs) {
      const Dims strides_there = strides(slot);
      Aligned with_axis;
      for (size_t i = 0, k = 0; i < shape.size(); ++i)
        with_axis.strides.push_back(i == axis ? 0 : std::abs(strides_there[k++]));
      found.push_back(std::move(with_axis));
    }
    return packed_like(found, shape);
  }

  // The axes of index arrays lie outside all others, wherever they stand.
  Dims of_gather(const Attrs& attrs, const Dims& from, const Dims& shape) {
    const IndexItems items(attrs.integers(index_attrs::code));
    size_t kept = from.size() - static_cast<size_t>(items.source_axes());
    for (size_t k = 0; k < items.size(); ++k) kept += items[k].makes_axis();
    const auto first = static_cast<size_t>(attrs.integer(index_attrs::position));
    const size_t end = first + (shape.size() - kept);
    Dims strides(shape.size(), 0);
    int64_t step = 1;
    const auto lay = [&](size_t from_axis, size_t to_axis) {
      for (size_t i = to_axis; i-- > from_axis;) {
        strides[i] = step;
        step *= shape[i];
      }
    };
    lay(end, shape.size());
    lay(0, first);
    lay(first, end);
    return strides;
  }

  Dims of_reduction(const Op& op, const Attrs& attrs, uint32_t input, const Dims& shape) {
    const Dims its = tape_.node(input).value.shape();
    const Dims strides_there = strides(input);
    if (op.axes < 0 || is_c_order(its, strides_there)) return contiguous_strides(shape);
    const AttrKey key{static_cast<size_t>(op.axes), "axis"};
    const Dims reduced = axis_flags(attrs, key, its.ndim(), op.name);
    Aligned left;
    for (size_t i = 0; i < its.size(); ++i) {
      if (!reduced[i]) {
        left.strides.push_back(its[i] == 1 ? 0 : std::abs(strides_there[i]));
      } else if (shape.size() == its.size()) {  // an axis that was kept, of length 1
        left.strides.push_back(0);
      }
    }
    if (left.strides.size() != shape.size()) return contiguous_strides(shape);
    return packed_like({&left, 1}, shape);
  }

  const Tape& tape_;
  int nodes_ = 0, levels_ = 0;
};

}  // namespace

Dims numpy_strides(const Ref& a) {
  if (!a.tracked()) return a.value().strides();
  return Walk(*a.tape()).strides(a.slot());
}

bool plainly_in_c_order(const Ref& a) {
  int nodes = 8;
  return a.tracked() ? plainly_packed(*a.tape(), a.slot(), nodes) : a.value().is_contiguous();
}

Ref in_c_order(const Ref& a) {
  if (!a.tracked() || plainly_in_c_order(a)) return a;
  const Dims shape = a.shape();
  if (is_c_order(shape, numpy_strides(a))) return a;
  IndexSpec all;
  for (const int64_t n : shape) all.whole(n);
  return slice_copy(a, all);
}

bool strides_of_view(const Op& op, const Attrs& attrs, const Dims& shape, const Dims& strides,
                     const Dims& to, Dims& found) {
  if (op.view == ViewKind::reshaped) return view_strides(shape, strides, to, found);
  if (op.key == KeyKind::basic) {
    found = region_of(attrs.integers(index_attrs::code), shape, strides, op.name).strides;
    return true;
  }
  // All other views are made without a look at the elements, but for a single one: the strides are
  // those of the view of an array that has no more.
  Value in = Value::zeros(DType::bool_, Dims{1}).view(shape, strides, 0);
  Value out;
  op.eval(attrs, {&in, 1}, {&out, 1});
  found = out.strides();
  return true;
}

bool is_c_order(const Dims& shape, const Dims& strides) {
  int64_t step = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

}  // namespace tapegrad
