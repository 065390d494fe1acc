#include "tapegrad/autodiff/scalar_operation.h"

#include <vector>

#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/tape/data_values.h"
#include "tapegrad/tape/record.h"

namespace tapegrad {

namespace {

// The attributes of few keys, since loops read the same elements again and again.
Attrs kept_attrs(std::span<const int64_t> code) {
  constexpr size_t n_kept = 256;
  static thread_local std::vector<Attrs> kept(n_kept);
  uint64_t place = 0;
  for (size_t k = 1; k < code.size(); k += 4) place = place * 31 + static_cast<uint64_t>(code[k]);
  Attrs& known = kept[place % n_kept];
  if (known.empty() || !std::ranges::equal(known.integers(index_attrs::code), code))
    known = Attrs{std::vector<int64_t>(code.begin(), code.end())};
  return known;
}

// The code of the key, where it names an element; the number of its integers, else 0.
constexpr size_t most_axes = 4;
size_t write_code(const Value& x, std::span<const int64_t> positions, int64_t* code) {
  const size_t n = positions.size();
  if (n == 0 || n > most_axes || static_cast<size_t>(x.ndim()) != n) return 0;
  for (size_t k = 0; k < n; ++k) {
    const int64_t length = x.dim(static_cast<int>(k));
    const int64_t i = positions[k] < 0 ? positions[k] + length : positions[k];
    if (i < 0 || i >= length) return 0;
    code[4 * k] = static_cast<int64_t>(IndexKind::at);
    code[4 * k + 1] = i;
    code[4 * k + 2] = code[4 * k + 3] = 0;
  }
  return 4 * n;
}

int64_t offset_in(const Value& x, std::span<const int64_t> code) {
  int64_t offset = 0;
  for (size_t k = 0; 4 * k < code.size(); ++k) offset += code[4 * k + 1] * x.layout()->strides()[k];
  return offset;
}

}  // namespace

Cell* record_watched_scalar(ScalarFn fn, int arity, const ScalarOperand& a, const ScalarOperand& b,
                            double result) {
  const auto ref_of = [](const ScalarOperand& s) { return s.cell ? s.cell->ref() : Ref(s.x); };
  const std::array<Ref, 2> inputs{ref_of(a), arity == 2 ? ref_of(b) : Ref()};
  return Cell::from(record_single(Tape::current(), op_by_id(static_cast<uint16_t>(fn)), {},
                                  {inputs.data(), static_cast<size_t>(arity)}, Value(result)));
}

Cell* element_at(Cell& x, std::span<const int64_t> positions) {
  if (Tape::current().tracing() || x.is_blank()) return nullptr;
  std::array<int64_t, 4 * most_axes> items;
  const std::span<const int64_t> code(items.data(), write_code(x.value(), positions, items.data()));
  if (code.empty()) return nullptr;
  const Ref whole = x.ref();
  const std::span<const Ref> inputs(&whole, 1);
  Value element = whole.value().view({}, {}, offset_in(whole.value(), code));
  Tape* const tape = recording_tape(slice_op(), inputs);
  if (tape == nullptr || !is_recorded(*tape, element.dtype()))
    return Cell::from(Ref(std::move(element)));
  return Cell::from(record_single(*tape, slice_op(), kept_attrs(code), inputs, std::move(element)));
}

bool set_element(Cell& x, std::span<const int64_t> positions, double number) {
  if (!x.is_leaf() || x.is_view() || Tape::current().tracing() || x.holds_plain()) return false;
  if (!is_floating(x.value().dtype())) return false;
  std::array<int64_t, 4 * most_axes> items;
  const std::span<const int64_t> code(items.data(), write_code(x.value(), positions, items.data()));
  if (code.empty()) return false;
  const Value& content = x.leaf_value_for_update();
  const int64_t offset = offset_in(content, code);
  if (content.dtype() == DType::float64) {
    content.data<double>()[offset] = number;
  } else {
    content.data<float>()[offset] = static_cast<float>(number);
  }
  return true;
}

}  // namespace tapegrad
