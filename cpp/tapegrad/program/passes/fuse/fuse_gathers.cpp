#include "tapegrad/program/passes/fuse/fuse_gathers.h"

#include "tapegrad/program/passes/fuse/gathers.h"

namespace tapegrad {
namespace {

constexpr uint32_t none = FusePlan::none, several = none - 1;

// The one kernel that reads each value, or none, or several readers. What a kernel computes counts
// for the kernel where that happens: where it is stored, or, if it is cheap, where it is read.
std::vector<uint32_t> find_readers(const Program& p, const FusePlan& plan) {
  std::vector<uint32_t> reader(p.values.size(), none);
  const auto add = [&](ValueId v, uint32_t group) {
    reader[v] = reader[v] == none || reader[v] == group ? group : several;
  };
  const auto read_from_memory = [&](ValueId v) {
    if (plan.lane_of(v) == none) add(v, several);  // what a kernel makes is stored by its own
  };
  for (ValueId v : p.outputs) read_from_memory(v);
  for (const Program::Guard& g : p.guards) read_from_memory(g.value);
  for (uint32_t i = static_cast<uint32_t>(p.steps.size()); i-- > 0;) {
    const Program::Step& s = p.steps[i];
    if (plan.kind[i] == FusePlan::Kind::other) {
      bool live = false;
      for (uint32_t j = 0; j < s.n_out; ++j) live |= plan.live[s.first_out + j];
      if (live)
        for (ValueId v : p.in(s)) read_from_memory(v);
      continue;
    }
    const bool is_lane = plan.kind[i] == FusePlan::Kind::lane;
    const uint32_t own = plan.group[i];
    if (is_lane && own != none && plan.stored[s.first_out]) add(s.first_out, own);
    const uint32_t at = is_lane ? reader[s.first_out] : own;
    if (own == none || at == none) continue;  // nobody needs it
    for (ValueId v : plan.shifted(i)) read_from_memory(v);
    for (ValueId v : plan.in(i)) {
      const ValueId from = plan.source[v];
      const uint32_t lane = plan.lane_of(from);
      const bool is_made_elsewhere = lane != none && at != several && plan.group[lane] != at &&
                                     (plan.stored[from] || !plan.copied[lane]);
      if (!is_made_elsewhere) add(from, at);
    }
  }
  return reader;
}

}  // namespace

FusedGathers::FusedGathers(const Program& p, const FusePlan& plan)
    : p_(p), axis_(p.steps.size(), -1) {
  std::vector<uint32_t> reader;
  for (uint32_t i = 0; i < p.steps.size(); ++i) {
    const int axis = taken_axis(p, p.steps[i]);
    if (axis < 0) continue;
    if (reader.empty()) reader = find_readers(p, plan);
    const ValueId v = p.steps[i].first_out;
    if (reader[v] == none || reader[v] == several) continue;
    const FusePlan::Group& group = plan.groups[reader[v]];
    const TensorType& type = p.type_of(v);
    if (type.dtype == group.dtype &&
        element_count(type.shape) == element_count(p.types[group.space].shape))
      axis_[i] = axis;
  }
}

}  // namespace tapegrad
