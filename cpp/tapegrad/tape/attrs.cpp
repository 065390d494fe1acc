#include "tapegrad/tape/attrs.h"

#include <functional>
#include <ostream>

#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

// 'axis', or the place of an attribute whose name is not known here.
std::string named(AttrKey key) {
  return key.name ? join_text('\'', key.name, '\'') : join_text(key.index);
}

[[noreturn]] void wrong_type(AttrKey key, const char* wanted) {
  throw_error<TypeError>("attribute ", named(key), " must be ", wanted);
}

}  // namespace

const Attr& Attrs::item(AttrKey key) const {
  if (key.index >= size())
    throw_error<TypeError>("attribute ", named(key), " is missing (", size(), " were given)");
  return (*items_)[key.index];
}

int64_t Attrs::integer(AttrKey key) const {
  const Attr& a = item(key);
  if (auto* v = std::get_if<int64_t>(&a)) return *v;
  if (auto* v = std::get_if<bool>(&a)) return *v;
  wrong_type(key, "an integer");
}

bool Attrs::flag(AttrKey key) const {
  const Attr& a = item(key);
  if (auto* v = std::get_if<bool>(&a)) return *v;
  if (auto* v = std::get_if<int64_t>(&a)) return *v != 0;
  wrong_type(key, "a bool");
}

double Attrs::real(AttrKey key) const {
  const Attr& a = item(key);
  if (auto* v = std::get_if<double>(&a)) return *v;
  if (auto* v = std::get_if<int64_t>(&a)) return static_cast<double>(*v);
  if (auto* v = std::get_if<bool>(&a)) return *v;
  wrong_type(key, "a number");
}

const std::string& Attrs::text(AttrKey key) const {
  if (auto* v = std::get_if<std::string>(&item(key))) return *v;
  wrong_type(key, "a string");
}

const std::vector<int64_t>& Attrs::integers(AttrKey key) const {
  if (auto* v = std::get_if<std::vector<int64_t>>(&item(key))) return *v;
  wrong_type(key, "a list of integers");
}

const std::shared_ptr<const AttrObject>& Attrs::object(AttrKey key) const {
  if (auto* v = std::get_if<AttrRef>(&item(key))) return v->pointer();
  wrong_type(key, "an object");
}

Attrs Attrs::with(AttrKey key, Attr value) const {
  std::vector<Attr> items = items_ ? *items_ : std::vector<Attr>();
  items.at(key.index) = std::move(value);
  return Attrs(std::move(items));
}

bool Attrs::calls_host() const {
  for (size_t i = 0; i < size(); ++i)
    if (const auto* object = std::get_if<AttrRef>(&(*items_)[i]); object && (**object).calls_host())
      return true;
  return false;
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

std::ostream& operator<<(std::ostream& out, const Attr& attr) {
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
      attr);
  return out;
}

std::ostream& operator<<(std::ostream& out, const Attrs& attrs) {
  out << '{';
  for (size_t i = 0; i < attrs.size(); ++i) out << (i ? ", " : "") << attrs[i];
  return out << '}';
}

}  // namespace tapegrad
