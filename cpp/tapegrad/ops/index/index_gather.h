#pragma once

#include "tapegrad/ops/expand.h"
#include "tapegrad/tape/rule.h"

namespace tapegrad {

void register_gather_ops();  // the part of register_index_ops for index arrays
void register_composed_index_ops();
std::vector<Ref> lanes_gather(const LanesCall& call);  // of x[key], base[key] += update or = update

// x[index] of few packed elements, without a plan of axes: where `code` takes rows of the first
// axis by one array. False where it needs a plan, or there is a position to complain of.
bool gather_few_rows(std::span<const int64_t> code, const Value& x, const Value& index, Value& out);

// base with base[key] += update, as scalars: what `read` would read by that key says where the
// elements go.
bool expand_add_to_part(ExpandContext& c, const Op& read);

}  // namespace tapegrad
