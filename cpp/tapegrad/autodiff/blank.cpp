#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <vector>

#include "tapegrad/autodiff/variable.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/shape/memory_order.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/tracer.h"

// Blanks: arrays that NumPy's creation functions made, plain until a Variable is written to them.

namespace tapegrad {
namespace {

// The part of a packed array whose elements lie at these places, if steps along the axes lead to
// them.
std::optional<Value> part_of(const Value& whole, const Value& places) {
  if (places.size() == 0) return Value::empty(whole.dtype(), places.shape());
  const int ndim = places.ndim();
  const auto first = static_cast<int64_t>(places.at(0));
  std::vector<int64_t> strides(static_cast<size_t>(ndim));
  int64_t after = 1;  // elements between neighbours along this axis, in order
  for (int axis = ndim - 1; axis >= 0; --axis) {
    if (places.dim(axis) > 1)
      strides[static_cast<size_t>(axis)] = static_cast<int64_t>(places.at(after)) - first;
    after *= places.dim(axis);
  }
  for (int64_t k = 0; k < places.size(); ++k) {
    int64_t rest = k, expected = first;
    for (int axis = ndim - 1; axis >= 0; --axis) {
      expected += rest % places.dim(axis) * strides[static_cast<size_t>(axis)];
      rest /= places.dim(axis);
    }
    if (static_cast<int64_t>(places.at(k)) != expected) return {};
  }
  return whole.view(places.shape(), strides, first);
}

}  // namespace

Cell* Cell::blank(Value value) {
  Cell* c = new Cell;
  c->value_ = std::move(value);
  c->blank_ = true;
  if (Tape* tape = Tape::current_if_any(); tape && tape->tracing()) tape->tracer()->own(c);
  return c;
}

// A view of one that is packed in C order.
Cell* Cell::blank_lying_by(const Value& value, std::span<const int64_t> strides) {
  const Dims shape = value.shape();
  if (shape.size() < 2 || is_c_order(shape, Dims(strides))) return blank(value.contiguous());
  Axes outwards(shape.size());  // from the outermost in memory
  std::iota(outwards.begin(), outwards.end(), int64_t{0});
  const auto step = [&](int64_t axis) { return std::abs(strides[static_cast<size_t>(axis)]); };
  std::ranges::stable_sort(outwards, [&](int64_t i, int64_t k) { return step(i) > step(k); });
  Axes back(shape.size());
  for (size_t i = 0; i < outwards.size(); ++i)
    back[static_cast<size_t>(outwards[i])] = static_cast<int64_t>(i);
  const RecordingGuard off(false);
  const Ref packed(transpose(Ref(value), outwards).value().copy());
  Ref shown = transpose(packed, back);
  return view_of(CellPtr(blank(packed.value())), transpose_op(), {std::move(back)},
                 std::move(shown));
}

bool Cell::is_still_blank() {
  if (is_view_) refresh();
  if (tape_ != nullptr) return false;
  const Tape* const tape = Tape::current_if_any();
  return tape == nullptr || !tape->tracing() || tape->tracer()->owns(this);
}

const Cell& Cell::whole() const {
  const Cell* c = this;
  while (c->is_view_) c = c->info_->view->base.get();
  return *c;
}

// What was read before must stay as it was, so nobody else may hold the memory that is lent.
std::optional<Value> Cell::lend() {
  if (follows_indices()) return {};
  Cell& owner = whole();
  if (!owner.holds_plain() || owner.value_.is_scalar() || value().ndim() == 0) return {};
  if (!owner.is_lent()) {
    owner.value_ = owner.value_.copy();
    ++owner.version_;
  }
  std::optional<Value> shown = is_view_ ? part_of(owner.value_, places_of(*this)) : owner.value_;
  if (!shown) return {};
  CellInfo::Rare& rare = owner.rare();
  if (rare.lent_count++ == 0) rare.lent = owner.value_;
  return shown;
}

// Where each element of a view lies in the memory of the array that its views begin with: the same
// operations, applied to the places themselves.
Value Cell::places_of(const Cell& view) {
  if (!view.is_view_) {
    Value places = Value::empty(DType::float64, view.value_.shape());
    for (int64_t k = 0; k < places.size(); ++k) places.set_at(k, static_cast<double>(k));
    return places;
  }
  const View& v = *view.info_->view;
  const RecordingGuard off(false);
  return apply(*v.op, v.attrs, std::vector<Ref>{Ref(places_of(*v.base))})[0].value();
}

void Cell::take_back() {
  CellInfo::Rare& rare = whole().rare();
  if (--rare.lent_count == 0) rare.lent = Value();
}

// What is computed of it keeps its own copy: who borrowed the memory may write to it.
Ref Cell::plain_ref() { return Ref(whole().is_lent() ? value_.copy() : value_); }

void Cell::check_not_lent(const char* write) {
  if (whole().is_lent())
    throw_error<TypeError>(write, ": a plain array shares the memory of this one of shape ",
                           type().shape,
                           " (a library's np.asarray of it, a memoryview) and would not see the "
                           "Variable; write the Variable first, or let go of that array before");
}

void Cell::keep_lent_memory() {
  Value& lent = info_->rare->lent;
  if (value_.buffer() == lent.buffer()) return;
  copy_into(lent, value_);
  value_ = lent;
}

}  // namespace tapegrad
