#include "tapegrad/ops/index/index_part.h"

#include <utility>

namespace tapegrad {
namespace {

// Writes a spec item by item, and the arrays that belong to it.
class PartWriter {
 public:
  IndexSpec& spec() { return part_.spec; }
  void keep_axis() { ++kept_; }
  // False where there is an array with axes already, beside which another one would be broadcast.
  bool array(const Ref& index) {
    if (index.ndim() > 0) {
      if (index.ndim() > 1 || has_axes_) return false;
      has_axes_ = true;
      part_.spec.position = kept_;
    }
    part_.spec.array();
    part_.indices.push_back(index);
    return true;
  }
  int64_t position() const { return part_.spec.position; }
  IndexPart take() { return std::move(part_); }

 private:
  IndexPart part_;
  int64_t kept_ = 0;
  bool has_axes_ = false;
};

// Whether the axis of the index array in `part` stands where the array does.
bool stands_in_place(const IndexPart& part) {
  PartWriter writer;
  const IndexItems items = part.spec.items();
  for (size_t i = 0, k = 0; i < items.size(); ++i) {
    if (items[i].kind == IndexKind::flag) return false;
    if (items[i].kind == IndexKind::array && !writer.array(part.indices[k++])) return false;
    if (items[i].makes_axis()) writer.keep_axis();
  }
  return writer.position() == part.spec.position;
}

bool is_whole(const IndexItem& item, int64_t length) {
  return item.kind == IndexKind::range && item.start == 0 && item.step == 1 &&
         item.length == length;
}

}  // namespace

std::optional<IndexPart> composed(const IndexPart& outer, const IndexPart& inner,
                                  std::span<const int64_t> shape) {
  if (!stands_in_place(outer) || !stands_in_place(inner)) return std::nullopt;
  const IndexItems first = outer.spec.items(), second = inner.spec.items();
  if (!inner.indices.empty() && static_cast<size_t>(first.source_axes()) != shape.size())
    return std::nullopt;
  PartWriter both;
  size_t k = 0, axis = 0, outer_index = 0, inner_index = 0;
  const auto new_axes = [&] {
    for (; k < second.size() && second[k].kind == IndexKind::newaxis; ++k) {
      both.spec().newaxis();
      both.keep_axis();
    }
  };
  for (size_t i = 0; i < first.size(); ++i) {
    const IndexItem o = first[i];
    const size_t own_axis = axis;
    axis += o.takes_axis();
    if (o.kind == IndexKind::at) {
      both.spec().at(o.start);
      continue;
    }
    if (o.kind == IndexKind::array && outer.indices[outer_index].ndim() == 0) {
      both.array(outer.indices[outer_index++]);
      continue;
    }
    new_axes();
    if (k == second.size()) return std::nullopt;
    const IndexItem n = second[k++];
    if (o.kind == IndexKind::array) {
      const Ref& index = outer.indices[outer_index++];
      if (!is_whole(n, index.size()) || !both.array(index)) return std::nullopt;
    } else if (n.kind == IndexKind::array) {
      if (o.kind != IndexKind::range || !is_whole(o, shape[own_axis]) ||
          !both.array(inner.indices[inner_index++]))
        return std::nullopt;
    } else if (o.kind == IndexKind::newaxis) {
      if (n.kind == IndexKind::range && n.length != 1) return std::nullopt;
      if (n.kind == IndexKind::range) {
        both.spec().newaxis();
        both.keep_axis();
      }
    } else if (n.kind == IndexKind::at) {
      both.spec().at(o.start + n.start * o.step);
    } else {
      if (n.length == 0) {
        both.spec().range(0, 1, 0);
      } else {
        both.spec().range(o.start + n.start * o.step, o.step * n.step, n.length);
      }
      both.keep_axis();
    }
  }
  new_axes();
  if (k != second.size()) return std::nullopt;
  return both.take();
}

IndexSpec at_first_positions(const IndexPart& part) {
  IndexSpec basic;
  const IndexItems items = part.spec.items();
  for (size_t i = 0, k = 0; i < items.size(); ++i) {
    const IndexItem item = items[i];
    if (item.kind != IndexKind::array) {
      basic.append(item.kind, item.start, item.step, item.length);
    } else if (const Ref& index = part.indices[k++]; index.ndim() == 0) {
      basic.at(0);
    } else {
      basic.whole(index.size());
    }
  }
  return basic;
}

}  // namespace tapegrad
