#include <algorithm>
#include <optional>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/local/parts/part_chains.h"
#include "tapegrad/program/passes/local/parts/part_steps.h"

// Arrays that are written part by part are read part by part too: what was written is read
// directly. A read of a part goes back over the writes of its chain (part_chains.h): a write of the
// same part is the answer, an addition to it a term, and writes of other parts are passed over. Of
// a write that is around the part, the part is read; one that is within it is made again in what
// the part held before, and where a short row was written number by number, the numbers are joined.
// What a part holds is kept until the next read.

namespace tapegrad {
namespace {

class Parts final : public LocalRule {
 public:
  ValueId replace(LocalPass& pass, const Application& a) override {
    if (a.like.held) return no_value;
    if (touches_part(a.like, UpdateKind::add) || touches_part(a.like, UpdateKind::set))
      return written_by_numbers(pass, a);
    if (!touches_part(a.like, UpdateKind::none)) return no_value;
    const std::vector<int64_t>& code =
        pass.program().attrs[a.like.attrs].integers(index_attrs::code);
    if (const ValueId v = read_by_numbers(pass, a); v != no_value) return v;
    if (const ValueId v = joined_number(pass, a.in[0], code); v != no_value)
      return pass.type_number(v) == a.out[0] ? v : no_value;
    const Part part = chains_.part_of(pass.program(), a.like.attrs, a.in[0]);
    if (!part.is_known()) return no_value;
    const ValueId v = content(pass, {a.like.op, a.like.attrs, a.out[0], part}, a.in[0],
                              chains_.version_of(a.in[0]), 0);
    return v != no_value && is_packed(pass.program(), v, true) ? pass.in_its_layout(v) : v;
  }

  // Numbers that were joined are taken apart.
  bool replace_each(LocalPass& pass, const Application& a, std::vector<ValueId>& instead) override {
    if (a.like.held || is_elementwise(a.like.op) || op_by_id(a.like.op).join != JoinKind::unstack)
      return false;
    for (size_t j = 0; j < a.out.size(); ++j) {
      const int64_t code[] = {static_cast<int64_t>(IndexKind::at), static_cast<int64_t>(j), 0, 0};
      const ValueId v = joined_number(pass, a.in[0], code);
      if (v == no_value || pass.type_number(v) != a.out[j]) return false;
      instead.push_back(v);
    }
    return true;
  }

  void written(LocalPass& pass, const Application& a) override {
    const bool adds = touches_part(a.like, UpdateKind::add);
    if ((!adds && !touches_part(a.like, UpdateKind::set)) || a.like.held) return;
    const Part part = chains_.part_of(pass.program(), a.like.attrs, a.in[0]);
    if (!part.is_known()) return;
    chains_.add(a.like.first_out, a.in[0], part, a.in[1], adds);
  }

 private:
  using Part = PartChains::Part;
  using Version = PartChains::Version;
  using Write = PartChains::Write;
  static constexpr uint32_t none = PartChains::none;
  static constexpr int most_chains = 16;       // that one read goes back over
  static constexpr uint32_t few_writes = 8;    // see may_read_root
  static constexpr int most_within = 64;       // writes within a part that one read makes again
  static constexpr int most_passed = 512;      // of those that later ones replace
  static constexpr int most_depth = 4;         // of reads for reads
  static constexpr uint32_t first_writes = 4;  // of a chain, whose arrays may be kept to be read
  static constexpr int64_t short_row = 64;     // elements
  static constexpr int64_t most_of_row = 4096;

  // Of a row that is written number by number, a few are read one by one.
  ValueId read_by_numbers(LocalPass& pass, const Application& a) {
    const Version v = chains_.version_of(a.in[0]);
    const auto range = v.chain == none ? std::nullopt : few_numbers(pass, a);
    if (!range) return no_value;
    bool is_written = false;
    for (int64_t j = 0; j < range->length; ++j) {
      const auto lead = static_cast<uint32_t>(range->start + j * range->step);
      is_written |= chains_.has_element_at(v, lead);
    }
    if (!is_written) return no_value;
    const uint32_t number = pass.edit().type({pass.type(a.out[0]).dtype, {}});
    std::vector<ValueId> row;
    for (int64_t j = 0; j < range->length; ++j)
      row.push_back(pass.emit(a.like.op, number_key(pass, *range, j), {a.in.data(), 1}, number));
    return pass.emit(stack_op().id, pass.edit().attrs(Attrs{int64_t{0}}), row, a.out[0]);
  }

  // And so are a few that are written to such a row, or added.
  ValueId written_by_numbers(LocalPass& pass, const Application& a) {
    const Version v = chains_.version_of(a.in[0]);
    const auto range = v.chain == none ? std::nullopt : few_numbers(pass, a);
    if (!range) return no_value;
    const TensorType& update = pass.program().type_of(a.in[1]);
    const DType dtype = pass.type(a.out[0]).dtype;
    if (!is_floating(dtype) || update.dtype != dtype || update.shape != Dims{range->length})
      return no_value;
    const uint32_t number = pass.edit().type({dtype, {}});
    ValueId row = a.in[0];
    for (int64_t j = 0; j < range->length; ++j) {
      const uint32_t own = pass.edit().attrs(IndexSpec().at(j).attrs());
      const ValueId in[] = {row, pass.emit(slice_op().id, own, {&a.in[1], 1}, number)};
      row = pass.emit(a.like.op, number_key(pass, *range, j), in, a.out[0]);
    }
    return pass.in_its_layout(row);
  }

  // A root that is read after the chain's writes can't be written in place, and is copied: once,
  // which is little beside many writes.
  bool may_read_root(const Program& p, uint32_t chain) const {
    const PartChains::Chain& c = chains_.chain(chain);
    return c.writes.size() >= few_writes || p.values[c.root].source != Source::step;
  }

  // A read, by a step with these attributes and this type of result.
  struct Read {
    uint16_t op;
    uint32_t attrs, out;
    Part part;
  };
  // A write that what a part held before is still to go through.
  struct Pending {
    uint32_t chain, write;
    bool is_within;
  };
  // What is known of a part while the writes are gone back over: its value, or where to read it.
  struct Found {
    ValueId value = no_value, base = no_value;
    uint32_t root_of = none;         // the chain that starts from `base`, or soon after it
    uint32_t failed_at = 0;          // the write, counted from 1, that can't be gone back over
    std::vector<Pending> pending;    // the latest first
    std::vector<uint32_t> replaced;  // smaller parts that these write: before, they don't matter
  };

  bool is_replaced(const Found& found, uint32_t part) const {
    return std::ranges::any_of(found.replaced, [&](uint32_t larger) {
      const Overlap how = overlap_of(chains_.code_of(larger), chains_.code_of(part));
      return how == Overlap::same || how == Overlap::inside;
    });
  }

  // What a part holds in a version of an array; no_value where that is not known.
  ValueId content(LocalPass& pass, const Read& r, ValueId array, Version from, int depth) {
    Found found;
    found.base = array;
    if (from.chain == none) return no_value;
    if (!go_back(pass, r, from, depth, Failing::tells, found)) {
      const ValueId part = part_of_row(pass, r, array, from, depth);
      if (part != no_value) return part;
      found = Found();
      found.base = array;
      if (!go_back(pass, r, from, depth, Failing::stops, found)) return no_value;
    }
    if (found.value == no_value &&
        (found.root_of == none || !may_read_root(pass.program(), found.root_of)))
      return no_value;
    const ValueId value = with_pending(pass, r, found);
    if (value != no_value)
      known_.set({PartChains::key(from.chain, r.part.number), from.writes, value});
    return value;
  }

  // Whether a write fills a part of this type with its update, a number for all of it included.
  static bool fits(const LocalPass& pass, ValueId update, uint32_t part) {
    const TensorType& type = pass.program().type_of(update);
    return pass.type_number(update) == part ||
           (type.shape.empty() && type.dtype == pass.type(part).dtype);
  }

  // What becomes of a read that can't go on: false, or it stops, and reads the array that is there:
  // behind one of the first writes of a chain, or the root of the chain that it has gone through.
  enum class Failing { tells, stops };

  bool go_back(LocalPass& pass, const Read& r, Version v, int depth, Failing failing,
               Found& found) {
    for (int hops = 0; v.chain != none && hops < most_chains; ++hops) {
      const size_t pending = found.pending.size();
      if (!go_back_over(pass, r, v, depth, found)) {
        if (failing == Failing::tells) return false;
        found.value = no_value;
        const bool gets_on = hops > 0 || found.failed_at < v.writes;
        if (gets_on && found.failed_at != 0 && found.failed_at <= first_writes) {
          found.base = chains_.chain(v.chain).writes[found.failed_at - 1].now;
          found.root_of = v.chain;
          return true;
        }
        found.pending.resize(pending);
        return hops > 0;
      }
      if (found.value != no_value) return true;
      found.base = chains_.chain(v.chain).root;
      found.root_of = v.chain;
      v = chains_.version_of(found.base);
    }
    return true;
  }

  // The same over one chain: true with the value, or where nothing touches the part any more.
  bool go_back_over(LocalPass& pass, const Read& r, Version v, int depth, Found& found) {
    const bool is_number = is_floating(pass.type(r.out).dtype);
    int within = 0, passed = 0;
    const KnownValues::Known* const known = known_.find(PartChains::key(v.chain, r.part.number));
    for (uint32_t end = v.writes;;) {
      const PartChains::Touch touch = chains_.last_touch(v.chain, r.part, end);
      found.failed_at = touch.how == Overlap::unclear ? 0 : touch.number;
      if (touch.how == Overlap::unclear) return false;
      if (known && known->writes >= touch.number && known->writes <= end) {
        found.value = known->value;
        return pass.type_number(found.value) == r.out;
      }
      if (touch.number == 0) return true;
      const Write w = chains_.chain(v.chain).writes[touch.number - 1];
      if (touch.how == Overlap::around) {
        found.value = part_of_larger(pass, r, {v.chain, touch.number}, w, depth);
        return found.value != no_value;
      }
      if (w.adds && !is_number) return false;
      if (touch.how == Overlap::inside) {
        if (is_replaced(found, w.part)) {
          if (++passed > most_passed) return false;
          end = touch.number - 1;
          continue;
        }
        if (!w.adds) found.replaced.push_back(w.part);
        const TensorType& whole = pass.type(r.out);
        if (++within > most_within || element_count(whole.shape) > short_row ||
            pass.program().type_of(w.update).dtype != whole.dtype)
          return false;
      } else if (!fits(pass, w.update, r.out)) {
        return false;
      } else if (!w.adds || w.sum != no_value) {
        found.value = w.adds ? w.sum : pass.as_type(w.update, r.out);
        return true;
      }
      found.pending.push_back({v.chain, touch.number - 1, touch.how == Overlap::inside});
      end = touch.number - 1;
    }
  }

  // Where writes and reads overlap (x[k, 2:] after x[k, 1:-1] = ...): a part of the whole lead.
  ValueId part_of_row(LocalPass& pass, const Read& r, ValueId array, Version from, int depth) {
    if (array == no_value || depth == most_depth) return no_value;
    const TensorType whole = pass.program().type_of(array);
    const std::optional<uint32_t> lead = chains_.lead_of(r.part, chains_.chain(from.chain).axis);
    if (!lead) return no_value;
    IndexSpec key;
    for (size_t k = 0; k < whole.shape.size(); ++k) {
      if (k == chains_.chain(from.chain).axis)
        key.at(*lead);
      else
        key.whole(whole.shape[k]);
    }
    const TensorType row{whole.dtype, shape_of_part(key.code)};
    if (key.code == chains_.code_of(r.part.number) || element_count(row.shape) > most_of_row)
      return no_value;
    const uint32_t attrs = pass.edit().attrs(key.attrs()), type = pass.edit().type(row);
    const Part part = chains_.part_of(pass.program(), attrs, array);
    const ValueId found =
        content(pass, {slice_copy_op().id, attrs, type, part}, array, from, depth + 1);
    if (found == no_value) return no_value;
    return read_within(pass, found, key_within(chains_.code_of(r.part.number), key.code), r.out);
  }

  // A part of what the last write of a version wrote to, or added to.
  ValueId part_of_larger(LocalPass& pass, const Read& r, Version v, const Write& w, int depth) {
    const std::vector<int64_t>& around = chains_.code_of(w.part);
    const TensorType type{pass.type(r.out).dtype, shape_of_part(around)};
    const TensorType written = pass.program().type_of(w.update);
    if (written.dtype != type.dtype) return no_value;
    ValueId whole = w.update;
    if (w.adds) {
      if (depth == most_depth || element_count(type.shape) > short_row) return no_value;
      const uint32_t attrs = pass.edit().attrs(Attrs{around});
      const Part part{w.part, false};
      whole = content(pass, {slice_op().id, attrs, pass.edit().type(type), part}, no_value, v,
                      depth + 1);
      if (whole == no_value) return no_value;
    } else if (written.shape.empty()) {
      return pass.as_type(w.update, r.out);
    } else if (!(written == type)) {
      return no_value;
    }
    return read_within(pass, whole, key_within(chains_.code_of(r.part.number), around), r.out);
  }

  ValueId read_within(LocalPass& pass, ValueId x, const std::vector<int64_t>& code, uint32_t out) {
    const ValueId v = joined_number(pass, x, code);
    if (v != no_value && pass.type_number(v) == out) return v;
    return pass.emit(slice_op().id, pass.edit().attrs(Attrs{code}), {&x, 1}, out);
  }

  // The writes made anew in what the part held before, the earliest first.
  ValueId with_pending(LocalPass& pass, const Read& r, Found& found) {
    std::vector<ValueId> row;  // the numbers written so far, where there are enough
    const size_t length = short_row_length(pass, r, found.pending);
    const auto whole = [&] {
      if (!row.empty()) {
        for (size_t j = 0; j < length; ++j)
          if (row[j] == no_value) row[j] = number_of(pass, r, found, j);
        const uint32_t attrs = pass.edit().attrs(Attrs{int64_t{0}});
        found.value = pass.emit(stack_op().id, attrs, row, r.out);
        row.clear();
      } else if (found.value == no_value) {
        found.value = pass.emit(r.op, r.attrs, {&found.base, 1}, r.out);
      }
      return found.value;
    };
    for (size_t k = found.pending.size(); k-- > 0;) {
      const Pending now = found.pending[k];
      const Write w = chains_.chain(now.chain).writes[now.write];
      if (!now.is_within) {
        found.value = pass.emit<Add>({whole(), w.update}, r.out);
        chains_.set_sum(now.chain, now.write, found.value);
        continue;
      }
      const std::vector<int64_t> code =
          key_within(chains_.code_of(w.part), chains_.code_of(r.part.number));
      if (length == 0) {
        const ValueId in[] = {whole(), w.update};
        found.value = pass.emit((w.adds ? slice_add_op() : slice_set_op()).id,
                                pass.edit().attrs(Attrs{code}), in, r.out);
        continue;
      }
      row.resize(length, no_value);
      const auto j = static_cast<size_t>(code[1]);
      if (w.adds) {
        if (row[j] == no_value) row[j] = number_of(pass, r, found, j);
        row[j] = pass.emit<Add>({row[j], w.update}, pass.type_number(w.update));
      } else {
        row[j] = w.update;
      }
    }
    return whole();
  }

  // The length of a short row of which much is written number by number, else 0.
  size_t short_row_length(const LocalPass& pass, const Read& r,
                          const std::vector<Pending>& pending) const {
    const Dims& shape = pass.type(r.out).shape;
    if (shape.ndim() != 1 || shape[0] > short_row) return 0;
    size_t within = 0;
    for (const Pending& one : pending) {
      if (!one.is_within) continue;
      const uint32_t written = chains_.chain(one.chain).writes[one.write].part;
      if (!shape_of_part(chains_.code_of(written)).empty()) return 0;
      ++within;
    }
    return 2 * within >= static_cast<size_t>(shape[0]) ? static_cast<size_t>(shape[0]) : 0;
  }

  // Number j of the row that was read, before the writes that are pending.
  ValueId number_of(LocalPass& pass, const Read& r, const Found& found, size_t j) {
    const uint32_t out = pass.edit().type({pass.type(r.out).dtype, {}});
    if (found.value != no_value)
      return read_within(pass, found.value, IndexSpec().at(static_cast<int64_t>(j)).code, out);
    std::vector<int64_t> code = chains_.code_of(r.part.number);
    for (size_t k = 0; k < code.size(); k += 4) {
      const IndexItem item = IndexItems(code)[k / 4];
      if (item.kind != IndexKind::range) continue;
      const int64_t at[] = {static_cast<int64_t>(IndexKind::at),
                            item.start + item.step * static_cast<int64_t>(j), 0, 0};
      std::ranges::copy(at, code.begin() + static_cast<std::ptrdiff_t>(k));
    }
    return pass.emit(r.op, pass.edit().attrs(Attrs{code}), {&found.base, 1}, out);
  }

  PartChains chains_;
  KnownValues known_;  // by chain and part
};

}  // namespace

std::unique_ptr<LocalRule> part_rule() { return std::make_unique<Parts>(); }

}  // namespace tapegrad
