#include "tapegrad/tape/op.h"

#include <deque>
#include <mutex>
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

const Op& register_op(Op op) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  if (r.by_name.contains(op.name))
    throw_error<ValueError>("an op named '", op.name, "' is registered already");
  op.id = static_cast<uint16_t>(r.ops.size());
  r.ops.push_back(std::move(op));
  const Op& stored = r.ops.back();
  r.by_name.emplace(stored.name, &stored);
  return stored;
}

const Op* find_op(std::string_view name) {
  Registry& r = registry();
  std::lock_guard lock(r.mutex);
  const auto it = r.by_name.find(name);
  return it == r.by_name.end() ? nullptr : it->second;
}

void set_lanes(std::string_view name, std::vector<Ref> (*lanes)(const LanesCall& call)) {
  const Op* op = find_op(name);
  if (op == nullptr) throw_error<ValueError>("there is no operation named '", name, "'");
  const_cast<Op*>(op)->lanes = lanes;
}

const Op& op_by_id(uint16_t id) { return registry().ops[id]; }

int op_count() { return static_cast<int>(registry().ops.size()); }

}  // namespace tapegrad
