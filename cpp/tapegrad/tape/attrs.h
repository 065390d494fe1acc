#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tapegrad/base/shape.h"

namespace tapegrad {

// An attribute that is more than a few numbers, such as the function that a call applies: immutable
// data that can be compared and printed.
class AttrObject {
 public:
  virtual ~AttrObject() = default;
  virtual size_t hash() const = 0;
  virtual bool equals(const AttrObject& other) const = 0;
  virtual void print(std::ostream& out) const = 0;
  // Whether applying it runs code of the host language. That is called anew at each application, in
  // the program's order, on the thread that asked for it: nobody computes it ahead, shares its
  // results or hands it to another thread.
  virtual bool calls_host() const { return false; }
};

// Equal where the objects are.
class AttrRef {
 public:
  AttrRef(std::shared_ptr<const AttrObject> object) : object_(std::move(object)) {}
  const AttrObject& operator*() const { return *object_; }
  const std::shared_ptr<const AttrObject>& pointer() const { return object_; }
  friend bool operator==(const AttrRef& a, const AttrRef& b) {
    return a.object_ == b.object_ || a.object_->equals(*b.object_);
  }

 private:
  std::shared_ptr<const AttrObject> object_;  // never null
};

// One attribute of an op: plain data. monostate is Python's None.
using Attr =
    std::variant<std::monostate, bool, int64_t, double, std::string, std::vector<int64_t>, AttrRef>;

// The place of an attribute among those of its op, and its name. Access goes by the place, errors
// and printing by the name. Each family of ops keeps its keys in a namespace of its own.
struct AttrKey {
  constexpr AttrKey(size_t i, const char* attr_name = nullptr) : index(i), name(attr_name) {}
  size_t index;
  const char* name;  // null where the caller knows the place alone
};

// Which kinds of data an attribute may hold.
using AttrKinds = uint8_t;
namespace attr_kind {
inline constexpr AttrKinds none = 1, flag = 2, integer = 4, real = 8, text = 16, integers = 32,
                           object = 64;
inline constexpr AttrKinds axis = integer;
inline constexpr AttrKinds axes = none | integer | integers;  // None names all of them
inline constexpr AttrKinds list = integer | integers;         // one integer, or several
}  // namespace attr_kind

// What an op says of one of its attributes. What has a default may be left out at the end.
struct AttrDeclaration {
  AttrKey key;
  AttrKinds kinds;
  std::optional<Attr> otherwise{};
};

// The attributes of an op's application, in the order in which the op declares them. Copies share
// them: a node, a view and whoever applied the op hold the same.
class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<Attr> items) : Attrs(std::vector<Attr>(items)) {}
  explicit Attrs(std::vector<Attr> items) : Attrs(std::span<Attr>(items)) {}
  explicit Attrs(std::span<Attr> items) : shared_(Shared::of(items)) {}  // takes what they hold
  Attrs(const Attrs& o) : shared_(o.shared_) {
    if (shared_) shared_->refs.fetch_add(1, std::memory_order_relaxed);
  }
  Attrs(Attrs&& o) noexcept : shared_(std::exchange(o.shared_, nullptr)) {}
  Attrs& operator=(Attrs o) noexcept {
    std::swap(shared_, o.shared_);
    return *this;
  }
  ~Attrs() {
    if (shared_ && shared_->drop()) shared_->destroy();
  }

  size_t size() const { return shared_ ? shared_->size : 0; }
  bool empty() const { return shared_ == nullptr; }
  const Attr& operator[](AttrKey key) const { return shared_->items()[key.index]; }
  bool is_none(AttrKey key) const { return key.index >= size() || (*this)[key].index() == 0; }
  // Throw TypeError where the attribute has another type. Ints convert to double, bools to int.
  int64_t integer(AttrKey key) const;
  bool flag(AttrKey key) const;
  double real(AttrKey key) const;
  const std::string& text(AttrKey key) const;
  const std::vector<int64_t>& integers(AttrKey key) const;
  const std::shared_ptr<const AttrObject>& object(AttrKey key) const;
  // What an attribute that may be left out says, or `otherwise`.
  bool flag_or(AttrKey key, bool otherwise) const { return is_none(key) ? otherwise : flag(key); }
  int64_t integer_or(AttrKey key, int64_t otherwise) const {
    return is_none(key) ? otherwise : integer(key);
  }
  // The same with another value at one place.
  Attrs with(AttrKey key, Attr value) const;

  // Whether an application with these runs code of the host language (AttrObject::calls_host).
  bool calls_host() const;

  size_t hash() const {
    if (!shared_) return 0;
    const size_t known = shared_->hash.load(std::memory_order_relaxed);
    return known != 0 ? known : computed_hash();
  }
  friend bool operator==(const Attrs& a, const Attrs& b) {
    return a.shared_ == b.shared_ || std::ranges::equal(a.items(), b.items());
  }

 private:
  // In front of the attributes, in one block of memory.
  struct Shared {
    std::atomic<uint32_t> refs;
    uint32_t size;
    std::atomic<size_t> hash;  // 0 until somebody asked for it

    static Shared* of(std::span<Attr> items);  // null where there are none
    bool drop() {                              // whether nobody is left
      return refs.load(std::memory_order_acquire) == 1 ||
             refs.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }
    void destroy();
    Attr* items() { return reinterpret_cast<Attr*>(this + 1); }
  };

  size_t computed_hash() const;
  const Attr& item(AttrKey key) const;
  std::span<const Attr> items() const { return {shared_ ? shared_->items() : nullptr, size()}; }

  Shared* shared_ = nullptr;
};

inline std::vector<int64_t> to_vector(const Dims& dims) { return {dims.begin(), dims.end()}; }
inline Dims to_dims(const std::vector<int64_t>& v) { return Dims(v.data(), v.size()); }

std::ostream& operator<<(std::ostream& out, const Attr& attr);
std::ostream& operator<<(std::ostream& out, const Attrs& attrs);  // without their names

}  // namespace tapegrad
