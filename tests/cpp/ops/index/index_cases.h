// Random index specs, and where each element of their results comes from, found the slow way.
#pragma once

#include <vector>

#include "kernels/array_cases.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/tape/ref.h"

namespace cases {

using tapegrad::IndexItem;
using tapegrad::IndexItems;
using tapegrad::IndexKind;
using tapegrad::IndexSpec;
using tapegrad::Ref;

struct Key {
  IndexSpec spec;
  std::vector<Value> arrays;

  std::vector<Ref> refs() const { return {arrays.begin(), arrays.end()}; }
  std::vector<Dims> shapes() const {
    std::vector<Dims> all;
    for (const Value& a : arrays) all.push_back(a.shape());
    return all;
  }
  Dims result(const Dims& shape) const {
    return spec.is_basic() ? result_shape(spec, shape) : result_shape(spec, shape, shapes());
  }
};

class RandomKeys {
 public:
  int64_t below(int64_t n) {
    return static_cast<int64_t>((random_.next() * 0.5 + 0.5) * static_cast<double>(n));
  }

  Dims shape(int most_axes) {
    Dims s;
    for (int64_t n = below(most_axes + 1); n > 0; --n) s.push_back(1 + below(5));
    return s;
  }

  Key basic(const Dims& shape) { return key(shape, 0); }
  Key advanced(const Dims& shape) {
    return key(shape, 1 + below(static_cast<int64_t>(shape.size())));
  }

 private:
  // Index arrays for `arrays` axes, somewhere; other axes get slices or single positions.
  Key key(const Dims& shape, int64_t arrays) {
    Key k;
    const Dims broadcast{1 + below(3), 1 + below(3)};
    int64_t kept = 0, first = -1, left = static_cast<int64_t>(shape.size());
    bool gap = false, together = true;
    const auto index_here = [&] {
      if (first < 0) first = kept;
      together = together && !gap;
    };
    for (int64_t n : shape) {
      if (below(6) == 0) {
        k.spec.newaxis();
        ++kept;
        gap = first >= 0;
      }
      if (arrays > 0 && below(left) < arrays) {
        index_here();
        k.spec.array();
        k.arrays.push_back(positions(n, broadcast));
        --arrays;
      } else if (below(4) == 0) {
        index_here();
        k.spec.at(below(n));
      } else {
        range(k.spec, n);
        ++kept;
        gap = first >= 0;
      }
      --left;
    }
    if (!k.spec.is_basic()) k.spec.position = together ? first : 0;
    return k;
  }

  void range(IndexSpec& spec, int64_t n) {
    const int64_t start = below(n), length = below(3) == 0 ? 0 : 1 + below(n - start);
    switch (below(3)) {
      case 0:
        spec.whole(n);
        break;
      case 1:
        spec.range(start, 1, length);
        break;
      default: {
        const int64_t step = 1 + below(3);
        spec.range(start, -step, start / step + 1);
      }
    }
  }

  Value positions(int64_t n, const Dims& broadcast) {
    const Dims shapes[] = {broadcast, {1, broadcast[1]}, {broadcast[0], 1}, {broadcast[1]}, {1},
                           {}};
    const Dims shape = shapes[below(6)];
    Value v = Value::empty(DType::int64, shape);
    for (int64_t i = 0; i < v.size(); ++i) v.set_at(i, static_cast<double>(below(2 * n) - n));
    return v;
  }

  Random random_;
};

// The flat position in an array of `shape` of each element of the result, in C order.
inline std::vector<int64_t> sources(const Key& key, const Dims& shape) {
  const Dims result = key.result(shape);
  const IndexItems items = key.spec.items();
  int64_t kept_axes = 0;
  for (size_t k = 0; k < items.size(); ++k) kept_axes += items[k].makes_axis();
  const auto index_axes = static_cast<int64_t>(result.size()) - kept_axes;
  const int64_t position = index_axes == 0 ? 0 : key.spec.position;

  std::vector<int64_t> out;
  for (int64_t flat = 0; flat < tapegrad::element_count(result); ++flat) {
    const Dims at = index_of(flat, result);
    Dims source;
    int64_t kept = 0;
    size_t array = 0;
    for (size_t k = 0; k < items.size(); ++k) {
      const IndexItem item = items[k];
      int64_t here = 0;
      if (item.makes_axis()) {
        here = at[static_cast<size_t>(kept < position ? kept : kept + index_axes)];
        ++kept;
      }
      if (item.kind == IndexKind::at) {
        source.push_back(item.start);
      } else if (item.kind == IndexKind::range) {
        source.push_back(item.start + here * item.step);
      } else if (item.kind == IndexKind::array) {
        const Value& a = key.arrays[array++];
        Dims in_array(static_cast<size_t>(a.ndim()));
        for (size_t d = 0; d < in_array.size(); ++d) {
          const size_t from_end = in_array.size() - d;
          in_array[d] =
              a.shape()[d] == 1 ? 0 : at[static_cast<size_t>(position + index_axes) - from_end];
        }
        const auto i = static_cast<int64_t>(a.at(flat_of(in_array, a.shape())));
        source.push_back(i < 0 ? i + shape[source.size()] : i);
      }
    }
    out.push_back(flat_of(source, shape));
  }
  return out;
}

}  // namespace cases
