#include <cstring>

#include "tapegrad/ops/index/index_gather.h"
#include "tapegrad/ops/index/index_spec.h"

namespace tapegrad {
namespace {

// Whether a key without lanes is one array that takes from the first axis, and all of the others.
bool takes_whole_rows(const IndexItems& items, const Value& x) {
  if (items.size() != static_cast<size_t>(x.ndim()) || items[0].kind != IndexKind::array)
    return false;
  for (size_t k = 1; k < items.size(); ++k) {
    const IndexItem item = items[k];
    if (item.kind != IndexKind::range || item.start != 0 || item.step != 1 ||
        item.length != x.dim(static_cast<int>(k)))
      return false;
  }
  return true;
}

}  // namespace

bool gather_few_rows(std::span<const int64_t> code, const Value& x, const Value& index,
                     Value& out) {
  constexpr int64_t few = 256;
  if (x.is_scalar() || index.is_scalar() || index.dtype() != DType::int64 || !x.is_contiguous() ||
      !index.is_contiguous() || x.size() == 0 || !takes_whole_rows(IndexItems(code), x))
    return false;
  const int64_t rows = x.dim(0), width = x.size() / rows, n = index.size();
  if (n * width > few || index.ndim() + x.ndim() - 1 > max_ndim) return false;
  const int64_t* const at = index.data<int64_t>();
  for (int64_t i = 0; i < n; ++i)
    if (at[i] < -rows || at[i] >= rows) return false;
  Dims shape = index.shape();
  for (int k = 1; k < x.ndim(); ++k) shape.push_back(x.dim(k));
  out = Value::empty(x.dtype(), shape);
  const size_t bytes = static_cast<size_t>(width) * item_size(x.dtype());
  const auto* const from = static_cast<const char*>(x.raw());
  auto* to = static_cast<char*>(out.raw());
  for (int64_t i = 0; i < n; ++i, to += bytes) {
    const int64_t row = at[i] < 0 ? at[i] + rows : at[i];
    std::memcpy(to, from + static_cast<size_t>(row) * bytes, bytes);
  }
  return true;
}

}  // namespace tapegrad
