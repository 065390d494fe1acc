#include "tapegrad/autodiff/variable.h"

#include <utility>

#include "tapegrad/autodiff/grad.h"
#include "tapegrad/base/error.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index.h"
#include "tapegrad/ops/reduce.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/ops/shape.h"
#include "tapegrad/scalar/functions.h"

namespace tapegrad {
namespace {

// Cells come and go with every operation: a small list of free ones per thread.
struct FreeCells {
  void* head = nullptr;
  int count = 0;
  bool alive = true;
  ~FreeCells() {
    alive = false;
    while (head) {
      void* next = *static_cast<void**>(head);
      ::operator delete(head);
      head = next;
    }
  }
};
thread_local FreeCells free_cells;
constexpr int most_free_cells = 4096;

std::vector<Ref> index_refs(const std::vector<Value>& indices) { return {indices.begin(), indices.end()}; }

bool is_slice(const Op& op) { return op.name == std::string_view("slice"); }

}  // namespace

void* Cell::operator new(size_t bytes) {
  FreeCells& f = free_cells;
  if (f.head == nullptr) return ::operator new(bytes);
  void* p = f.head;
  f.head = *static_cast<void**>(p);
  --f.count;
  return p;
}

void Cell::operator delete(void* p, size_t) {
  FreeCells& f = free_cells;
  if (!f.alive || f.count >= most_free_cells) {
    ::operator delete(p);
    return;
  }
  *static_cast<void**>(p) = f.head;
  f.head = p;
  ++f.count;
}

Cell* Cell::leaf(Value value, std::string name) {
  register_all_ops();
  if (!is_floating(value.dtype()))
    throw_error<TypeError>("Variable: only float64 and float32 can be differentiated, got ", describe(value),
                           "; convert it first, e.g. x.astype(float)");
  Cell* c = new Cell;
  c->value_ = std::move(value);
  if (!name.empty()) c->info().name = std::move(name);
  return c;
}

Cell* Cell::from(Ref ref) {
  Cell* c = new Cell;
  c->become(std::move(ref));
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
}

Ref Cell::ref() {
  if (is_view()) refresh();
  if (tape_) {
    if (Tape::is_current(tape_) && !tape_->recording()) return Ref(tape_->node(slot_).value);
    return Ref(tape_, slot_);
  }
  Tape& tape = Tape::current();
  if (!tape.recording()) return Ref(value_);
  return Ref(&tape, tape.enter(this, version_, value_));
}

uint32_t Cell::slot_on(Tape& tape) {
  if (is_view()) refresh();
  if (tape_ == &tape) return slot_;
  if (tape_) return 0;
  return tape.enter(this, version_, value_);
}

void Cell::set(Ref content) {
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

Cell* Cell::view_of(CellPtr base, const Op& op, Attrs attrs, Ref content) {
  Cell* c = from(std::move(content));
  const uint64_t version = base->version();
  c->info().view = std::make_unique<View>(View{std::move(base), &op, std::move(attrs), version});
  return c;
}

void Cell::refresh() {
  View& view = *info_->view;
  if (view.base->is_view()) view.base->refresh();
  if (view.base->version() == view.base_version) return;
  become(std::move(apply(*view.op, view.attrs, std::vector<Ref>{view.base->ref()})[0]));
  view.base_version = view.base->version();
  ++version_;
}

// The base's content with this view's part replaced.
void Cell::write_through(Ref content) {
  View& view = *info_->view;
  Cell& base = *view.base;
  if (base.is_view()) base.refresh();
  if (is_slice(*view.op)) {
    base.assign(IndexSpec::from(view.attrs), {}, content);
  } else {
    // Any other view permutes or picks elements: where each came from, found by viewing their numbers.
    const Dims shape = base.type().shape;
    Value numbers = Value::empty(DType::int64, shape);
    for (int64_t i = 0; i < numbers.size(); ++i) numbers.data<int64_t>()[i] = i;
    const Value at = apply(*view.op, view.attrs, std::vector<Ref>{Ref(numbers)})[0].value();
    const Dims flat{numbers.size()};
    IndexSpec spec;
    spec.array();
    const Ref index(at.reshaped(Dims{at.size()}));
    base.set(reshape(gather_set(reshape(base.ref(), flat), spec, reshape(content, Dims{at.size()}), {&index, 1}), shape));
  }
  become(std::move(apply(*view.op, view.attrs, std::vector<Ref>{base.ref()})[0]));
  view.base_version = base.version();
  ++version_;
}

void Cell::assign(const IndexSpec& spec, const std::vector<Value>& indices, Ref update) {
  if (is_view()) {
    refresh();
    Ref whole = ref();
    write_through(set_index(std::move(whole), spec, std::move(update), index_refs(indices)));
    return;
  }
  if (tape_ != nullptr && !Tape::is_current(tape_)) throw_wrong_thread(*tape_, "item assignment");
  check_set_index(type(), spec, update.type(), index_refs(indices));  // every complaint comes before anything is moved
  Ref content;
  if (tape_ != nullptr) {
    content = Ref::adopt(std::exchange(tape_, nullptr), slot_);  // so that a buffer nobody else needs is overwritten
  } else if (update.tracked()) {
    Tape& tape = Tape::current();
    content = Ref(&tape, tape.enter(this, version_, value_));
    Value().swap(value_);
  } else {
    content = Ref(std::move(value_));
  }
  // A write to recorded content is part of the record even where recording is off: what it overwrites must not get
  // a derivative.
  const RecordingGuard record(content.tracked() || Tape::current().recording());
  become(set_index(std::move(content), spec, std::move(update), index_refs(indices)));
  ++version_;
}

const std::string& Cell::name() const {
  static const std::string none;
  return info_ ? info_->name : none;
}

void Cell::set_grad(Value g) {
  const TensorType t = type();
  if (g.shape() != t.shape)
    throw_error<ValueError>("grad: a Variable of shape ", t.shape, " needs a gradient of that shape, got ", g.shape());
  info().grad = g.cast(t.dtype);
  info().has_grad = true;
}

void Cell::clear_grad() {
  if (!info_) return;
  info_->has_grad = false;
  info_->grad = Value();
}

void Cell::add_grad(const Value& g) {
  CellInfo& i = info();
  if (!i.has_grad) {
    i.grad = g;
    i.has_grad = true;
  } else if (g.is_scalar()) {
    i.grad = Value::scalar(i.grad.as_double() + g.as_double(), g.dtype());
  } else {
    add_to_gradient(i.grad, g);
  }
}

Value& Cell::leaf_value_for_update() {
  if (is_view() || tape_ != nullptr)
    throw_error<ValueError>("optimiser: the Variable", name().empty() ? "" : " '", name(), name().empty() ? "" : "'",
                            " of shape ", type().shape,
                            " is the result of recorded operations; optimise leaves, made by Variable(value)");
  value_.ensure_owned();
  ++version_;
  return value_;
}

namespace {

template <class F>
Variable apply_function(std::initializer_list<Ref> inputs) {
  return Variable::from(elementwise(scalar_fn_of<F>(), inputs));
}

}  // namespace

Variable operator+(const Variable& a, const Variable& b) { return apply_function<Add>({a.ref(), b.ref()}); }
Variable operator-(const Variable& a, const Variable& b) { return apply_function<Subtract>({a.ref(), b.ref()}); }
Variable operator*(const Variable& a, const Variable& b) { return apply_function<Multiply>({a.ref(), b.ref()}); }
Variable operator/(const Variable& a, const Variable& b) { return apply_function<Divide>({a.ref(), b.ref()}); }
Variable operator-(const Variable& a) { return apply_function<Negative>({a.ref()}); }
Variable square(const Variable& a) { return apply_function<Square>({a.ref()}); }
Variable exp(const Variable& a) { return apply_function<Exp>({a.ref()}); }
Variable log(const Variable& a) { return apply_function<Log>({a.ref()}); }
Variable sin(const Variable& a) { return apply_function<Sin>({a.ref()}); }
Variable cos(const Variable& a) { return apply_function<Cos>({a.ref()}); }
Variable tanh(const Variable& a) { return apply_function<Tanh>({a.ref()}); }
Variable sum(const Variable& a) { return Variable::from(sum(a.ref())); }
Variable mean(const Variable& a) { return Variable::from(mean(a.ref())); }

void Variable::backward() const { tapegrad::backward(*cell_); }

}  // namespace tapegrad
