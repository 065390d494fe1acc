#include "tapegrad/kernels/array/copy.h"

#include "check.h"
#include "kernels/array_cases.h"

using namespace tapegrad;
using namespace cases;

namespace {

const DType all_dtypes[] = {DType::bool_,  DType::int8,    DType::int16,
                            DType::int32,  DType::int64,   DType::uint16,
                            DType::uint64, DType::float32, DType::float64};

Value naive_copy(const Value& v) {
  Value out = Value::empty(v.dtype(), v.shape());
  copy_into(out, v);
  return out;
}

}  // namespace

TEST(packing_matches_a_serial_copy_for_every_layout_and_dtype) {
  for (DType d : all_dtypes)
    for (const Dims& shape : {Dims{5}, Dims{1}, Dims{40, 70}, Dims{33, 1, 65}, Dims{3, 37, 41},
                              Dims{2, 3, 4, 5}, Dims{0, 4}})
      for (int layout = 0; layout < layouts; ++layout) {
        const Value v = laid_out(shape, layout, d);
        const Value copy = packed_copy(v);
        CHECK(copy.is_contiguous() && same_bits(copy, naive_copy(v)));
        CHECK(copy.buffer() != v.buffer());
      }
}

TEST(copies_into_strided_targets_broadcast_and_convert) {
  for (int layout : {0, 1, 2, 3}) {
    Value to = laid_out({34, 50}, layout);
    const Value column = random_array({34, 1}), row = random_array({50}, DType::float32);
    copy_parallel(to, column);
    CHECK(to.at(3 * 50 + 7) == column.at(3));
    copy_parallel(to, row);
    CHECK(to.at(33 * 50 + 49) == row.at(49));
    copy_parallel(to, Value::scalar(2.5));
    CHECK(to.at(1234) == 2.5);
    const Value crossed = laid_out({34, 50}, 1);
    copy_parallel(to, crossed);
    CHECK(same_bits(naive_copy(to), naive_copy(crossed)));
  }
}

TEST(packed_gives_a_contiguous_array_back) {
  const Value v = random_array({3, 4});
  CHECK(packed(v).raw() == v.raw());
  CHECK(packed(Value::scalar(2)).at(0) == 2);
}

TEST(copies_do_not_depend_on_the_number_of_threads) {
  for (const Dims& shape : {Dims{50000}, Dims{200, 300}, Dims{20, 50, 60}})
    for (int layout : {1, 2, 3, 4}) {
      if (shape.ndim() == 1 && (layout == 1 || layout == 4)) continue;  // one row at stride 1 or 0
      const Value v = laid_out(shape, layout);
      CHECK(same_for_any_threads([&] { return packed_copy(v); }));
    }
}

TEST(reshaped_views_follow_numpy) {
  const Value v = random_array({4, 6});
  const Value half = v.view(Dims{2, 6}, Dims{12, 1}, 0);  // v[::2]
  const Value split = reshaped_view(half, {2, 2, 3});
  CHECK(split.raw() == v.raw() && split.strides() == (Dims{12, 3, 1}));
  CHECK(same_bits(naive_copy(split), naive_copy(half).reshaped(Dims{2, 2, 3})));
  const Value joined = reshaped_view(half, {12});
  CHECK(joined.raw() != v.raw());
  CHECK(same_bits(joined, naive_copy(half).reshaped(Dims{12})));
  const Value turned = v.view(Dims{6, 4}, Dims{1, 6}, 0);
  CHECK(reshaped_view(turned, {3, 2, 1, 4}).raw() == v.raw());
  for (int layout = 0; layout < layouts; ++layout)
    for (const Dims& to : {Dims{24}, Dims{2, 12}, Dims{12, 2}, Dims{2, 3, 4}, Dims{4, 3, 2, 1}}) {
      const Value x = laid_out({2, 3, 4}, layout);
      CHECK(same_bits(naive_copy(reshaped_view(x, to)), naive_copy(x).reshaped(to)));
    }
  CHECK(reshaped_view(Value::empty(DType::float64, Dims{0, 3}), {3, 0, 2}).shape() ==
        (Dims{3, 0, 2}));
  CHECK_THROWS(ValueError, reshaped_view(v, {5, 5}));
}

TEST(slices_read_and_write_along_an_axis) {
  Value v = random_array({4, 5, 6});
  const Value part = slice_axis(v, 1, 2, 2);
  CHECK(part.shape() == (Dims{4, 2, 6}) && part.at(0) == v.at(12));
  write_slice(v, 1, 0, part);
  CHECK(v.at(0) == v.at(12) && v.at(6) == v.at(18));
  CHECK(slice_axis(v, 2, 6, 0).size() == 0);
}

TEST(gather_and_scatter_are_transposes) {
  const std::vector<int64_t> indices = {3, 0, 0, 4, 3, 3, 1};
  for (DType d : {DType::float64, DType::float32})
    for (int layout = 0; layout < layouts; ++layout)
      for (int axis = 0; axis < 3; ++axis) {
        Dims shape{3, 2, 4}, wide = shape;
        shape[static_cast<size_t>(axis)] = 5;
        wide[static_cast<size_t>(axis)] = 7;
        const Value x = laid_out(shape, layout, d), y = laid_out(wide, layout, d);
        const Value gathered = gather_axis(x, axis, indices);
        const Value scattered = scatter_axis(y, axis, indices, 5);
        bool right = gathered.shape() == wide && scattered.shape() == shape;
        Value expected = Value::zeros(d, shape);
        for (int64_t i = 0; i < y.size(); ++i) {
          Dims at = index_of(i, wide);
          int64_t& k = at[static_cast<size_t>(axis)];
          k = indices[static_cast<size_t>(k)];
          const int64_t from = flat_of(at, shape);
          right = right && gathered.at(i) == x.at(from);
          expected.set_at(from, expected.at(from) + y.at(i));
        }
        for (int64_t i = 0; i < x.size(); ++i)
          right = right && check::close(scattered.at(i), expected.at(i), 1e-6);
        CHECK(right);
      }
}

TEST(gather_and_scatter_with_threads) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < 900; ++i) indices.push_back(i * 7 % 100);
  for (const Dims& shape : {Dims{100, 30}, Dims{40, 100}, Dims{3, 100, 80}}) {
    const int axis = shape[0] == 100 ? 0 : 1;
    const Value x = random_array(shape);
    Dims wide = shape;
    wide[static_cast<size_t>(axis)] = 900;
    const Value y = random_array(wide);
    CHECK(same_for_any_threads([&] { return gather_axis(x, axis, indices); }));
    if (shape[0] != 100)
      CHECK(same_for_any_threads([&] { return scatter_axis(y, axis, indices, 100); }));
  }
  CHECK_THROWS(TypeError, scatter_axis(Value::full(DType::int64, Dims{2}, 1), 0,
                                       std::vector<int64_t>{0, 0}, 3));
}

TEST(interleaved_parts_are_those_of_the_last_axis) {
  for (const DType d : {DType::float64, DType::float32, DType::bool_})
    for (const Dims& shape : {Dims{1}, Dims{1000}, Dims{7, 30}}) {
      std::vector<Value> parts;
      const int64_t n = element_count(shape);
      const Value all = random_array(Dims{5 * n}).cast(d);
      for (int64_t k = 0; k < 5; ++k)
        parts.push_back(all.view(Dims{n}, Dims{1}, k * n).reshaped(shape));
      parts.push_back(Value::full(d, Dims{1}, 1).view(shape, Dims(shape.size(), 0), 0));
      Dims joined = shape;
      joined.push_back(6);
      Value to = Value::empty(d, joined);
      CHECK(interleave(to, parts));
      bool right = true;
      for (int64_t i = 0; i < to.size(); ++i)
        right = right && to.at(i) == parts[static_cast<size_t>(i % 6)].at(i / 6);
      CHECK(right);
    }
  Value to = Value::empty(DType::float64, Dims{3, 2, 2});
  const Value turned = random_array(Dims{2, 3}).view(Dims{3, 2}, Dims{1, 3}, 0);
  CHECK(!interleave(to, std::vector<Value>{turned, turned}));
  CHECK(!interleave(to, std::vector<Value>{Value(1.0), Value(2.0)}));
}
