#include "tapegrad/tape/attrs.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <ostream>

#include "tapegrad/base/error.h"
#include "tapegrad/base/recycled.h"

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

Attrs::Shared* Attrs::Shared::of(std::span<Attr> items) {
  static_assert(sizeof(Shared) % alignof(Attr) == 0);
  if (items.empty()) return nullptr;
  void* const p = recycled::allocate(sizeof(Shared) + items.size_bytes());
  auto* const made = new (p) Shared{1, static_cast<uint32_t>(items.size()), 0};
  std::uninitialized_move(items.begin(), items.end(), made->items());
  return made;
}

void Attrs::Shared::destroy() {
  const size_t bytes = sizeof(Shared) + size * sizeof(Attr);
  std::destroy_n(items(), size);
  recycled::deallocate(this, bytes);
}

const Attr& Attrs::item(AttrKey key) const {
  if (key.index >= size())
    throw_error<TypeError>("attribute ", named(key), " is missing (", size(), " were given)");
  return (*this)[key];
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
  const std::span<const Attr> given = items();
  std::vector<Attr> changed(given.begin(), given.end());
  changed.at(key.index) = std::move(value);
  return Attrs(std::move(changed));
}

bool Attrs::calls_host() const {
  return std::ranges::any_of(items(), [](const Attr& a) {
    const auto* const object = std::get_if<AttrRef>(&a);
    return object != nullptr && (**object).calls_host();
  });
}

size_t Attrs::computed_hash() const {
  size_t h = size();
  const auto mix = [&h](size_t x) { h ^= x + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2); };
  for (const Attr& a : items()) {
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
  shared_->hash.store(h, std::memory_order_relaxed);
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
