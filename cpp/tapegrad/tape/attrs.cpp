#include "tapegrad/tape/attrs.h"

#include <functional>
#include <ostream>

#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

[[noreturn]] void wrong_type(size_t i, const char* wanted) {
  throw_error<TypeError>("attribute ", i, " must be ", wanted);
}

}  // namespace

const Attr& Attrs::item(size_t i) const {
  if (i >= size()) throw_error<TypeError>("attribute ", i, " is missing (", size(), " were given)");
  return (*items_)[i];
}

int64_t Attrs::integer(size_t i) const {
  const Attr& a = item(i);
  if (auto* v = std::get_if<int64_t>(&a)) return *v;
  if (auto* v = std::get_if<bool>(&a)) return *v;
  wrong_type(i, "an integer");
}

bool Attrs::flag(size_t i) const {
  const Attr& a = item(i);
  if (auto* v = std::get_if<bool>(&a)) return *v;
  if (auto* v = std::get_if<int64_t>(&a)) return *v != 0;
  wrong_type(i, "a bool");
}

double Attrs::real(size_t i) const {
  const Attr& a = item(i);
  if (auto* v = std::get_if<double>(&a)) return *v;
  if (auto* v = std::get_if<int64_t>(&a)) return static_cast<double>(*v);
  if (auto* v = std::get_if<bool>(&a)) return *v;
  wrong_type(i, "a number");
}

const std::string& Attrs::text(size_t i) const {
  if (auto* v = std::get_if<std::string>(&item(i))) return *v;
  wrong_type(i, "a string");
}

const std::vector<int64_t>& Attrs::integers(size_t i) const {
  if (auto* v = std::get_if<std::vector<int64_t>>(&item(i))) return *v;
  wrong_type(i, "a list of integers");
}

const std::shared_ptr<const AttrObject>& Attrs::object(size_t i) const {
  if (auto* v = std::get_if<AttrRef>(&item(i))) return v->pointer();
  wrong_type(i, "an object");
}

size_t Attrs::hash() const {
  size_t h = size();
  const auto mix = [&h](size_t x) { h ^= x + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2); };
  for (size_t i = 0; i < size(); ++i) {
    const Attr& a = (*items_)[i];
    mix(a.index());
    std::visit(
        [&](const auto& v) {
          using T = std::decay_t<decltype(v)>;
          if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
            for (int64_t x : v) mix(std::hash<int64_t>{}(x));
          } else if constexpr (std::is_same_v<T, AttrRef>) {
            mix((*v).hash());
          } else if constexpr (!std::is_same_v<T, std::monostate>) {
            mix(std::hash<T>{}(v));
          }
        },
        a);
  }
  return h;
}

std::ostream& operator<<(std::ostream& out, const Attrs& attrs) {
  out << '{';
  for (size_t i = 0; i < attrs.size(); ++i) {
    if (i) out << ", ";
    std::visit(
        [&](const auto& v) {
          using T = std::decay_t<decltype(v)>;
          if constexpr (std::is_same_v<T, std::monostate>) {
            out << "none";
          } else if constexpr (std::is_same_v<T, bool>) {
            out << (v ? "true" : "false");
          } else if constexpr (std::is_same_v<T, std::string>) {
            out << '\'' << v << '\'';
          } else if constexpr (std::is_same_v<T, std::vector<int64_t>>) {
            out << to_dims(v);
          } else if constexpr (std::is_same_v<T, AttrRef>) {
            (*v).print(out);
          } else {
            out << v;
          }
        },
        attrs[i]);
  }
  return out << '}';
}

}  // namespace tapegrad
