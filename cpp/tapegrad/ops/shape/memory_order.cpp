#include "tapegrad/ops/shape/memory_order.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "tapegrad/kernels/array/copy.h"
#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/tape.h"

namespace tapegrad {
namespace {

// Beyond this many nodes a value counts as packed in C order.
constexpr int most_nodes = 256;
constexpr int most_levels = 64;
constexpr int most_writes = 4096;  // into one array

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

// By what the memory order of a result follows from those of the inputs.
enum class Order { packed, inputs, written, views, reduction, gather, stack, pad };
Order order_of(const Op& op, const Attrs& attrs, const Dims& first, const Dims& shape) {
  if (op.view != ViewKind::none) return Order::views;
  if (op.update != UpdateKind::none) return first == shape ? Order::written : Order::packed;
  if (op.reduces != ReductionKind::none) return Order::reduction;
  if (op.key == KeyKind::arrays) return Order::gather;
  if (op.join == JoinKind::stack)
    return attrs.flag_or(join_attrs::packed, false) ? Order::packed : Order::stack;
  if (op.frame == FrameKind::pads) return Order::pad;
  // Without axes NumPy works on the array as it is flattened.
  const bool has_axes = op.axes >= 0 && !attrs.is_none(AttrKey(static_cast<size_t>(op.axes)));
  const bool like_inputs = op.by_element || op.converts || op.join == JoinKind::concatenate ||
                           (has_axes && op.key == KeyKind::none && first == shape);
  return like_inputs ? Order::inputs : Order::packed;
}

const Attrs& attrs_of(const Node& n) {
  static const Attrs none;
  return n.extra ? n.extra->attrs : none;
}

bool plainly_packed(const Tape& tape, uint32_t slot, int& nodes) {
  const Node& n = tape.node(slot);
  if (n.kind != NodeKind::op) return n.value.is_contiguous();
  const Op& op = op_by_id(n.op);
  if (op.view != ViewKind::none || !n.value.is_contiguous() || --nodes < 0) return false;
  if (n.value.ndim() < 2 || n.inputs().empty()) return true;
  const Value& first = tape.node(n.inputs()[0]).value;
  const Order order = order_of(op, attrs_of(n), first.shape(), n.value.shape());
  if (order == Order::packed) return true;
  if (order == Order::written) return plainly_packed(tape, n.inputs()[0], nodes);
  if (order != Order::inputs) return false;
  for (const uint32_t input : n.inputs())
    if (tape.node(input).value.ndim() > 1 && !plainly_packed(tape, input, nodes)) return false;
  return true;
}

// By element, of inputs of which `strides_of(k)` tells how they lie.
template <class Shape, class Strides>
Dims like_inputs(size_t n, const Dims& shape, Shape shape_of, Strides strides_of) {
  std::vector<Aligned> found;
  bool in_c_order = true;
  for (size_t k = 0; k < n; ++k) {
    const Dims its = shape_of(k);
    if (its.size() < 2 || its.size() > shape.size()) continue;
    const Dims strides_there = strides_of(k);
    in_c_order &= is_c_order(its, strides_there);
    found.push_back(aligned(its, strides_there, shape));
  }
  return in_c_order ? contiguous_strides(shape) : packed_like(found, shape);
}

// How the result of an op lies; `strides_of` an input is asked where that depends on it.
template <class Shape, class Strides>
class OrderOfResult {
 public:
  OrderOfResult(const Op& op, const Attrs& attrs, size_t n, const Dims& shape, Shape shape_of,
                Strides strides_of)
      : op_(op),
        attrs_(attrs),
        n_(n),
        shape_(shape),
        shape_of_(std::move(shape_of)),
        strides_of_(std::move(strides_of)) {}

  // `own`: those of the core's value.
  Dims strides(const Dims& own) {
    if (n_ == 0) return own;
    const Dims first = shape_of_(0);
    const Order order = order_of(op_, attrs_, first, shape_);
    if (order == Order::views) {
      Dims found;
      if (strides_of_view(op_, attrs_, first, strides_of_(0), shape_, found)) return found;
      return contiguous_strides(shape_);
    }
    if (own.size() < 2) return own;
    switch (order) {
      case Order::reduction:
        return of_reduction(first);
      case Order::gather:
        return of_gather(strides_of_(0));
      case Order::stack:
        return of_stack();
      case Order::pad:
        return of_pad(strides_of_(0), first);
      case Order::inputs:
        return like_inputs(n_, shape_, shape_of_, strides_of_);
      case Order::written:
        return strides_of_(0);
      default:
        return own;
    }
  }

 private:
  // In Fortran's order where that is the order of what is padded.
  Dims of_pad(const Dims& strides_there, const Dims& its) const {
    const auto reversed = [](Dims x) {
      std::reverse(x.begin(), x.end());
      return x;
    };
    if (is_c_order(its, strides_there) || !is_c_order(reversed(its), reversed(strides_there)))
      return contiguous_strides(shape_);
    return reversed(contiguous_strides(reversed(shape_)));
  }

  Dims of_stack() {
    const auto axis = static_cast<size_t>(
        normalize_axis(attrs_.integer(AttrKey(0, "axis")), shape_.ndim(), "stack"));
    std::vector<Aligned> found;
    for (size_t input = 0; input < n_; ++input) {
      const Dims strides_there = strides_of_(input);
      Aligned with_axis;
      for (size_t i = 0, k = 0; i < shape_.size(); ++i)
        with_axis.strides.push_back(i == axis ? 0 : std::abs(strides_there[k++]));
      found.push_back(std::move(with_axis));
    }
    return packed_like(found, shape_);
  }

  // The axes of index arrays lie outside all others, wherever they stand; those lie as the input's.
  Dims of_gather(const Dims& strides_there) const {
    const IndexItems items(attrs_.integers(index_attrs::code));
    // Axes in front of the items are taken whole.
    size_t axis = strides_there.size() - static_cast<size_t>(items.source_axes());
    std::vector<int64_t> kept(strides_there.data(), strides_there.data() + axis);
    for (size_t k = 0; k < items.size(); ++k) {
      const IndexItem item = items[k];
      if (item.makes_axis()) kept.push_back(item.takes_axis() ? std::abs(strides_there[axis]) : 0);
      axis += item.takes_axis();
    }
    const auto first = static_cast<size_t>(attrs_.integer(index_attrs::position));
    const size_t end = first + (shape_.size() - kept.size());
    Dims rest;
    Aligned of_rest;
    for (size_t i = 0, k = 0; i < shape_.size(); ++i) {
      if (i >= first && i < end) continue;
      rest.push_back(shape_[i]);
      of_rest.strides.push_back(shape_[i] == 1 ? 0 : kept[k]);
      ++k;
    }
    const Dims inner = packed_like({&of_rest, 1}, rest);
    Dims strides(shape_.size(), 0);
    int64_t step = element_count(rest);
    for (size_t i = end; i-- > first;) {
      strides[i] = step;
      step *= shape_[i];
    }
    for (size_t i = 0, k = 0; i < shape_.size(); ++i)
      if (i < first || i >= end) strides[i] = inner[k++];
    return strides;
  }

  Dims of_reduction(const Dims& its) {
    const Dims strides_there = strides_of_(0);
    if (op_.axes < 0 || is_c_order(its, strides_there)) return contiguous_strides(shape_);
    const AttrKey key{static_cast<size_t>(op_.axes), "axis"};
    const Dims reduced = axis_flags(attrs_, key, its.ndim(), op_.name);
    Aligned left;
    for (size_t i = 0; i < its.size(); ++i) {
      if (!reduced[i]) {
        left.strides.push_back(its[i] == 1 ? 0 : std::abs(strides_there[i]));
      } else if (shape_.size() == its.size()) {  // an axis that was kept, of length 1
        left.strides.push_back(0);
      }
    }
    if (left.strides.size() != shape_.size()) return contiguous_strides(shape_);
    return packed_like({&left, 1}, shape_);
  }

  const Op& op_;
  const Attrs& attrs_;
  size_t n_;
  const Dims& shape_;
  Shape shape_of_;
  Strides strides_of_;
};

class Walk {
 public:
  explicit Walk(const Tape& tape) : tape_(tape) {}

  Dims strides(uint32_t slot) {
    slot = before_writes(slot);
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
  // What parts of an array were written to lies as it did.
  uint32_t before_writes(uint32_t slot) {
    for (int k = 0; k < most_writes; ++k) {
      const Node& n = tape_.node(slot);
      if (n.kind != NodeKind::op || n.inputs().empty()) return slot;
      const uint32_t first = n.inputs()[0];
      const Dims shape = n.value.shape();
      const Dims before = tape_.node(first).value.shape();
      if (order_of(op_by_id(n.op), attrs_of(n), before, shape) != Order::written) return slot;
      slot = first;
    }
    return slot;
  }

  Dims of_op(const Node& n, const Dims& own) {
    const std::span<const uint32_t> inputs = n.inputs();
    const Dims shape = n.value.shape();
    return OrderOfResult(
               op_by_id(n.op), attrs_of(n), inputs.size(), shape,
               [&](size_t k) { return tape_.node(inputs[k]).value.shape(); },
               [&](size_t k) { return strides(inputs[k]); })
        .strides(own);
  }

  const Tape& tape_;
  int nodes_ = 0, levels_ = 0;
};

}  // namespace

Dims numpy_strides(const Ref& a) {
  if (!a.tracked()) return a.value().strides();
  return Walk(*a.tape()).strides(a.slot());
}

Dims numpy_strides(std::span<const Ref> inputs, const Dims& shape) {
  return like_inputs(
      inputs.size(), shape, [&](size_t k) { return inputs[k].shape(); },
      [&](size_t k) { return numpy_strides(inputs[k]); });
}

Dims numpy_strides(std::span<const Lying> inputs, const Dims& shape) {
  return like_inputs(
      inputs.size(), shape, [&](size_t k) { return inputs[k].shape; },
      [&](size_t k) { return inputs[k].strides; });
}

Dims numpy_strides(const Op& op, const Attrs& attrs, std::span<const Lying> inputs,
                   const Dims& shape) {
  return OrderOfResult(
             op, attrs, inputs.size(), shape, [&](size_t k) { return inputs[k].shape; },
             [&](size_t k) { return inputs[k].strides; })
      .strides(contiguous_strides(shape));
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
  if (op.compose) {
    found = op.compose(attrs, std::array{Ref(std::move(in))})[0].value().strides();
    return true;
  }
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
