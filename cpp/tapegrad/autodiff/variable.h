#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/base/recycled.h"
#include "tapegrad/ops/index/index_key.h"
#include "tapegrad/tape/ref.h"
#include "tapegrad/tape/tape.h"

namespace tapegrad {

class Cell;

// Counted pointer to a cell.
class CellPtr {
 public:
  CellPtr() = default;
  explicit CellPtr(Cell* adopted) : cell_(adopted) {}
  CellPtr(const CellPtr& o);
  CellPtr(CellPtr&& o) noexcept : cell_(o.cell_) { o.cell_ = nullptr; }
  CellPtr& operator=(CellPtr o) noexcept {
    std::swap(cell_, o.cell_);
    return *this;
  }
  ~CellPtr();
  Cell* get() const { return cell_; }
  Cell* operator->() const { return cell_; }
  Cell& operator*() const { return *cell_; }
  explicit operator bool() const { return cell_ != nullptr; }
  Cell* release() {
    Cell* c = cell_;
    cell_ = nullptr;
    return c;
  }

 private:
  Cell* cell_ = nullptr;
};

// How a view is read from its base: one application of an op to the base's current content, and to
// the recorded positions at which that part begins, if there are any.
struct View {
  CellPtr base;
  const Op* op;
  Attrs attrs;
  std::vector<Ref> indices;
  uint64_t base_version;
  bool read_only;
  bool in_pair;  // of an array whose elements NumPy keeps beside those of another, in steps of two

  std::vector<Ref> operands(Ref whole) const;
};

// What most Variables lack: what it shows, which a view has, and the rest, which few have.
struct CellInfo : recycled::Recycled {
  struct Rare {
    std::string name;
    bool has_grad = false;
    Value grad;
    Value lent;  // the content of a blank that plain arrays elsewhere share
    int lent_count = 0;
  };
  std::optional<View> view;
  std::unique_ptr<Rare> rare;
};

// The content of a Variable: a node of a tape, or (a leaf) a value of its own. Writing moves the
// version on; a view reads again when its base has moved, and writes through it.
class Cell final : public Leaf, public recycled::Recycled {
 public:
  Cell() : Leaf(birth_now()) {}
  ~Cell() override { let_go(); }
  Cell(const Cell&) = delete;
  Cell& operator=(const Cell&) = delete;

  static Cell* leaf(Value value, std::string name = "");
  static Cell* unrecorded_scalar(double x) {
    Cell* c = new Cell;
    c->value_ = Value(x);
    c->unrecorded_ = true;
    return c;
  }
  static Cell* from(Ref ref);  // a leaf where the ref is a constant
  // A blank: an array that NumPy's creation functions made. It is plain, and no leaf that has a
  // derivative, until a Variable is written to it.
  static Cell* blank(Value value);
  // The same with axes that lie in memory in the order of these strides.
  static Cell* blank_lying_by(const Value& value, std::span<const int64_t> strides);
  static Cell* adopt(Tape* tape, uint32_t slot) {  // takes over a count
    Cell* c = new Cell;
    c->tape_ = tape;
    c->slot_ = slot;
    return c;
  }

  bool is_leaf() const { return tape_ == nullptr; }
  // The result of operations that were not recorded: it has nothing to go back to.
  bool is_unrecorded() const { return tape_ == nullptr && unrecorded_; }
  bool is_view() const { return is_view_; }
  // Still plain, and so is what is computed of such arrays alone. Not so for a blank that was made
  // outside of the function that a Tracer is recording.
  bool is_blank() { return blank_ && is_still_blank(); }
  // The same wherever it was made: there is no derivative to lose.
  bool holds_plain() {
    if (blank_ && is_view_) refresh();
    return blank_ && tape_ == nullptr;
  }
  // The content of a blank, or of a view of one, for a plain array elsewhere that shares its memory
  // until it is taken back; nothing where none can.
  std::optional<Value> lend();
  void take_back();
  bool shows_leaf() const;  // a leaf, or a view of one: a plain write leaves it so
  Tape* tape() const { return tape_; }
  uint32_t slot() const { return slot_; }
  uint64_t version() const { return version_; }
  // The plain content (a view's is brought up to date first).
  const Value& value() {
    if (is_view()) refresh();
    return tape_ ? tape_->node(slot_).value : value_;
  }
  TensorType type() { return type_of(value()); }

  // A handle for computing: a leaf enters this thread's tape. Untracked where recording is off.
  // Throws, naming the operation, where the recording is another thread's.
  Ref ref(const char* operation = "Variable");

  void set(Ref content);        // any write: keeps views and leaves in step
  void set_value(Value value);  // the content becomes this plain value
  // v op= x, where `result` is v op x: cast as NumPy allows it, of v's shape. A leaf stays one
  // where x was plain.
  void set_in_place(const Ref& result, bool x_is_plain);
  // content[spec] = update, with NumPy's casting and broadcasting.
  void assign(const IndexSpec& spec, const std::vector<Ref>& indices, Ref update);

  const std::string& name() const;
  void set_name(std::string name) { rare().name = std::move(name); }
  bool has_grad() const { return has_rare() && info_->rare->has_grad; }
  const Value& grad() const { return info_->rare->grad; }
  void set_grad(Value g);
  void clear_grad();
  void add_grad(const Value& g);

  // content[key]: a view where NumPy gives one, a number where NumPy gives one.
  Cell* item(IndexKey key);
  // op(attrs, first, ...) as a Cell: a view of `first` (null where that is no Variable) where NumPy
  // lets the two share memory and they do.
  static Cell* result_of(const Op& op, const Attrs& attrs, Cell* first, Ref result);
  // A Cell that shows op(attrs, base, indices...) and follows it.
  static Cell* view_of(CellPtr base, const Op& op, Attrs attrs, Ref content,
                       std::vector<Ref> indices = {});
  // Of no axes and a number, not an array: a new value takes its place, and nothing shows it.
  bool is_number() { return value().ndim() == 0 && !is_view_ && !is_array_; }
  // What has no axes is an array all the same, as np.array(2.0) is.
  void count_as_array() { is_array_ = true; }
  Dims numpy_strides();    // as NumPy's array would lie in memory (ops/shape/memory_order.h)
  bool lies_in_c_order();  // NumPy's array would be packed
  bool lies_in_k_order();  // perhaps with gaps, but each axis inside the one before it
  // A view of just that part of it.
  bool shows(const Cell& whole, const IndexSpec& spec, std::span<const Ref> indices = {}) const;
  bool is_part_of(const Cell& other) const;  // a view of it, or both are views of one
  bool overlaps(Cell& other);                // an element of the one is an element of the other
  void refresh();

  // For optimisers: the leaf's own value, unshared, ready to be overwritten; counts as a write.
  Value& leaf_value_for_update();

 private:
  CellInfo& info() {
    if (!info_) info_ = std::make_unique<CellInfo>();
    return *info_;
  }
  bool has_rare() const { return info_ && info_->rare; }
  CellInfo::Rare& rare() {
    if (!info().rare) info_->rare = std::make_unique<CellInfo::Rare>();
    return *info_->rare;
  }
  static Birth birth_now() {
    const Tape* const tape = Tape::current_if_any();
    return tape ? tape->birth() : Birth();
  }
  void let_go() override;
  void note_write();
  bool is_still_blank();
  const Cell& whole() const;  // of a view: the Cell that its views of views begin with
  Cell& whole() { return const_cast<Cell&>(std::as_const(*this).whole()); }
  bool is_lent() const { return has_rare() && info_->rare->lent_count > 0; }
  static Value places_of(const Cell& view);
  void check_not_lent(const char* write);
  void keep_lent_memory();
  Ref plain_ref();
  bool shares_in_numpy(const Op& op, const Attrs& attrs, const Dims& to);
  void become(Ref content);
  void read_base();
  void let_base_alone();
  Value places();                // of its elements, in the array that it shows or is
  bool follows_indices() const;  // which part it shows, recorded positions say
  bool is_in_pair() const;
  Cell* item_by_number(const IndexKey& key);
  void write_through(Ref content);
  void assign_to_view(const IndexSpec& spec, const std::vector<Ref>& indices, Ref update);

  Tape* tape_ = nullptr;
  uint32_t slot_ = 0;
  bool is_view_ = false;
  bool is_array_ = false;  // though it has no axes; all that has axes is one anyway
  bool blank_ = false;     // of a view: that of the array it shows
  bool unrecorded_ = false;
  uint64_t version_ = 0;
  Value value_;
  std::unique_ptr<CellInfo> info_;
};

inline CellPtr::CellPtr(const CellPtr& o) : cell_(o.cell_) {
  if (cell_) cell_->retain();
}
inline CellPtr::~CellPtr() {
  if (cell_) cell_->drop();
}

// The user's handle. Copies are the same Variable, as in Python.
class Variable {
 public:
  Variable(double value, std::string name = "")
      : cell_(Cell::leaf(Value(value), std::move(name))) {}
  explicit Variable(Value value, std::string name = "")
      : cell_(Cell::leaf(std::move(value), std::move(name))) {}
  explicit Variable(CellPtr cell) : cell_(std::move(cell)) {}
  static Variable from(Ref ref) { return Variable(CellPtr(Cell::from(std::move(ref)))); }

  Cell& cell() const { return *cell_; }
  const CellPtr& cell_ptr() const { return cell_; }
  Ref ref() const { return cell_->ref(); }
  Value value() const { return cell_->value(); }
  double item() const { return cell_->value().as_double(); }
  bool has_grad() const { return cell_->has_grad(); }
  Value grad() const { return cell_->grad(); }
  void set_value(Value v) { cell_->set_value(std::move(v)); }
  void backward() const;

 private:
  CellPtr cell_;
};

Variable operator+(const Variable& a, const Variable& b);
Variable operator-(const Variable& a, const Variable& b);
Variable operator*(const Variable& a, const Variable& b);
Variable operator/(const Variable& a, const Variable& b);
Variable operator-(const Variable& a);
Variable square(const Variable& a);
Variable exp(const Variable& a);
Variable log(const Variable& a);
Variable sin(const Variable& a);
Variable cos(const Variable& a);
Variable tanh(const Variable& a);
Variable sum(const Variable& a);
Variable mean(const Variable& a);

}  // namespace tapegrad
