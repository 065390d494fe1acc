#include "tapegrad/program/captured_views.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/program/writer.h"

// Views of one block with the same strides are parts of one array, their cover, which has an axis
// for each stride. An axis of length 1 has no stride that says anything: it is made by the key.
// Where all views begin at multiples of a distance that none of them reaches across (rows, batches
// that follow one another), that is the stride of an axis in front, in which each has one position;
// where they begin between two elements of the finest axis (columns), there is one behind.

namespace tapegrad {
namespace {

constexpr size_t least_views = 8;

using Strides = std::vector<int64_t>;

struct Axis {
  int64_t stride = 0;
  int64_t length = 1;  // of the cover
  bool is_of_views = false;
};

// From the outermost axis in, without those of length 1; nothing for views that are broadcast,
// reversed or transposed.
std::optional<Strides> strides_of(const Value& v) {
  Strides found;
  for (size_t k = 0; k < v.shape().size(); ++k) {
    if (v.shape()[k] == 1) continue;
    const int64_t stride = v.strides()[k];
    if (stride <= 0 || (!found.empty() && stride >= found.back())) return std::nullopt;
    found.push_back(stride);
  }
  return found;
}

class Cover {
 public:
  // `views` have the same strides.
  Cover(std::span<const Value* const> views, const Strides& strides, const MemoryBlock& block) {
    const auto at = [](const Value* v) { return static_cast<const char*>(v->raw()); };
    const Value* first = *std::ranges::min_element(views, {}, at);
    const auto item = static_cast<int64_t>(item_size(first->dtype()));
    int64_t distance = 0, longest = 1;
    for (const Value* v : views) {
      if ((at(v) - at(first)) % item != 0) return;
      offsets_.push_back((at(v) - at(first)) / item);
      distance = std::gcd(distance, offsets_.back());
      if (!strides.empty()) longest = std::max(longest, outermost_length(*v));
    }
    const bool are_apart =
        strides.empty() || (distance % strides[0] == 0 && distance >= strides[0] * longest);
    int64_t before = 0;  // of the first view, in the cover
    if (distance > 0 && are_apart) {
      axes_.push_back({distance, 1, false});
    } else if (strides.size() > 1 && (at(first) - block.begin) % item == 0) {
      before = (at(first) - block.begin) / item;  // parts of several axes are seen from there
      for (int64_t& offset : offsets_) offset += before;
    }
    for (int64_t stride : strides) axes_.push_back({stride, 1, true});
    if (axes_.empty()) return;
    set_finest();
    set_lengths(views);
    Dims shape, steps;
    int64_t last = 0;
    for (const Axis& a : axes_) {
      shape.push_back(a.length);
      steps.push_back(a.stride);
      last += a.stride * (a.length - 1);
    }
    fits_ = at(first) + (last + 1 - before) * item <= block.end;
    if (fits_) array_ = first->view(shape, steps, -before);
  }

  bool fits() const { return fits_; }
  const Value& array() const { return array_; }

  // What number `k` of the views takes of it.
  IndexSpec key_of(const Value& view, size_t k) const {
    IndexSpec key;
    size_t axis = 0;
    int64_t rest = offsets_[k];
    const auto next = [&] {
      const int64_t stride = axes_[axis++].stride, start = rest / stride;
      rest %= stride;
      return start;
    };
    if (!axes_[0].is_of_views) key.at(next());
    for (int64_t d : view.shape()) {
      if (d == 1) {
        key.newaxis();
      } else {
        key.range(next(), 1, d);
      }
    }
    if (axis < axes_.size()) key.at(next());
    return key;
  }

 private:
  static int64_t outermost_length(const Value& v) {
    const Dims shape = v.shape();
    return *std::ranges::find_if(shape, [](int64_t d) { return d != 1; });
  }

  void set_finest() {
    int64_t finest = 0;
    for (int64_t rest : offsets_) {
      for (const Axis& a : axes_) rest %= a.stride;
      finest = std::gcd(finest, rest);
    }
    if (finest > 0) axes_.push_back({finest, 1, false});
  }

  void set_lengths(std::span<const Value* const> views) {
    for (size_t k = 0; k < views.size(); ++k) {
      int64_t rest = offsets_[k];
      size_t own = 0;
      const Dims shape = views[k]->shape();
      for (Axis& a : axes_) {
        int64_t length = 1;
        if (a.is_of_views) {
          while (shape[own] == 1) ++own;
          length = shape[own++];
        }
        a.length = std::max(a.length, rest / a.stride + length);
        rest %= a.stride;
      }
    }
  }

  std::vector<int64_t> offsets_;  // by view, in elements of the cover's block
  std::vector<Axis> axes_;
  bool fits_ = false;
  Value array_;
};

// What stands in place of a capture.
struct Part {
  size_t cover;
  IndexSpec key;
};

class Joining {
 public:
  Joining(const Program& p, std::span<const Capture> captures, std::span<const MemoryBlock> blocks)
      : p_(p), captures_(captures), parts_(captures.size()) {
    std::map<std::tuple<const void*, DType, Strides>, std::vector<size_t>> groups;
    for (size_t k = 0; k < std::min(captures.size(), blocks.size()); ++k) {
      const Value& v = captures[k].array;
      if (blocks[k].id == nullptr || v.buffer() == nullptr || v.size() == 0) continue;
      if (const std::optional<Strides> strides = strides_of(v))
        groups[{blocks[k].id, v.dtype(), *strides}].push_back(k);
    }
    for (const auto& [of, members] : groups)
      if (members.size() >= least_views) join(members, std::get<Strides>(of), blocks);
  }

  bool any() const { return !covers_.empty(); }

  JoinedViews run() {
    std::vector<ValueId> now(p_.values.size(), none);
    for (ValueId v : p_.inputs) now[v] = to_.input(p_.type_of(v));
    std::vector<size_t> kept;
    for (size_t k = 0; k < p_.captures.size(); ++k) {
      if (parts_[k]) continue;
      now[p_.captures[k]] = to_.capture(p_.type_of(p_.captures[k]));
      kept.push_back(k);
    }
    std::vector<ValueId> covers;
    for (const Value& cover : covers_) covers.push_back(to_.capture(type_of(cover)));
    const auto at = [&](ValueId v) {
      if (now[v] != none) return now[v];
      const Program::ValueInfo& info = p_.values[v];
      if (info.source == Source::constant) return now[v] = to_.constant(p_.constant_of(v));
      const Part& part = *parts_[info.index];
      const TensorType& type = p_.type_of(v);
      return now[v] = to_.step(slice_op(), part.key.attrs(), {&covers[part.cover], 1}, {&type, 1});
    };
    for (const Program::Step& s : p_.steps) {
      std::vector<ValueId> in;
      for (ValueId v : p_.in(s)) in.push_back(at(v));
      std::vector<TensorType> out;
      for (uint32_t j = 0; j < s.n_out; ++j) out.push_back(p_.type_of(s.first_out + j));
      to_.at_line(p_.line_of(s));
      const ValueId first = to_.step(op_by_id(s.op), p_.attrs_of(s), in, out, s.held);
      for (uint32_t j = 0; j < s.n_out; ++j) now[s.first_out + j] = first + j;
    }
    to_.at_line("");
    for (const Program::Guard& g : p_.guards) to_.guard(at(g.value), g.expected, g.where);
    for (ValueId v : p_.outputs) to_.output(at(v));
    return {std::move(to_).finish(), std::move(kept), std::move(covers_)};
  }

 private:
  static constexpr ValueId none = ~ValueId{0};

  void join(const std::vector<size_t>& members, const Strides& strides,
            std::span<const MemoryBlock> blocks) {
    std::vector<const Value*> views;
    for (size_t k : members) views.push_back(&captures_[k].array);
    const Cover cover(views, strides, blocks[members[0]]);
    if (!cover.fits()) return;
    for (size_t i = 0; i < members.size(); ++i)
      parts_[members[i]] = Part{covers_.size(), cover.key_of(*views[i], i)};
    covers_.push_back(cover.array());
  }

  const Program& p_;
  const std::span<const Capture> captures_;
  std::vector<std::optional<Part>> parts_;  // by capture
  std::vector<Value> covers_;
  ProgramWriter to_;
};

}  // namespace

std::optional<JoinedViews> join_captured_views(const Program& p, std::span<const Capture> captures,
                                               std::span<const MemoryBlock> blocks) {
  if (blocks.size() < least_views) return std::nullopt;
  Joining joining(p, captures, blocks);
  if (!joining.any()) return std::nullopt;
  return joining.run();
}

}  // namespace tapegrad
