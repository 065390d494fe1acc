#pragma once

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string>
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

// The attributes of an op's application, in the order that the op documents. Copies share them: a
// node, a view and whoever applied the op hold the same.
class Attrs {
 public:
  Attrs() = default;
  Attrs(std::initializer_list<Attr> items) : Attrs(std::vector<Attr>(items)) {}
  explicit Attrs(std::vector<Attr> items) {
    if (!items.empty()) items_ = std::make_shared<const std::vector<Attr>>(std::move(items));
  }

  size_t size() const { return items_ ? items_->size() : 0; }
  bool empty() const { return items_ == nullptr; }
  const Attr& operator[](size_t i) const { return (*items_)[i]; }
  bool is_none(size_t i) const { return i >= size() || (*items_)[i].index() == 0; }
  // Throw TypeError where the attribute has another type. Ints convert to double, bools to int.
  int64_t integer(size_t i) const;
  bool flag(size_t i) const;
  double real(size_t i) const;
  const std::string& text(size_t i) const;
  const std::vector<int64_t>& integers(size_t i) const;
  const std::shared_ptr<const AttrObject>& object(size_t i) const;

  size_t hash() const;
  friend bool operator==(const Attrs& a, const Attrs& b) {
    return a.items_ == b.items_ || (a.items_ && b.items_ && *a.items_ == *b.items_);
  }

 private:
  const Attr& item(size_t i) const;

  std::shared_ptr<const std::vector<Attr>> items_;  // null where there are none
};

inline std::vector<int64_t> to_vector(const Dims& dims) { return {dims.begin(), dims.end()}; }
inline Dims to_dims(const std::vector<int64_t>& v) { return Dims(v.data(), v.size()); }

std::ostream& operator<<(std::ostream& out, const Attrs& attrs);

}  // namespace tapegrad
