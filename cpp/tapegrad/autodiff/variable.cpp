#include "tapegrad/autodiff/variable.h"

#include <algorithm>
#include <utility>

#include "tapegrad/autodiff/grad.h"
#include "tapegrad/autodiff/scalar_operation.h"
#include "tapegrad/base/error.h"
#include "tapegrad/base/promotion.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/tape/tracer.h"

namespace tapegrad {
Cell* Cell::leaf(Value value, std::string name) {
  register_all_ops();
  if (!is_floating(value.dtype()))
    throw_error<TypeError>("Variable: only float64 and float32 can be differentiated, got ",
                           describe(value), "; convert it first, np.asarray(x, dtype=float)");
  Cell* c = new Cell;
  c->value_ = std::move(value);
  if (!name.empty()) c->set_name(std::move(name));
  if (Tape* tape = Tape::current_if_any(); tape && tape->tracing()) tape->tracer()->own(c);
  return c;
}

Cell* Cell::from(Ref ref) {
  Cell* c = new Cell;
  if (ref.tracked()) {
    c->tape_ = ref.tape();
    c->slot_ = std::move(ref).release_slot();
    if (Tape* tape = Tape::current_if_any();
        tape && tape->tracing() && !tape->tracer()->recorded(*c->tape_, c->slot_))
      tape->tracer()->own(c);  // a new Variable of something older, as a copy is
  } else {
    c->value_ = std::move(ref).take_value();
    c->unrecorded_ = true;
  }
  return c;
}

void Cell::become(Ref content) {
  Tape* old_tape = std::exchange(tape_, nullptr);
  const uint32_t old_slot = slot_;
  if (content.tracked()) {
    tape_ = content.tape();
    slot_ = content.slot();
    tape_->retain(slot_);
    Value().swap(value_);
  } else {
    value_ = std::move(content).take_value();
  }
  if (old_tape) old_tape->release(old_slot);
  if (is_lent()) keep_lent_memory();
}

Ref Cell::ref(const char* operation) {
  if (is_view_) refresh();
  if (tape_) {
    const bool ours = Tape::is_current(tape_);
    const Tape& here = Tape::current();
    if (!here.recording() && !here.tracing()) return Ref(tape_->node(slot_).value);
    if (!ours) throw_wrong_thread(*tape_, operation);
    return Ref(tape_, slot_);
  }
  if (is_blank()) return plain_ref();
  Tape& tape = Tape::current();
  if (!tape.recording() && !tape.tracing()) return Ref(value_);
  return Ref(&tape, tape.enter(this, version_, value_));
}

// The content goes even where nodes still name this leaf, since it may be what holds them.
void Cell::let_go() {
  if (Tape* tape = std::exchange(tape_, nullptr)) tape->release(slot_);
  Value().swap(value_);
  if (!is_view_) return;
  is_view_ = false;
  // Views of views of views must not lead to recursion.
  CellPtr base = std::move(info_->view->base);
  info_->view.reset();
  while (base && base->has_one_handle() && base->is_view_) {
    CellPtr next = std::move(base->info_->view->base);
    base = std::move(next);
  }
}

void Cell::set(Ref content) {
  note_write();
  if (content.tracked()) check_not_lent("in-place operation");
  if (is_view()) {
    write_through(std::move(content));
  } else {
    become(std::move(content));
    ++version_;
  }
}

void Cell::set_value(Value value) {
  if (!is_floating(value.dtype())) value = value.cast(type().dtype);
  set(Ref(std::move(value)));
}

void Cell::set_in_place(const Ref& result, bool x_is_plain) {
  const TensorType want = type();
  if (!can_cast_same_kind(result.dtype(), want.dtype))
    throw_error<TypeError>("in-place operation: can't cast the result from ",
                           dtype_name(result.dtype()), " to ", dtype_name(want.dtype),
                           "; write y = y + v instead of y += v");
  if (result.shape() != want.shape)
    throw_error<ValueError>("in-place operation: non-broadcastable output operand with shape ",
                            want.shape, " doesn't match the broadcast shape ", result.shape(),
                            "; write y = y + v instead of y += v");
  if (shows_leaf() && x_is_plain) {
    set_value(result.value().cast(want.dtype));
  } else {
    set(cast(result, want.dtype));
  }
}

void Cell::assign(const IndexSpec& spec, const std::vector<Ref>& indices, Ref update) {
  note_write();
  if (is_view_) return assign_to_view(spec, indices, std::move(update));
  if (tape_ != nullptr && !Tape::is_current(tape_)) throw_wrong_thread(*tape_, "item assignment");
  // Every complaint comes before anything is moved.
  check_set_index(type(), spec, update.type(), indices);
  const bool recorded = update.tracked() || std::any_of(indices.begin(), indices.end(),
                                                        [](const Ref& r) { return r.tracked(); });
  if (recorded) check_not_lent("item assignment");
  Ref content;
  if (tape_ != nullptr) {
    content = Ref::adopt(std::exchange(tape_, nullptr),
                         slot_);  // so that a buffer nobody else needs is overwritten
  } else if (recorded && !is_blank()) {
    Tape& tape = Tape::current();
    content = Ref(&tape, tape.enter(this, version_, value_));
    Value().swap(value_);
  } else {
    content = Ref(std::move(value_));
  }
  // A write to recorded content is part of the record even where recording is off: what it
  // overwrites must not get a derivative.
  const RecordingGuard record(content.tracked() || Tape::current().recording());
  become(set_index(std::move(content), spec, std::move(update), indices));
  ++version_;
}

const std::string& Cell::name() const {
  static const std::string none;
  return has_rare() ? info_->rare->name : none;
}

// A whole function that is being recorded may write to its own Variables only: a replay would not
// repeat the write.
void Cell::note_write() {
  if (is_view_ && info_->view->read_only)
    throw_error<ValueError>("assignment destination is read-only: this Variable of shape ",
                            type().shape,
                            " shows another one (NumPy's broadcast_to, diagonal, diag and "
                            "sliding_window_view give such views); write to "
                            "v.copy(), or to the array that it shows");
  Tape* tape = Tape::current_if_any();
  if (tape == nullptr || !tape->tracing()) return;
  Tracer& tracer = *tape->tracer();
  const bool recorded_here = tape_ != nullptr && tracer.recorded(*tape_, slot_);
  if (!recorded_here && !tracer.owns(this))
    tracer.refuse("it writes to a Variable that was made outside");
}

bool Cell::is_part_of(const Cell& other) const { return is_view_ && &whole() == &other.whole(); }

void Cell::set_grad(Value g) {
  const TensorType t = type();
  if (g.shape() != t.shape)
    throw_error<ValueError>("grad: a Variable of shape ", t.shape,
                            " needs a gradient of that shape, got ", g.shape());
  rare().grad = g.cast(t.dtype);
  rare().has_grad = true;
}

void Cell::clear_grad() {
  if (!has_rare()) return;
  info_->rare->has_grad = false;
  info_->rare->grad = Value();
}

void Cell::add_grad(const Value& g) {
  CellInfo::Rare& i = rare();
  if (!i.has_grad) {
    i.grad = g.buffer() && g.buffer()->is_foreign() ? g.copy() : g;  // never the user's own seed
    i.has_grad = true;
  } else if (g.is_scalar()) {
    i.grad = Value::scalar(i.grad.as_double() + g.as_double(), g.dtype());
  } else {
    add_to_gradient(i.grad, g);
  }
}

Value& Cell::leaf_value_for_update() {
  if (is_view() || tape_ != nullptr)
    throw_error<ValueError>(
        "optimiser: the Variable", name().empty() ? "" : " '", name(), name().empty() ? "" : "'",
        " of shape ", type().shape,
        " is the result of recorded operations; optimise leaves, made by Variable(value)");
  note_write();
  value_.ensure_owned();
  ++version_;
  return value_;
}

namespace {

template <class F>
Variable apply_function(const Variable& a) {
  constexpr ScalarFn fn = scalar_fn_of<F>();
  ScalarOperand x;
  if (!Tape::current().tracing() && read_scalar(a.cell(), x))
    return Variable(CellPtr(apply_scalar_operation(fn, x)));
  return Variable::from(elementwise(fn, {a.ref()}));
}

template <class F>
Variable apply_function(const Variable& a, const Variable& b) {
  constexpr ScalarFn fn = scalar_fn_of<F>();
  ScalarOperand x, y;
  if (!Tape::current().tracing() && read_scalar(a.cell(), x) && read_scalar(b.cell(), y))
    return Variable(CellPtr(apply_scalar_operation(fn, x, y)));
  return Variable::from(elementwise(fn, {a.ref(), b.ref()}));
}

}  // namespace

Variable operator+(const Variable& a, const Variable& b) { return apply_function<Add>(a, b); }
Variable operator-(const Variable& a, const Variable& b) { return apply_function<Subtract>(a, b); }
Variable operator*(const Variable& a, const Variable& b) { return apply_function<Multiply>(a, b); }
Variable operator/(const Variable& a, const Variable& b) { return apply_function<Divide>(a, b); }
Variable operator-(const Variable& a) { return apply_function<Negative>(a); }
Variable square(const Variable& a) { return apply_function<Square>(a); }
Variable exp(const Variable& a) { return apply_function<Exp>(a); }
Variable log(const Variable& a) { return apply_function<Log>(a); }
Variable sin(const Variable& a) { return apply_function<Sin>(a); }
Variable cos(const Variable& a) { return apply_function<Cos>(a); }
Variable tanh(const Variable& a) { return apply_function<Tanh>(a); }
Variable sum(const Variable& a) { return Variable::from(sum(a.ref())); }
Variable mean(const Variable& a) { return Variable::from(mean(a.ref())); }

void Variable::backward() const { tapegrad::backward(*cell_); }

}  // namespace tapegrad
