#include "tapegrad/tape/op.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <ostream>
#include <string>
#include <unordered_map>

#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

struct Registry {
  std::deque<Op> ops;  // addresses stay
  std::unordered_map<std::string_view, const Op*> by_name;
  std::mutex mutex;
};

Registry& registry() {
  static Registry* r = new Registry;
  return *r;
}

}  // namespace

std::array<const Op*, 1 << 16> op_detail::by_id;

const Op& register_op(Op op) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  if (r.by_name.contains(op.name))
    throw_error<ValueError>("an op named '", op.name, "' is registered already");
  for (size_t i = 0; i < op.attrs.size(); ++i)
    if (op.attrs[i].key.index != i)
      throw_error<ValueError>(op.name, ": attribute '", op.attrs[i].key.name,
                              "' is declared at another place than its key says");
  op.id = static_cast<uint16_t>(r.ops.size());
  r.ops.push_back(std::move(op));
  const Op& stored = r.ops.back();
  op_detail::by_id[stored.id] = &stored;
  r.by_name.emplace(stored.name, &stored);
  return stored;
}

const Op* find_op(std::string_view name) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  const auto it = r.by_name.find(name);
  return it == r.by_name.end() ? nullptr : it->second;
}

int op_count() { return static_cast<int>(registry().ops.size()); }

Pattern Op::pattern() const {
  if (by_element) return Pattern::elementwise;
  if (key == KeyKind::arrays) return Pattern::by_index;
  if (elements == ElementKind::moved) return Pattern::moved;
  if (axes >= 0) return Pattern::slab;
  return Pattern::dense;
}

namespace {

AttrKinds kind_of(const Attr& attr) { return static_cast<AttrKinds>(1u << attr.index()); }

// What a kind takes besides itself: integers convert to numbers, bools to integers and back.
AttrKinds accepted(AttrKinds kinds) {
  if (kinds & attr_kind::real) kinds |= attr_kind::integer;
  if (kinds & (attr_kind::integer | attr_kind::flag)) kinds |= attr_kind::flag | attr_kind::integer;
  return kinds;
}

std::string kinds_text(AttrKinds kinds) {
  constexpr const char* names[] = {"None",     "a bool",   "an integer", "a number",
                                   "a string", "integers", "an object"};
  std::vector<const char*> found;
  for (size_t k = 0; k < std::size(names); ++k)
    if (kinds >> k & 1) found.push_back(names[k]);
  std::string text;
  for (size_t k = 0; k < found.size(); ++k)
    text += join_text(k == 0 ? "" : k + 1 == found.size() ? " or " : ", ", found[k]);
  return text;
}

void check_attr(const Op& op, const AttrDeclaration& declared, const Attr& attr) {
  if (kind_of(attr) & accepted(declared.kinds)) return;
  throw_error<TypeError>(op.name, ": attribute '", declared.key.name, "' must be ",
                         kinds_text(declared.kinds), ", got ", attr);
}

std::string attr_names(const Op& op) {
  std::string names;
  for (const AttrDeclaration& a : op.attrs)
    names += join_text(names.empty() ? "" : ", ", a.key.name);
  return names;
}

}  // namespace

void check_attrs(const Op& op, const Attrs& attrs) {
  if (attrs.size() > op.attrs.size())
    throw_error<TypeError>(op.name, ": takes ", op.attrs.size(), " attributes (", attr_names(op),
                           "), got ", attrs.size());
  for (size_t i = 0; i < op.attrs.size(); ++i) {
    if (i < attrs.size()) {
      check_attr(op, op.attrs[i], attrs[i]);
    } else if (!op.attrs[i].otherwise) {
      throw_error<TypeError>(op.name, ": attribute '", op.attrs[i].key.name, "' is missing");
    }
  }
}

Attrs named_attrs(const Op& op, std::span<const std::pair<std::string_view, Attr>> given) {
  std::vector<Attr> items;
  size_t used = 0;
  for (const AttrDeclaration& declared : op.attrs) {
    const auto at = std::find_if(given.begin(), given.end(),
                                 [&](const auto& item) { return item.first == declared.key.name; });
    if (at == given.end() && !declared.otherwise)
      throw_error<TypeError>(op.name, ": attribute '", declared.key.name, "' is missing");
    used += at != given.end();
    items.push_back(at == given.end() ? *declared.otherwise : at->second);
  }
  for (const auto& [name, attr] : given)
    if (used < given.size() &&
        std::none_of(
            op.attrs.begin(), op.attrs.end(), [&](const auto& a) { return name == a.key.name; }))
      throw_error<TypeError>(op.name, ": has no attribute '", name, "'; it has (", attr_names(op),
                             ")");
  Attrs attrs(std::move(items));
  check_attrs(op, attrs);
  return attrs;
}

void print_attrs(std::ostream& out, const Op& op, const Attrs& attrs) {
  out << '{';
  for (size_t i = 0; i < attrs.size(); ++i) {
    out << (i ? ", " : "");
    if (i < op.attrs.size()) out << op.attrs[i].key.name << '=';
    out << attrs[i];
  }
  out << '}';
}

}  // namespace tapegrad
