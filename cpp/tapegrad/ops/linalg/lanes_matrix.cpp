#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/lanes.h"
#include "tapegrad/ops/linalg/einsum.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/shape/shape.h"

// Lanes of products and linear algebra: stacks of matrices.

namespace tapegrad {
namespace {

std::vector<Ref> stacks(const LanesCall& call) {
  std::vector<Ref> in;
  for (size_t i = 0; i < call.in.size(); ++i) in.push_back(with_lanes(call, i));
  return apply(call.op, call.attrs, std::move(in));
}

// Input i as a stack of matrices, its vector (if it is one) a row or a column.
Ref as_matrices(const LanesCall& call, size_t i, bool row, int ndim) {
  const Dims& own = call.in_types[i].shape;
  if (own.ndim() != 1) return aligned_lanes(call, i, ndim);
  const Dims matrix = row ? Dims{1, own[0]} : Dims{own[0], 1};
  if (!call.has_lanes[i]) return reshape(call.in[i], matrix);
  Dims shape{call.n};
  for (int k = 2; k < ndim; ++k) shape.push_back(1);
  for (int64_t d : matrix) shape.push_back(d);
  return reshape(call.in[i], shape);
}

std::vector<Ref> matmul_lanes(const LanesCall& call) {
  const int ndim = std::max({2, call.in_types[0].shape.ndim(), call.in_types[1].shape.ndim()});
  const Ref product = matmul(as_matrices(call, 0, true, ndim), as_matrices(call, 1, false, ndim));
  return {reshape(product, lanes_shape(call, call.out_types[0].shape))};
}

// b is a vector where it has one axis.
std::vector<Ref> solve_lanes(const LanesCall& call) {
  const int a_ndim = call.in_types[0].shape.ndim(), b_ndim = call.in_types[1].shape.ndim();
  const int ndim = std::max({2, a_ndim, b_ndim});
  const Ref a = call.has_lanes[0] ? aligned_lanes(call, 0, ndim) : with_lanes(call, 0);
  const Ref b = b_ndim == 1 ? as_matrices(call, 1, false, ndim) : aligned_lanes(call, 1, ndim);
  const Ref x = apply(call.op, call.attrs, {a, b});
  return {reshape(x, lanes_shape(call, call.out_types[0].shape))};
}

std::vector<Ref> cross_lanes(const LanesCall& call) {
  const int ndim = std::max(call.in_types[0].shape.ndim(), call.in_types[1].shape.ndim());
  const Ref product =
      apply(call.op, call.attrs, {aligned_lanes(call, 0, ndim), aligned_lanes(call, 1, ndim)});
  return {reshape(product, lanes_shape(call, call.out_types[0].shape))};
}

// A letter that names no axis of the lane stands for the lanes.
std::vector<Ref> einsum_lanes(const LanesCall& call) {
  const std::string& subscripts = call.attrs.text(0);
  char letter = 0;
  for (char c = 'Z'; c >= 'A' && letter == 0; --c)
    if (subscripts.find(c) == std::string::npos) letter = c;
  for (char c = 'z'; c >= 'a' && letter == 0; --c)
    if (subscripts.find(c) == std::string::npos) letter = c;
  const size_t arrow = subscripts.find("->");
  if (letter == 0 || arrow == std::string::npos || subscripts.find("...") != std::string::npos) {
    Op without_rule = call.op;
    without_rule.lanes = nullptr;
    return apply_lanes(
        {without_rule, call.attrs, call.in, call.has_lanes, call.in_types, call.out_types, call.n});
  }
  std::string translated;
  size_t at = 0;
  for (size_t i = 0; i < call.in.size(); ++i) {
    const size_t end = i + 1 < call.in.size() ? subscripts.find(',', at) : arrow;
    if (call.has_lanes[i]) translated += letter;
    translated += subscripts.substr(at, end - at);
    if (i + 1 < call.in.size()) translated += ',';
    at = end + 1;
  }
  translated += "->";
  translated += letter;
  translated += subscripts.substr(arrow + 2);
  std::vector<Attr> items{translated};
  for (size_t i = 1; i < call.attrs.size(); ++i) items.push_back(call.attrs[i]);
  return apply(call.op, Attrs(std::move(items)), {call.in.begin(), call.in.end()});
}

}  // namespace

void register_matrix_lanes() {
  for (const char* name : {"inv", "det", "det_regular", "slogdet", "cholesky_lower"})
    set_lanes(name, stacks);
  for (const char* name : {"solve", "solve_triangular"}) set_lanes(name, solve_lanes);
  set_lanes("matmul", matmul_lanes);
  set_lanes("cross_last", cross_lanes);
  set_lanes("einsum", einsum_lanes);
}

}  // namespace tapegrad
