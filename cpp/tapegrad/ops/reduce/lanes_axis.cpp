#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/shape/shape.h"

// Lanes of ops that work along axes: the same op, its axes counted from the end.

namespace tapegrad {
namespace {

Attrs with_first(const Attrs& attrs, Attr first) {
  std::vector<Attr> items{std::move(first)};
  for (size_t i = 1; i < attrs.size(); ++i) items.push_back(attrs[i]);
  return Attrs(std::move(items));
}

// Reductions: (axes or None, ...). A result of one number a lane keeps no axis.
std::vector<Ref> reduction_lanes(const LanesCall& call) {
  const Dims& shape = call.in_types[0].shape;
  const Axes axes = flagged_axes(axis_flags(call.attrs, 0, shape.ndim(), call.op.name));
  std::vector<Ref> in;
  for (size_t i = 0; i < call.in.size(); ++i) in.push_back(with_lanes(call, i));
  if (shape.empty()) {  // a lane is one number: reduce an axis of length 1
    in[0] = reshape(in[0], Dims{call.n, 1});
    const std::vector<Ref> out = apply(call.op, with_first(call.attrs, Axes{-1}), std::move(in));
    return {reshape(out[0], Dims{call.n})};
  }
  return apply(call.op, with_first(call.attrs, axes), std::move(in));
}

// Scans and the like: (axis, ...), one axis.
std::vector<Ref> one_axis_lanes(const LanesCall& call) {
  const int ndim = call.in_types[0].shape.ndim();
  const int64_t axis = normalize_axis(axis_list(call.attrs, 0).at(0), ndim, call.op.name) - ndim;
  std::vector<Ref> in;
  for (size_t i = 0; i < call.in.size(); ++i) in.push_back(with_lanes(call, i));
  const Attr first = std::holds_alternative<int64_t>(call.attrs[0]) ? Attr(axis) : Attr(Axes{axis});
  return apply(call.op, with_first(call.attrs, first), std::move(in));
}

// cumsum and cumprod flatten where no axis is given.
std::vector<Ref> scan_lanes(const LanesCall& call) {
  if (!call.attrs.is_none(0)) return one_axis_lanes(call);
  const Dims flat{call.n, element_count(call.in_types[0].shape)};
  return apply(call.op, with_first(call.attrs, int64_t{-1}),
               std::vector<Ref>{reshape(with_lanes(call, 0), flat)});
}

std::vector<Ref> flip_lanes(const LanesCall& call) {
  const int ndim = call.in_types[0].shape.ndim();
  return {flip(with_lanes(call, 0), flagged_axes(axis_flags(call.attrs, 0, ndim, "flip")))};
}

}  // namespace

void register_axis_lanes() {
  for (const char* name :
       {"sum", "mean", "prod", "max", "min", "var", "std", "logsumexp", "tie_shares"})
    set_lanes(name, reduction_lanes);
  for (const char* name :
       {"linear_recurrence", "shift", "gather_axis", "scatter_axis", "argsort", "argmax", "argmin"})
    set_lanes(name, one_axis_lanes);
  for (const char* name : {"cumsum", "cumprod"}) set_lanes(name, scan_lanes);
  set_lanes("flip", flip_lanes);
}

}  // namespace tapegrad
