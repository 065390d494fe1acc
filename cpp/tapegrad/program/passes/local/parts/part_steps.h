// What the rules about parts ask of single steps.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tapegrad/ops/index/index_spec.h"
#include "tapegrad/program/passes/local/local.h"

namespace tapegrad {

inline bool touches_part(const Program::Step& s, UpdateKind update) {
  if (s.kernel >= 0 || is_elementwise(s.op)) return false;
  const Op& op = op_by_id(s.op);
  return op.key == KeyKind::basic && op.update == update;
}

// A few numbers of a row, x[2:5]: nothing where a key means something else.
inline std::optional<IndexItem> few_numbers(const LocalPass& pass, const Application& a) {
  constexpr int64_t few = 8;
  const Program& p = pass.program();
  const IndexItems items(p.attrs[a.like.attrs].integers(index_attrs::code));
  if (items.size() != 1 || p.type_of(a.in[0]).shape.ndim() != 1 ||
      items[0].kind != IndexKind::range || items[0].length < 1 || items[0].length > few)
    return std::nullopt;
  return items[0];
}

inline uint32_t number_key(LocalPass& pass, const IndexItem& range, int64_t j) {
  return pass.edit().attrs(IndexSpec().at(range.start + j * range.step).attrs());
}

// One of the numbers that a step joined into a row.
inline ValueId joined_number(const LocalPass& pass, ValueId x, std::span<const int64_t> code) {
  const Program::Step* s = pass.producer(x);
  if (!s || is_elementwise(s->op) || op_by_id(s->op).join != JoinKind::stack ||
      pass.program().type_of(x).shape.ndim() != 1 || code.size() != 4 ||
      IndexItems(code)[0].kind != IndexKind::at)
    return no_value;
  return pass.input_of(*s, static_cast<size_t>(code[1]));
}

inline Dims shape_of_part(const std::vector<int64_t>& code) {
  Dims shape;
  const IndexItems items(code);
  for (size_t k = 0; k < items.size(); ++k)
    if (items[k].kind == IndexKind::range) shape.push_back(items[k].length);
  return shape;
}

}  // namespace tapegrad
