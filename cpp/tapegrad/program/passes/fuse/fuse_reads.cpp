#include "tapegrad/program/passes/fuse/fuse_reads.h"

#include <algorithm>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/tape/op.h"

namespace tapegrad {
namespace {

constexpr int most_depth = 24;
constexpr double cheap_ns = 0.12;  // what an instruction takes that is no function call

Dims aligned(const Dims& shape, size_t ndim) {
  Dims d(ndim - shape.size(), 1);
  for (int64_t n : shape) d.push_back(n);
  return d;
}

// A value of `shape` broadcasts from `start` as an operand of the space does.
bool is_operand(const Dims& shape, const Dims& start, const Dims& space) {
  for (size_t i = 0; i < space.size(); ++i)
    if (shape[i] != 1 && !(shape[i] == space[i] && start[i] == 0)) return false;
  return true;
}

// Says where an array of `shape` lies in the space; false where its elements are neither counted
// alike nor lie within.
bool can_shift(const Dims& shape, const Dims& start, const Dims& space, FuseReads::Read& read) {
  if (shape.size() != space.size()) return false;
  const Dims strides = contiguous_strides(space);
  for (size_t i = 0; i < strides.size(); ++i) read.offset += start[i] * strides[i];
  if (std::equal(shape.begin() + 1, shape.end(), space.begin() + 1)) return true;
  for (size_t i = 0; i < strides.size(); ++i)
    if (start[i] < 0 || start[i] + shape[i] > space[i]) return false;
  read.box = window_of_box(space, start, shape);
  return true;
}

}  // namespace

FuseReads::FuseReads(const Program& p, const std::vector<ValueId>& source)
    : p_(p), source_(source) {
  find_stored();
}

const Program::Step* FuseReads::elementwise(ValueId v) const {
  if (p_.values[v].source != Source::step) return nullptr;
  const Program::Step& s = p_.steps[p_.values[v].index];
  return s.kernel < 0 && s.n_out == 1 && is_elementwise(s.op) ? &s : nullptr;
}

void FuseReads::find_stored() {
  // Kernels sum, broadcast, and take or place boxes themselves.
  const auto reads_memory = [](const Program::Step& s) {
    if (s.kernel >= 0) return true;
    const Op& op = op_by_id(s.op);
    return !(op.scalar_fn >= 0 || op.adds_up() || op.view == ViewKind::broadcast ||
             op.key == KeyKind::basic || op.frame != FrameKind::none ||
             op.join == JoinKind::concatenate || op.join == JoinKind::split);
  };
  stored_.assign(p_.values.size(), false);
  readers_.assign(p_.values.size(), 0);
  writers_.assign(p_.values.size(), 0);
  for (const Program::Step& s : p_.steps) {
    const bool from_memory = reads_memory(s);
    for (ValueId v : p_.in(s)) {
      readers_[source_[v]] += s.n_out;
      if (from_memory) stored_[source_[v]] = true;
    }
    if (s.kernel < 0 && writes_box(op_by_id(s.op))) ++writers_[source_[p_.in(s)[1]]];
  }
  for (ValueId v : p_.outputs) stored_[source_[v]] = true;
  for (const Program::Guard& g : p_.guards) stored_[source_[g.value]] = true;
}

uint32_t FuseReads::find(const Space& space, ValueId v, const Box& box, double most_ns, int depth) {
  v = source_[v];
  const Dims& own = p_.type_of(v).shape;
  if (own.size() > space.shape.size()) return none;
  const Dims shape = aligned(own, space.shape.size());
  const auto note = [&](const Read& read, const Place& place) {
    reads_.push_back(read);
    places_.push_back(place);
    return static_cast<uint32_t>(reads_.size() - 1);
  };
  Place place{v, space.type, box.start};
  uint64_t hash = mix_hash(v, space.type);
  for (int64_t i : box.start) hash = mix_hash(hash, static_cast<uint64_t>(i));
  const bool whole = shape == box.length;
  if (whole) {
    const uint32_t known = known_.find(hash, [&](uint32_t r) { return places_[r] == place; });
    if (known != none) return known;
  }
  if (uniform_.at(p_, v)) return note({How::plain, v, 0, {}, {}}, place);
  uint32_t r = none;
  if (const auto behind = whole ? behind_view(v, place) : std::nullopt)
    r = find(space, behind->value, {behind->start, p_.type_of(behind->value).shape}, most_ns,
             depth + 1);
  if (r == none && is_operand(shape, box.start, space.shape))
    r = note({How::plain, v, 0, {}, {}}, place);
  if (!whole || r != none) return r;
  // What goes to many places is computed for all of them, or stored once.
  most_ns /= std::max<uint32_t>(writers_[v], 1);
  Read from_memory{How::shifted, v, 0, {}, {}};
  const bool can = can_shift(own, box.start, space.shape, from_memory);
  if (const uint32_t made = again(space, v, box, most_ns, depth);
      made != none && !is_dear(made, most_ns, can))
    r = made;
  if (r == none && can) r = note(from_memory, place);
  if (r != none) known_.insert(hash, r);
  return r;
}

// What v is a part of, and where that lies.
std::optional<FuseReads::Place> FuseReads::behind_view(ValueId v, const Place& at) const {
  if (p_.values[v].source != Source::step) return std::nullopt;
  const Program::Step& s = p_.steps[p_.values[v].index];
  if (s.kernel >= 0) return std::nullopt;
  const Op& op = op_by_id(s.op);
  const ValueId from = p_.in(s).empty() ? v : p_.in(s)[0];
  const Dims& shape = p_.type_of(from).shape;
  if (shape.size() != at.start.size()) return std::nullopt;
  Place place{from, at.space, at.start};
  if (op.key == KeyKind::basic && op.update == UpdateKind::none) {
    const auto box = box_of_code(p_.attrs_of(s).integers(index_attrs::code), shape);
    if (!box) return std::nullopt;
    for (size_t i = 0; i < shape.size(); ++i) place.start[i] -= box->start[i];
  } else if (op.frame == FrameKind::crops) {
    for (size_t i = 0; i < shape.size(); ++i)
      place.start[i] -= p_.attrs_of(s).integers(crop_attrs::starts)[i];
  } else if (op.join == JoinKind::split) {
    const uint32_t part = v - s.first_out;
    const auto axis = static_cast<size_t>(
        normalize_axis(p_.attrs_of(s).integer(join_attrs::axis), shape.ndim(), "split"));
    const int64_t cut = part == 0 ? 0 : p_.attrs_of(s).integers(join_attrs::cuts)[part - 1];
    if (cut < 0) return std::nullopt;
    place.start[axis] -= std::min(cut, shape[axis]);
  } else {
    return std::nullopt;
  }
  return place;
}

// Comparisons are made in the dtype of what they compare, which has to be that of the kernel.
bool FuseReads::computes_in(const Program::Step& s, DType dtype) const {
  const DType out = p_.type_of(s.first_out).dtype;
  if (!is_bool(out)) return out == dtype;
  bool compares = false;
  for (ValueId v : p_.in(s)) {
    const DType d = p_.type_of(v).dtype;
    if (!is_bool(d) && d != dtype) return false;
    compares = compares || d == dtype;
  }
  return compares;
}

uint32_t FuseReads::again(const Space& space, ValueId v, const Box& box, double most_ns,
                          int depth) {
  const Program::Step* s = elementwise(v);
  if (!s || stored_[v] || depth >= most_depth || !computes_in(*s, space.dtype)) return none;
  Read read{How::computed, v, 0, {}, {}};
  for (size_t i = 0; i < s->n_in; ++i) {
    read.args[i] = find(space, p_.in(*s)[i], box, most_ns, depth + 1);
    if (read.args[i] == none) return none;
  }
  reads_.push_back(read);
  places_.push_back({v, space.type, box.start});
  return static_cast<uint32_t>(reads_.size() - 1);
}

double FuseReads::computing_ns(uint32_t r) const {
  double ns = 0;
  visit(r, [&](const Read& read) {
    if (read.how != How::computed) return;
    const double each = scalar_fn_info(static_cast<ScalarFn>(elementwise(read.value)->op)).ns;
    ns += each < 1 ? cheap_ns : each;
  });
  return ns;
}

// Whether r takes more than it should, or has another array stored where it could be stored itself:
// one that nobody else reads, or several.
bool FuseReads::is_dear(uint32_t r, double most_ns, bool has_other_way) const {
  uint32_t cost = 0;
  std::vector<ValueId> fresh;
  visit(r, [&](const Read& read) {
    const ValueId v = read.value;
    if (read.how == How::shifted && p_.values[v].source == Source::step && !stored_[v] &&
        std::ranges::find(fresh, v) == fresh.end()) {
      fresh.push_back(v);
      cost += readers_[v] > 1 ? 1 : 2;
    }
  });
  const double ns = computing_ns(r);
  return has_other_way ? ns > most_ns || cost > 1 : ns > 4 * most_ns;
}

}  // namespace tapegrad
