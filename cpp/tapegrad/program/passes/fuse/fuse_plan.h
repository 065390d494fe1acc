// The plan says which steps become one kernel. Every elementwise step belongs to an index space,
// its result's shape, with a dtype to compute in. A kernel is the steps of one space and one
// *stage*: a number that does not fall along any path of the program, and rises wherever a path
// leaves a kernel. So kernels can't wait for one another in a circle, however they are made up:
//
//   - within a space a step's stage is at least that of its inputs;
//   - it is one more than that of a sum, or of an elementwise step of another space;
//   - any other step stands one stage after the kernels that it reads, and before those of its own
//     stage.
//
// Stages are as early as that allows. Then what is needed only at later stages of its own space
// moves there, so that the reverse part computes 1 - y * y beside its use instead of storing it.
#pragma once

#include <vector>

#include "tapegrad/program/passes/fuse/fuse_windows.h"

namespace tapegrad {

class FusePlan {
 public:
  explicit FusePlan(const Program& p);

  enum class Kind : uint8_t { other, lane, sum };
  static constexpr uint32_t none = ~uint32_t{0};

  struct Group {
    uint32_t space;  // a type with the space's shape
    DType dtype;
    uint32_t lanes = 0;             // instructions
    uint32_t first = 0, count = 0;  // into members
  };

  // These are by step.
  std::vector<Kind> kind;
  std::vector<uint32_t> group;  // none where kind is other
  std::vector<bool> copied;     // cheap: made again in each kernel that reads it
  // These are by value.
  std::vector<ValueId> source;  // what a kernel reads instead: it broadcasts and widens by itself
  std::vector<bool> live;
  std::vector<bool> stored;  // of elementwise steps: read from memory by someone

  std::optional<FuseWindows> windows;  // of the steps that are elementwise in this way

  std::vector<Group> groups;
  std::vector<uint32_t> members;  // steps, in order

  // What a step of a kernel reads where it stands; what it reads shifted is in memory.
  std::span<const ValueId> in(uint32_t step) const {
    if (const FuseWindows::Step* w = windows->at(step)) return w->plain;
    return p_.in(p_.steps[step]);
  }
  std::span<const ValueId> shifted(uint32_t step) const {
    if (const FuseWindows::Step* w = windows->at(step)) return w->shifted;
    return {};
  }
  // The elementwise step that makes v, or none.
  uint32_t lane_of(ValueId v) const {
    const Program::ValueInfo& info = p_.values[v];
    return info.source == Source::step && kind[info.index] == Kind::lane ? info.index : none;
  }

 private:
  struct Key {
    uint32_t space = none;
    DType dtype = DType::float64;
    friend bool operator==(const Key&, const Key&) = default;
  };

  void find_sources();
  void find_kinds();
  void find_live();
  void find_stages();
  void sink();
  void unsink();
  void find_copied();
  void make_groups();
  void find_stored();

  ValueId source_of(const Program::Step& s) const;
  DType lane_dtype(const Program::Step& s) const;

  const Program& p_;
  UniformConstants uniform_;
  std::vector<uint32_t> shape_of_type_;  // the first type with that shape
  std::vector<Key> key_;                 // by step
  std::vector<uint32_t> stage_;
  std::vector<uint32_t> early_;  // the stages before sink()
  std::vector<bool> pinned_;     // by step: its value is wanted in memory whatever the kernels
};

}  // namespace tapegrad
