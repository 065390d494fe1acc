#include "tapegrad/program/passes/fuse/gathers.h"

#include <algorithm>

#include "tapegrad/ops/index/index_spec.h"

namespace tapegrad {

int taken_axis(const Program& p, const Program::Step& s) {
  if (s.kernel >= 0 || !reads_by_arrays(op_by_id(s.op)) || s.n_in != 2) return -1;
  const TensorType &x = p.type_of(p.in(s)[0]), &index = p.type_of(p.in(s)[1]);
  const Attrs& attrs = p.attrs_of(s);
  const IndexItems items(attrs.integers(index_attrs::code));
  const int lanes = x.shape.ndim() - items.source_axes();
  if (index.shape.empty() || !is_integer(index.dtype)) return -1;
  int axis = -1;
  for (size_t k = 0; k < items.size(); ++k) {
    const IndexItem item = items[k];
    const int at = lanes + static_cast<int>(k);
    if (item.kind == IndexKind::array) {
      axis = at;
    } else if (item.kind != IndexKind::range || item.start != 0 || item.step != 1 ||
               item.length != x.shape[static_cast<size_t>(at)]) {
      return -1;
    }
  }
  return axis >= 0 && axis - lanes == attrs.integer(index_attrs::position) ? axis : -1;
}

std::vector<uint32_t> count_readers(const Program& p) {
  std::vector<uint32_t> readers(p.values.size(), 0);
  for (const Program::Step& s : p.steps) {
    const std::span<const ValueId> in = p.in(s);
    for (size_t k = 0; k < in.size(); ++k) {
      const auto here = in.begin() + static_cast<ptrdiff_t>(k);
      if (std::find(in.begin(), here, in[k]) == here) ++readers[in[k]];
    }
  }
  for (ValueId v : p.outputs) readers[v] += read_outside;
  for (const Program::Guard& g : p.guards) readers[g.value] += read_outside;
  return readers;
}

}  // namespace tapegrad
