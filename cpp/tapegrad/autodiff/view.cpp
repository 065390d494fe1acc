#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "tapegrad/autodiff/variable.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/index/index_key.h"
#include "tapegrad/ops/index/index_part.h"
#include "tapegrad/ops/shape/memory_order.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/record.h"
#include "tapegrad/tape/tracer.h"

// Views: Cells that show a part of another. They read again when their base has moved, and what is
// written to them is written to the base. A slice of a slice is a slice of the first base, so
// chains of them stay short. While a function is recorded, numbers that it computes may say which
// part that is: such a view is read by gather and written by gather_set, at the recorded numbers.

namespace tapegrad {
namespace {

bool is_slice(const Op& op) { return op.key == KeyKind::basic; }

// Whether a key says what the view shows.
bool is_part(const View& view) { return is_slice(*view.op) || !view.indices.empty(); }
IndexPart part_of(const View& view) { return {IndexSpec::from(view.attrs), view.indices}; }

bool shows_all(const Op& op) { return op.shares == MemorySharing::view_in_pair; }

// One number computed twice, as x[i] += 1 computes it, stands for one.
bool same_index(const Ref& a, const Ref& b) {
  if (!a.tracked() || !b.tracked()) return false;
  if (a.slot() == b.slot()) return true;
  const Node &m = a.tape()->node(a.slot()), &n = b.tape()->node(b.slot());
  return m.kind == NodeKind::op && n.kind == NodeKind::op && m.op == n.op &&
         op_by_id(m.op).converts && std::ranges::equal(m.inputs(), n.inputs()) &&
         m.value.dtype() == n.value.dtype();
}

bool same_part(const View& view, const IndexSpec& spec, std::span<const Ref> indices) {
  return view.attrs == spec.attrs() && std::ranges::equal(view.indices, indices, same_index);
}

Value numbered(const Dims& shape) {
  Value numbers = Value::empty(DType::int64, shape);
  for (int64_t i = 0; i < numbers.size(); ++i) numbers.data<int64_t>()[i] = i;
  return numbers;
}

// `whole` with the part that the view shows replaced by `part`.
Ref with_part(Ref whole, const View& view, const Ref& part) {
  if (is_part(view))
    return set_index(std::move(whole), IndexSpec::from(view.attrs), part, view.indices);
  if (shows_all(*view.op)) return part;
  // Any other view permutes or picks elements: where each came from, found by viewing their
  // numbers.
  const Dims shape = whole.shape();
  if (shape.empty()) return reshape(part, shape);  // all that there is of it
  const Value numbers = numbered(shape);
  const Value at = apply(*view.op, view.attrs, std::vector<Ref>{Ref(numbers)})[0].value();
  IndexSpec spec;
  spec.array();
  const Ref index(at.reshaped(Dims{at.size()}));
  Ref flat = reshape(whole, Dims{numbers.size()});
  whole = Ref();
  return reshape(gather_set(std::move(flat), spec, reshape(part, Dims{at.size()}), {&index, 1}),
                 shape);
}

constexpr uint64_t stale = ~uint64_t{0};

}  // namespace

std::vector<Ref> View::operands(Ref whole) const {
  std::vector<Ref> found{std::move(whole)};
  found.insert(found.end(), indices.begin(), indices.end());
  return found;
}

bool Cell::follows_indices() const {
  const Cell* c = this;
  while (c->is_view_ && c->info_->view->indices.empty()) c = c->info_->view->base.get();
  return c->is_view_;
}

bool Cell::is_in_pair() const {
  const Cell* c = this;
  while (c->is_view_ && !c->info_->view->in_pair) c = c->info_->view->base.get();
  return c->is_view_;
}

bool Cell::shows_leaf() const {
  const Cell* c = this;
  while (c->is_view_) c = c->info_->view->base.get();
  return c->is_leaf();
}

Cell* Cell::view_of(CellPtr base, const Op& op, Attrs attrs, Ref content,
                    std::vector<Ref> indices) {
  Cell* c = from(std::move(content));
  bool in_pair = shows_all(op);
  if (base->is_view_ && shows_all(*base->info_->view->op)) {
    base = CellPtr(base->info_->view->base);
    in_pair = true;
  }
  if (base->is_view_ && is_slice(op) && is_slice(*base->info_->view->op)) {
    const View& outer = *base->info_->view;
    if (std::optional<IndexPart> both =
            composed(part_of(outer), {IndexSpec::from(attrs), {}}, outer.base->type().shape)) {
      attrs = std::move(both->spec).attrs();
      in_pair |= outer.in_pair;
      base = CellPtr(outer.base);
    }
  }
  const uint64_t version = base->version();
  const bool read_only =
      op.shares == MemorySharing::read_only || (base->is_view_ && base->info_->view->read_only);
  c->info().view =
      View{std::move(base), &op, std::move(attrs), std::move(indices), version, read_only, in_pair};
  c->is_view_ = true;
  if (c->info_->view->base->blank_ && c->info_->view->indices.empty()) {
    c->blank_ = true;
    if (Tape* tape = Tape::current_if_any(); tape && tape->tracing()) tape->tracer()->own(c);
  }
  return c;
}

// The part of the array that this one shows, where that is one: then nothing is read but the part.
// Null where the key is basic and no recorded number says what it chooses.
Cell* Cell::item_by_number(const IndexKey& key) {
  if (is_view_) refresh();
  retain();
  CellPtr base(this);
  IndexPart part{key.spec, key.arrays};
  bool in_pair = false;
  if (is_view_ && is_part(*info_->view)) {
    const View& outer = *info_->view;
    if (std::optional<IndexPart> both = composed(part_of(outer), part, outer.base->type().shape)) {
      part = std::move(*both);
      in_pair = outer.in_pair;
      base = CellPtr(outer.base);
    }
  }
  if (part.indices.empty()) return nullptr;
  Ref content = gather(base->ref(), part.spec, part.indices);
  if (content.ndim() == 0 && !key.has_ellipsis) return from(std::move(content));
  Cell* const made = view_of(std::move(base), gather_op(), part.spec.attrs(), std::move(content),
                             std::move(part.indices));
  made->info_->view->in_pair |= in_pair;
  return made;
}

Cell* Cell::item(IndexKey key) {
  const bool of_such_a_view = is_view_ && !info_->view->indices.empty();
  if (key.shows || (of_such_a_view && key.spec.is_basic() && !key.copies))
    if (Cell* const found = item_by_number(key)) return found;
  if (!key.spec.is_basic()) return from(gather(ref(), key.spec, key.arrays));
  if (key.copies) return from(slice_copy(ref(), key.spec));
  const Attrs attrs = std::move(key.spec).attrs();
  const Ref whole = ref();
  Ref part = apply_single(slice_op(), attrs, {&whole, 1});
  const bool is_number_now = part.ndim() == 0 && !key.has_ellipsis;
  if (is_number() || is_number_now) {
    Cell* const made = from(std::move(part));
    if (!is_number_now) made->count_as_array();
    return made;
  }
  retain();
  return view_of(CellPtr(this), slice_op(), attrs, std::move(part));
}

Cell* Cell::result_of(const Op& op, const Attrs& attrs, Cell* first, Ref result) {
  // A number is not written to; a view of it that is for reading refuses that too.
  const bool is_number =
      first != nullptr && first->is_number() && op.shares != MemorySharing::read_only;
  if (first == nullptr || op.shares == MemorySharing::none || is_number ||
      !first->shares_in_numpy(op, attrs, result.shape())) {
    const bool plain = first != nullptr && !result.tracked() && first->is_blank();
    return plain ? blank(std::move(result).take_value()) : from(std::move(result));
  }
  first->retain();
  return view_of(CellPtr(first), op, attrs, std::move(result));
}

Dims Cell::numpy_strides() {
  if (is_view_ && (!tape_ || follows_indices() || is_in_pair())) {
    const View& view = *info_->view;
    Dims strides = view.base->numpy_strides(), found;
    if (view.in_pair)
      for (int64_t& s : strides) s *= 2;
    const Dims shape = view.base->type().shape;
    if (!view.indices.empty())
      return region_of(at_first_positions(part_of(view)).code, shape, strides, "index").strides;
    if (strides_of_view(*view.op, view.attrs, shape, strides, type().shape, found)) return found;
  }
  return tape_ ? tapegrad::numpy_strides(Ref(tape_, slot_)) : value_.strides();
}

bool Cell::lies_in_c_order() {
  if (follows_indices() || is_in_pair()) return is_c_order(type().shape, numpy_strides());
  if (tape_ ? plainly_in_c_order(Ref(tape_, slot_)) : !is_view_ && value_.is_contiguous())
    return true;
  return is_c_order(type().shape, numpy_strides());
}

bool Cell::lies_in_k_order() {
  const Dims shape = type().shape;
  if (shape.size() < 2 || lies_in_c_order()) return true;
  const Dims strides = numpy_strides();
  int64_t outer = std::numeric_limits<int64_t>::max();
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) continue;
    const int64_t step = std::abs(strides[i]);
    if (step > outer) return false;
    outer = step;
  }
  return true;
}

// Reshaped arrays are views where strides allow it; all others that share always do.
bool Cell::shares_in_numpy(const Op& op, const Attrs& attrs, const Dims& to) {
  if (op.shares == MemorySharing::view_of_packed) return lies_in_c_order();
  if (follows_indices() || is_in_pair() ? lies_in_c_order()
      : tape_                           ? plainly_in_c_order(Ref(tape_, slot_))
                                        : !is_view_ && value_.is_contiguous())
    return true;
  if (op.view != ViewKind::reshaped || type().shape.ndim() == 0) return true;
  Dims found;
  return strides_of_view(op, attrs, type().shape, numpy_strides(), to, found);
}

bool Cell::shows(const Cell& whole, const IndexSpec& spec, std::span<const Ref> indices) const {
  if (!is_view_ || !is_part(*info_->view)) return false;
  const View& own = *info_->view;
  if (own.base.get() == &whole) return same_part(own, spec, indices);
  if (!whole.is_view_ || !is_part(*whole.info_->view)) return false;
  const View& outer = *whole.info_->view;
  if (own.base.get() != outer.base.get()) return false;
  const std::optional<IndexPart> both =
      composed(part_of(outer), {spec, {indices.begin(), indices.end()}}, outer.base->type().shape);
  return both && same_part(own, both->spec, both->indices);
}

Value Cell::places() {
  if (!is_view_) return type().shape.empty() ? Value::integer_scalar(0) : numbered(type().shape);
  const View& view = *info_->view;
  return apply(*view.op, view.attrs, std::vector<Ref>{Ref(view.base->places())})[0].value();
}

bool Cell::overlaps(Cell& other) {
  if (!is_part_of(other) && !other.is_part_of(*this)) return this == &other;
  if (follows_indices() || other.follows_indices()) return true;  // at other positions it may
  const RecordingGuard off(false);
  const Value ours = places(), theirs = other.places();
  std::set<double> known;
  for (int64_t i = 0; i < ours.size(); ++i) known.insert(ours.at(i));
  for (int64_t i = 0; i < theirs.size(); ++i)
    if (known.contains(theirs.at(i))) return true;
  return false;
}

void Cell::refresh() {
  if (!info_->view->base->is_view_) return read_base();
  std::vector<Cell*> chain;
  for (Cell* c = this; c->is_view_; c = c->info_->view->base.get()) chain.push_back(c);
  for (size_t k = chain.size(); k-- > 0;) chain[k]->read_base();
}

// Reading is recorded even where recording is off: the view goes on standing for a part of its
// base.
void Cell::read_base() {
  View& view = *info_->view;
  Cell& base = *view.base;
  if (base.version_ == view.base_version) return;
  if (base.tape_ && !Tape::is_current(base.tape_))
    throw_wrong_thread(*base.tape_, "reading a view again");
  const RecordingGuard record(true);
  Tape& tape = Tape::current();
  const Ref whole =
      base.tape_ == nullptr && base.blank_
          ? Ref(base.value_)
          : Ref(&tape, base.tape_ ? base.slot_ : tape.enter(&base, base.version_, base.value_));
  become(std::move(apply(*view.op, view.attrs, view.operands(whole))[0]));
  view.base_version = base.version_;
  ++version_;
}

// A view of the buffer would keep a write to it from being made in place. The view reads again when
// it is asked.
void Cell::let_base_alone() {
  info_->view->base_version = stale;
  become(Ref());
}

// Replaces this view's part in the content of its base, that base's in its own, and so on.
void Cell::write_through(Ref content) {
  refresh();
  const bool plain = !content.tracked() && shows_leaf() && !follows_indices();
  const RecordingGuard record(!plain);
  Cell* c = this;
  for (;;) {
    View& view = *c->info_->view;
    Cell& base = *view.base;
    c->let_base_alone();
    if (!base.is_view_ && is_part(view)) {
      base.assign(IndexSpec::from(view.attrs), view.indices, std::move(content));
      break;
    }
    content = with_part(plain ? Ref(base.value()) : base.ref(), view, content);
    if (!base.is_view_) {
      base.set(std::move(content));
      break;
    }
    c = &base;
  }
  refresh();
}

void Cell::assign_to_view(const IndexSpec& spec, const std::vector<Ref>& indices, Ref update) {
  refresh();
  View& view = *info_->view;
  if (shows_all(*view.op)) {
    let_base_alone();
    view.base->assign(spec, indices, std::move(update));
    return refresh();
  }
  const bool by_number =
      std::any_of(indices.begin(), indices.end(), [](const Ref& r) { return r.tracked(); });
  if (is_part(view) && !view.base->is_view_ &&
      (spec.is_basic() || by_number || !view.indices.empty())) {
    if (const std::optional<IndexPart> both =
            composed(part_of(view), {spec, indices}, view.base->type().shape)) {
      let_base_alone();
      view.base->assign(both->spec, both->indices, std::move(update));
      return refresh();
    }
  }
  const bool recorded = update.tracked() || by_number || follows_indices();
  const RecordingGuard record(!(shows_leaf() && !recorded));
  Ref whole = ref();
  write_through(set_index(std::move(whole), spec, std::move(update), indices));
}

}  // namespace tapegrad
