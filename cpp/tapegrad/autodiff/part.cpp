#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "tapegrad/autodiff/scalar_operation.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/tape/record.h"

namespace tapegrad {
namespace {

constexpr size_t most_entries = 4, most_axes = 4, n_remembered = 256;

// A key and the shape of the array, in integers that can be compared.
struct Question {
  std::array<int64_t, 1 + 4 * most_entries + most_axes> items;
  size_t size = 0;

  Question(std::span<const IndexEntry> key, const Value& x) {
    add(static_cast<int64_t>(key.size()));
    for (const IndexEntry& e : key) {
      add(e.kind | (e.has_start ? 1 << 8 : 0) | (e.has_stop ? 1 << 9 : 0));
      add(e.start);
      add(e.stop);
      add(e.step);
    }
    for (int i = 0; i < x.ndim(); ++i) add(x.dim(i));
  }
  void add(int64_t item) { items[size++] = item; }
  uint64_t hash() const {
    uint64_t h = size;
    for (size_t i = 0; i < size; ++i)
      h = (h ^ static_cast<uint64_t>(items[i])) * 0x9E3779B97F4A7C15u;
    return h;
  }
  bool operator==(const Question& o) const {
    return size == o.size && std::equal(items.begin(), items.begin() + size, o.items.begin());
  }
};

struct Answer {
  Question question;
  Attrs attrs;
  bool has_ellipsis;
  Region region;  // of an array that is packed, by a basic key
};

// What the key means does not depend on how many positions its arrays hold, nor on which.
const Answer& answer_of(std::span<const IndexEntry> key, const Value& x,
                        std::span<const Ref> arrays = {}) {
  using Answers = std::array<std::unique_ptr<Answer>, n_remembered>;
  // Behind a pointer: the memory that threads have from their start is scarce.
  thread_local std::unique_ptr<Answers> answers;
  if (!answers) answers = std::make_unique<Answers>();
  const Question question(key, x);
  std::unique_ptr<Answer>& known = (*answers)[question.hash() >> 32 & (n_remembered - 1)];
  if (known && known->question == question) return *known;
  const Dims shape = x.shape();
  IndexKey found = resolve_key(key, {arrays.begin(), arrays.end()}, shape, KeyUse::read);
  Region region;
  if (arrays.empty())
    region = region_of(found.spec.code, shape, contiguous_strides(shape), "index");
  known = std::make_unique<Answer>(
      Answer{question, std::move(found.spec).attrs(), found.has_ellipsis, std::move(region)});
  return *known;
}

bool is_plainly_read(const IndexEntry& e) {
  return !e.is_array && (e.kind == IndexEntry::position || e.kind == IndexEntry::slice ||
                         e.kind == IndexEntry::newaxis || e.kind == IndexEntry::ellipsis);
}

// Whether an entry is plainly read, or an array of positions; a mask along one axis becomes the
// positions where it is true.
bool settles(IndexEntry& e, Ref& array, const Value& x, size_t axis) {
  if (array.tracked() || array.ndim() == 0) return false;
  if (e.kind == IndexEntry::positions) return array.dtype() == DType::int64;
  if (e.kind != IndexEntry::mask || array.ndim() != 1) return false;
  const auto k = static_cast<int>(axis);
  if (k >= x.ndim() || array.value().dim(0) != x.dim(k)) return false;
  array = Ref(positions_where(array.value()));
  e = {.kind = IndexEntry::positions};
  return true;
}

}  // namespace

Cell* elements_at(Cell& x, std::span<IndexEntry> key, std::span<Ref> arrays) {
  constexpr size_t most_arrays = 2;
  if (Tape::current().tracing() || x.is_blank()) return nullptr;
  std::array<Ref, 1 + most_arrays> inputs;
  inputs[0] = x.ref();
  const Value& content = inputs[0].value();
  if (key.size() > most_entries || arrays.size() > most_arrays ||
      content.ndim() > static_cast<int>(most_axes))
    return nullptr;
  size_t axis = 0, n = 0;
  for (IndexEntry& e : key) {
    if (is_plainly_read(e)) {
      if (e.kind == IndexEntry::ellipsis) return nullptr;
      axis += e.kind != IndexEntry::newaxis;
      continue;
    }
    if (n == arrays.size() || !settles(e, arrays[n], content, axis)) return nullptr;
    inputs[1 + n] = std::move(arrays[n]);
    ++n;
    ++axis;
  }
  const Answer& known = answer_of(key, content, {inputs.data() + 1, n});
  return Cell::from(apply_single(gather_op(), known.attrs, {inputs.data(), 1 + n}));
}

Cell* part_at(Cell& x, std::span<const IndexEntry> key) {
  if (Tape::current().tracing() || x.is_view() || x.is_blank()) return nullptr;
  const Value& content = x.value();
  if (key.size() > most_entries || content.ndim() > static_cast<int>(most_axes) ||
      !std::all_of(key.begin(), key.end(), is_plainly_read))
    return nullptr;
  const Answer& known = answer_of(key, content);
  const Ref whole = x.ref();
  Ref part = content.is_scalar() || !content.is_contiguous()
                 ? apply_single(slice_op(), known.attrs, {&whole, 1})
                 : slice_region(whole, known.attrs, known.region);
  const bool is_number_now = part.ndim() == 0 && !known.has_ellipsis;
  if (is_number_now || x.is_number()) {
    Cell* const made = Cell::from(std::move(part));
    if (!is_number_now) made->count_as_array();
    return made;
  }
  x.retain();
  return Cell::view_of(CellPtr(&x), slice_op(), known.attrs, std::move(part));
}

}  // namespace tapegrad
