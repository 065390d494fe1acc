#include "tapegrad/program/passes/roll/find/roll_lookups.h"

#include <algorithm>

#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/roll/find/roll_keys.h"

namespace tapegrad {
namespace {

constexpr uint32_t least_lookups = 4;  // in one table

struct Table {
  uint32_t lookups = 0;
  bool has_shared = false;
};

}  // namespace

std::optional<Program> lookups_before_loops(const Program& p) {
  const auto is_lookup = [&](const Program::Step& s) {
    return s.kernel < 0 && !s.held && s.n_in == 1 && reads_by_key(op_by_id(s.op));
  };
  std::vector<uint32_t> uses(p.values.size(), 0);
  for (ValueId v : p.operands) ++uses[v];
  std::vector<Table> tables(p.values.size());
  for (const Program::Step& s : p.steps) {
    if (!is_lookup(s)) continue;
    Table& table = tables[p.in(s)[0]];
    ++table.lookups;
    table.has_shared |= uses[s.first_out] > 1;
  }
  std::vector<std::vector<uint32_t>> behind(p.values.size());  // lookups by what they read
  bool any = false;
  for (uint32_t k = 0; k < p.steps.size(); ++k) {
    if (!is_lookup(p.steps[k])) continue;
    const ValueId from = p.in(p.steps[k])[0];
    if (tables[from].lookups < least_lookups || !tables[from].has_shared) continue;
    behind[from].push_back(k);
    any = true;
  }
  if (!any) return std::nullopt;
  Edit edit(p);
  std::vector<uint32_t> open;
  const auto write_behind = [&](ValueId v) {
    open.assign(behind[v].rbegin(), behind[v].rend());
    while (!open.empty()) {
      const Program::Step& s = p.steps[open.back()];
      open.pop_back();
      edit.copy(s);
      open.insert(open.end(), behind[s.first_out].rbegin(), behind[s.first_out].rend());
    }
  };
  for (ValueId v = 0; v < p.values.size(); ++v)
    if (p.values[v].source != Source::step) write_behind(v);
  for (const Program::Step& s : p.steps) {
    if (is_lookup(s) && edit.has(s.first_out)) continue;
    edit.copy(s);
    for (uint32_t j = 0; j < s.n_out; ++j) write_behind(s.first_out + j);
  }
  return edit.finish();
}

}  // namespace tapegrad
