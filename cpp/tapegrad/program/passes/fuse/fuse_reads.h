// How a kernel over a space comes to a value that stands in a box of it: as it comes to any
// operand, from memory at an offset, or by computing it again there. A slice of x is x, shifted, so
// that what was computed of slices is computed of shifted arrays; beside the box it is any number.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/program/passes/local/local.h"

namespace tapegrad {

// base[key] += x or base[key] = x, where the key means a box or single elements.
inline bool writes_box(const Op& op) {
  return op.key == KeyKind::basic && op.update != UpdateKind::none;
}

class FuseReads {
 public:
  static constexpr uint32_t none = ~uint32_t{0};
  enum class How : uint8_t { plain, shifted, computed };
  struct Read {
    How how;
    ValueId value;
    int64_t offset;                // shifted
    LaneWindow box;                // and where it is, if it is narrower than the space
    std::array<uint32_t, 3> args;  // computed: reads
  };
  struct Space {
    uint32_t type;
    Dims shape;
    DType dtype;
  };

  // `source`: what a kernel reads instead of a value.
  FuseReads(const Program& p, const std::vector<ValueId>& source);

  // v, broadcast to `length`, at `box.start`; `none` where there is no way. What would cost more
  // than `most_ns` is read from memory.
  uint32_t find(const Space& space, ValueId v, const Box& box, double most_ns, int depth = 0);

  const Read& operator[](uint32_t r) const { return reads_[r]; }
  size_t size() const { return reads_.size(); }
  // Calls f(read) for r and what it is computed of, each once.
  template <class F>
  void visit(uint32_t r, F&& f) const {
    std::vector<uint32_t> open{r};
    for (size_t k = 0; k < open.size(); ++k) {
      const Read& read = reads_[open[k]];
      f(read);
      if (read.how != How::computed) continue;
      for (size_t i = 0; i < arity(read); ++i)
        if (std::ranges::find(open, read.args[i]) == open.end()) open.push_back(read.args[i]);
    }
  }
  double computing_ns(uint32_t r) const;
  size_t arity(const Read& r) const { return p_.steps[p_.values[r.value].index].n_in; }
  // The elementwise step that makes v, or null.
  const Program::Step* elementwise(ValueId v) const;

 private:
  struct Place {
    ValueId value;
    uint32_t space;
    Dims start;
    friend bool operator==(const Place&, const Place&) = default;
  };

  void find_stored();
  std::optional<Place> behind_view(ValueId v, const Place& at) const;
  uint32_t again(const Space& space, ValueId v, const Box& box, double most_ns, int depth);
  bool is_dear(uint32_t r, double most_ns, bool has_other_way) const;
  bool computes_in(const Program::Step& s, DType dtype) const;

  const Program& p_;
  const std::vector<ValueId>& source_;
  UniformConstants uniform_;
  std::vector<bool> stored_;                 // by value: in memory whatever kernels there are
  std::vector<uint32_t> readers_, writers_;  // by value: who reads it, who into a box
  std::vector<Read> reads_;
  std::vector<Place> places_;  // of the reads
  FlatTable known_;
};

}  // namespace tapegrad
