#include <algorithm>
#include <cstring>
#include <string_view>

#include "tapegrad/program/passes/local/local.h"

namespace tapegrad {
namespace {

// a + b and b + a are one.
bool commutes(uint16_t op) { return op == op_of_fn<Add>() || op == op_of_fn<Multiply>(); }

// A step is looked for among the steps that read the same value, the youngest of its inputs: near
// in memory, as a rule. What reads a value that many read is found by a hash instead.
class Sharing final : public LocalRule {
 public:
  ValueId replace(LocalPass& pass, const Application& a) override {
    const Program& p = pass.program();
    if (pass.calls_host(a.like.attrs)) return no_value;
    const Users& users = users_of(p, youngest_of(a));
    for (uint32_t k = users.first; k != none; k = next_[k])
      if (same(p, p.steps[k], a)) return pass.in_its_layout(p.steps[k].first_out);
    if (users.count < most_listed) return no_value;
    const uint32_t k = table_.find(hash_of(a), [&](uint32_t s) { return same(p, p.steps[s], a); });
    return k == none ? no_value : pass.in_its_layout(p.steps[k].first_out);
  }

  void written(LocalPass& pass, const Application& a) override {
    if (pass.calls_host(a.like.attrs)) return;
    const auto step = static_cast<uint32_t>(pass.program().steps.size() - 1);
    next_.resize(step + 1, none);
    Users& users = users_of(pass.program(), youngest_of(a));
    if (users.count == most_listed) {
      table_.insert(hash_of(a), step);
      return;
    }
    ++users.count;
    next_[step] = users.first;
    users.first = step;
  }

 private:
  static constexpr uint32_t none = FlatTable::none;
  static constexpr uint32_t most_listed = 8;
  struct Users {
    uint32_t first = none, count = 0;
  };

  Users& users_of(const Program& p, ValueId v) {
    if (v >= users_.size()) users_.resize(std::max<size_t>(p.values.capacity(), v + 1));
    return users_[v];
  }

  static ValueId youngest_of(const Application& a) {
    ValueId v = 0;
    for (ValueId in : a.in) v = std::max(v, in);
    return v;
  }

  static uint64_t hash_of(const Application& a) {
    uint64_t h = mix_hash(a.like.op, a.like.attrs);
    if (a.in.size() == 2 && commutes(a.like.op))
      return mix_hash(mix_hash(h, std::min(a.in[0], a.in[1])), std::max(a.in[0], a.in[1]));
    for (ValueId v : a.in) h = mix_hash(h, v);
    return mix_hash(h, a.in.size());
  }

  static bool same(const Program& p, const Program::Step& s, const Application& a) {
    if (s.op != a.like.op || s.attrs != a.like.attrs || s.held != a.like.held ||
        s.n_in != a.in.size() || s.n_out != a.out.size())
      return false;
    for (uint32_t j = 0; j < s.n_out; ++j)  // inference aside, a program may know better
      if (p.values[s.first_out + j].type != a.out[j]) return false;
    const std::span<const ValueId> in = p.in(s);
    return std::equal(in.begin(), in.end(), a.in.begin()) ||
           (in.size() == 2 && commutes(s.op) && in[0] == a.in[1] && in[1] == a.in[0]);
  }

  LongVector<Users> users_;    // by value
  LongVector<uint32_t> next_;  // by step
  FlatTable table_;
};

// Whether one element is all that there is in memory.
bool is_repeated(const Value& v) {
  return std::ranges::all_of(v.strides(), [](int64_t stride) { return stride == 0; });
}

}  // namespace

// Equal ones lie in memory alike: packed, or as one element.
std::vector<uint32_t> equal_constants(const Program& p) {
  constexpr size_t most_bytes = 1 << 16;  // longer ones are not worth a look at all of their bytes
  FlatTable known;
  std::vector<uint32_t> same(p.constants.size());
  for (uint32_t k = 0; k < p.constants.size(); ++k) {
    const Value& c = p.constants[k];
    same[k] = k;
    const bool is_one = !c.is_scalar() && !c.is_contiguous() && is_repeated(c);
    const size_t bytes = is_one ? item_size(c.dtype()) : c.byte_count();
    if (c.is_scalar() || !(c.is_contiguous() || is_one) || c.size() == 0 || bytes > most_bytes)
      continue;
    uint64_t h = mix_hash(static_cast<uint64_t>(c.dtype()), is_one ? 1 : 0);
    for (int64_t n : c.shape()) h = mix_hash(h, static_cast<uint64_t>(n));
    h = mix_hash(h, std::hash<std::string_view>()({static_cast<const char*>(c.raw()), bytes}));
    const uint32_t found = known.find(h, [&](uint32_t other) {
      const Value& o = p.constants[other];
      if (!is_one) return o.is_contiguous() && same_bits(o, c);
      return type_of(o) == type_of(c) && !o.is_contiguous() && is_repeated(o) &&
             std::memcmp(o.raw(), c.raw(), bytes) == 0;
    });
    if (found == FlatTable::none) {
      known.insert(h, k);
    } else {
      same[k] = found;
    }
  }
  return same;
}

std::unique_ptr<LocalRule> sharing_rule() { return std::make_unique<Sharing>(); }

Program share_common(const Program& p) {
  PassOptions only{.parts = false,
                   .fold = false,
                   .shared = true,
                   .algebra = false,
                   .views = false,
                   .fuse = false};
  return rewrite_locally(p, only);
}

}  // namespace tapegrad
