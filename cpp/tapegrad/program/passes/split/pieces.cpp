#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "tapegrad/ops/axes.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/local/local.h"

// Several small arrays are joined, go through elementwise steps together, and are taken apart
// again: packed gates, stacked states. Here such arrays are kept in pieces: joining and taking
// apart cost nothing then, and an elementwise step becomes one for each piece.
//
// Arrays that elementwise steps and writes to a part make of one another are a *group*, cut at the
// same positions of their first axis. Along that axis pieces lie packed, as the whole did, and each
// element is computed as before: so the bits stay.

namespace tapegrad {
namespace {

constexpr size_t most_pieces = 8;
constexpr int64_t most_ratio = 8;  // of the lengths: a border beside an inner part is no piece
// Steps that join, write or read parts, against elementwise instructions.
constexpr int64_t step_weight = 16;

struct Range {
  int64_t start = 0, length = 0;
  int64_t end() const { return start + length; }
  friend auto operator<=>(const Range&, const Range&) = default;
};

class PieceWriter {
 public:
  explicit PieceWriter(const Program& p)
      : p_(p), parent_(p.values.size()), is_made_(p.values.size(), false) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  // Nothing where no array is to be kept in pieces.
  std::optional<Program> run() {
    if (!find_groups()) return std::nullopt;
    weigh();
    const auto is_split = [](const Group& g) { return g.is_split(); };
    if (std::ranges::none_of(groups_, is_split)) return std::nullopt;
    edit_.emplace(p_);
    pieces_.resize(p_.values.size());
    for (const Program::Step& s : p_.steps)
      if (!write_pieces(s) && !read_piece(s) && !write_to_part(s)) {
        for (ValueId v : p_.in(s)) whole(v);
        edit_->copy(s);
      }
    for (ValueId v : p_.outputs) whole(v);
    for (const Program::Guard& g : p_.guards) whole(g.value);
    return edit_->finish();
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};

  struct Group {
    std::vector<int64_t> cuts{};  // from 0 to the length of the axis
    int64_t gain = 0, loss = 0;
    bool fits = true;
    bool is_split() const { return fits && cuts.size() > 2 && gain > loss; }
  };

  bool is_plain(const Program::Step& s) const { return s.kernel < 0 && !s.held; }
  const Dims& shape(ValueId v) const { return p_.type_of(v).shape; }
  int64_t length(ValueId v) const { return shape(v)[0]; }

  // The positions of the first axis that a basic key takes, all of the other axes whole.
  std::optional<Range> part_of(const Program::Step& s) const {
    const IndexItems items(p_.attrs_of(s).integers(index_attrs::code));
    const Dims& from = shape(p_.in(s)[0]);
    if (items.size() != from.size() || items.size() == 0 || items[0].kind != IndexKind::range ||
        items[0].step != 1 || items[0].length < 1)
      return std::nullopt;
    for (size_t k = 1; k < items.size(); ++k)
      if (items[k].kind != IndexKind::range || items[k].start != 0 || items[k].step != 1 ||
          items[k].length != from[k])
        return std::nullopt;
    return Range{items[0].start, items[0].length};
  }

  bool is_first_axis(const Program::Step& s, ValueId joined) const {
    return normalize_axis(p_.attrs_of(s).integer(join_attrs::axis), shape(joined).ndim(), "join") ==
           0;
  }
  bool joins(const Program::Step& s) const {
    return is_plain(s) && !is_elementwise(s.op) && op_by_id(s.op).join == JoinKind::concatenate &&
           is_first_axis(s, s.first_out) && std::ranges::all_of(p_.in(s), [&](ValueId v) {
             return p_.type_of(v).dtype == p_.type_of(s.first_out).dtype;
           });
  }
  bool cuts_up(const Program::Step& s) const {
    return is_plain(s) && !is_elementwise(s.op) && op_by_id(s.op).join == JoinKind::split &&
           is_first_axis(s, p_.in(s)[0]);
  }
  bool has_key(const Program::Step& s) const {
    return is_plain(s) && !is_elementwise(s.op) && op_by_id(s.op).key == KeyKind::basic;
  }
  bool reads_by_key(const Program::Step& s) const {
    return has_key(s) && op_by_id(s.op).update == UpdateKind::none;
  }
  bool writes_by_key(const Program::Step& s) const {
    return has_key(s) && op_by_id(s.op).update != UpdateKind::none;
  }
  // A write to a part of the first axis, of numbers that need no conversion.
  std::optional<Range> written(const Program::Step& s) const {
    if (!writes_by_key(s)) return std::nullopt;
    const auto part = part_of(s);
    const TensorType &update = p_.type_of(p_.in(s)[1]), &out = p_.type_of(s.first_out);
    if (!part || update.dtype != out.dtype || update.shape.size() != out.shape.size() ||
        update.shape[0] != part->length ||
        !std::equal(update.shape.begin() + 1, update.shape.end(), out.shape.begin() + 1))
      return std::nullopt;
    return part;
  }
  bool computes(const Program::Step& s) const {
    return is_plain(s) && is_elementwise(s.op) && !shape(s.first_out).empty();
  }

  uint32_t root(ValueId v) {
    while (parent_[v] != v) v = parent_[v] = parent_[parent_[v]];
    return v;
  }

  bool find_groups() {
    bool any = false;
    for (const Program::Step& s : p_.steps) {
      const bool joined = joins(s), is_write = written(s).has_value();
      if (!joined && !is_write && !computes(s)) continue;
      any |= joined || is_write;
      is_made_[s.first_out] = true;
      if (joined) continue;
      const auto in = p_.in(s);
      for (ValueId v : is_write ? in.first(1) : in)
        if (is_made_[v] && shape(v) == shape(s.first_out)) parent_[root(v)] = root(s.first_out);
    }
    if (!any) return false;
    group_at_.assign(p_.values.size(), none);
    for (const Program::Step& s : p_.steps) {
      if (joins(s)) {
        int64_t at = 0;
        for (ValueId v : p_.in(s)) cut(s.first_out, at += length(v));
      } else if (const auto part = written(s)) {
        cut(s.first_out, part->start);
        cut(s.first_out, part->end());
      }
    }
    for (Group& g : groups_) {
      int64_t least = g.cuts.back(), most = 0;
      for (size_t k = 0; k + 1 < g.cuts.size(); ++k) {
        least = std::min(least, range_of(g, k).length);
        most = std::max(most, range_of(g, k).length);
      }
      g.fits = g.fits && most <= most_ratio * least;
    }
    return !groups_.empty();
  }

  void cut(ValueId v, int64_t at) {
    const uint32_t r = root(v);
    if (group_at_[r] == none) {
      group_at_[r] = static_cast<uint32_t>(groups_.size());
      groups_.push_back({{0, length(v)}});
      if (length(v) == 0) groups_.back().fits = false;
    }
    Group& g = groups_[group_at_[r]];
    if (!g.fits) return;
    const auto place = std::ranges::lower_bound(g.cuts, at);
    if (place != g.cuts.end() && *place == at) return;
    g.cuts.insert(place, at);
    g.fits = g.cuts.size() <= most_pieces + 1;
  }

  Group* group_of(ValueId v) {
    if (!is_made_[v]) return nullptr;
    const uint32_t g = group_at_[root(v)];
    return g == none || !groups_[g].fits ? nullptr : &groups_[g];
  }
  // The piece that holds these positions, or none.
  static uint32_t piece_around(const Group& g, Range r) {
    const auto above = std::ranges::upper_bound(g.cuts, r.start);
    return above != g.cuts.end() && r.end() <= *above
               ? static_cast<uint32_t>(above - g.cuts.begin() - 1)
               : none;
  }
  static bool is_piece(const Group& g, Range r) {
    const uint32_t k = piece_around(g, r);
    return k != none && r == range_of(g, k);
  }
  static Range range_of(const Group& g, size_t k) { return {g.cuts[k], g.cuts[k + 1] - g.cuts[k]}; }

  // What keeping each group in pieces saves, and what it costs.
  void weigh() {
    std::vector<bool> wanted(p_.values.size(), false);
    const auto want = [&](ValueId v) {
      Group* const g = group_of(v);
      if (g && !wanted[v]) g->loss += step_weight;
      wanted[v] = true;
    };
    for (const Program::Step& s : p_.steps) {
      Group* const made = s.n_out > 0 ? group_of(s.first_out) : nullptr;
      if (made && (joins(s) || written(s))) {
        const auto part = written(s);
        if (part && !is_piece(*made, *part)) made->fits = false;
        made->gain += step_weight;
        continue;
      }
      if (made) {
        made->loss += static_cast<int64_t>(made->cuts.size()) - 2;
        for (ValueId v : p_.in(s))
          if (Group* const g = group_of(v); g && g != made) want(v);
        continue;
      }
      if (cuts_up(s)) {
        if (Group* const g = group_of(p_.in(s)[0])) {
          int64_t at = 0;
          for (uint32_t j = 0; j < s.n_out; ++j) {
            const int64_t n = length(s.first_out + j);
            weigh_read(*g, {at, n});
            at += n;
          }
        }
        continue;
      }
      if (reads_by_key(s)) {
        if (Group* const g = group_of(p_.in(s)[0])) {
          const auto range = first_positions(s);
          if (range) {
            weigh_read(*g, *range);
          } else {
            want(p_.in(s)[0]);
          }
        }
        continue;
      }
      for (size_t k = 0; k < s.n_in; ++k)
        if (k != 1 || !writes_by_key(s) || !split_item(s)) want(p_.in(s)[k]);
    }
    for (ValueId v : p_.outputs) want(v);
    for (const Program::Guard& g : p_.guards) want(g.value);
  }

  // Parts that overlap, as those of a stencil, are better read from the whole.
  static void weigh_read(Group& g, Range r) {
    const uint32_t k = piece_around(g, r);
    if (k == none) {
      g.fits = false;
    } else if (is_piece(g, r)) {
      g.gain += step_weight;
    }
  }

  // The positions of the first axis that a read takes, one after the other.
  std::optional<Range> first_positions(const Program::Step& s) const {
    const IndexItems items(p_.attrs_of(s).integers(index_attrs::code));
    if (items.size() == 0 || items.source_axes() != shape(p_.in(s)[0]).ndim()) return std::nullopt;
    if (items[0].kind == IndexKind::at) return Range{items[0].start, 1};
    if (items[0].kind != IndexKind::range || items[0].step != 1 || items[0].length < 1)
      return std::nullopt;
    return Range{items[0].start, items[0].length};
  }

  // Where the update's first axis stands in the key of a write that can be made piece by piece.
  std::optional<size_t> split_item(const Program::Step& s) const {
    const TensorType &update = p_.type_of(p_.in(s)[1]), &out = p_.type_of(s.first_out);
    const IndexItems items(p_.attrs_of(s).integers(index_attrs::code));
    if (update.dtype != out.dtype) return std::nullopt;
    std::optional<size_t> first;
    size_t axis = 0;
    for (size_t k = 0; k < items.size(); ++k) {
      if (items[k].kind == IndexKind::newaxis) return std::nullopt;
      if (items[k].kind != IndexKind::range) continue;
      if (!first) first = k;
      if (axis == update.shape.size() || update.shape[axis++] != items[k].length)
        return std::nullopt;
    }
    if (axis != update.shape.size() || items.source_axes() != out.shape.ndim()) return std::nullopt;
    return first;
  }

  // Writing.

  bool is_split(ValueId v) { return !pieces_[v].empty(); }

  ValueId write(uint16_t op, uint32_t attrs, std::span<const ValueId> in, const TensorType& out,
                uint32_t line = 0) {
    Program::Step like;
    like.op = op;
    like.attrs = attrs;
    like.line = line;
    const uint32_t type = edit_->type(out);
    return edit_->write(like, in, {&type, 1});
  }

  static TensorType with_length(TensorType t, int64_t n) {
    t.shape[0] = n;
    return t;
  }

  ValueId whole(ValueId v) {
    if (edit_->has(v) || !is_split(v)) return edit_->at(v);
    const ValueId joined =
        write(concatenate_op().id, edit_->attrs(Attrs{int64_t{0}}), pieces_[v], p_.type_of(v));
    edit_->set(v, joined);
    return joined;
  }

  // These positions of the first axis of v.
  ValueId piece_of(ValueId v, Range r) {
    ValueId base = no_value;
    Range within{0, length(v)};
    if (is_split(v)) {
      const Group& g = *group_of(v);
      const uint32_t k = piece_around(g, r);
      if (k != none) {
        base = pieces_[v][k];
        within = range_of(g, k);
      }
    }
    if (r == within) return base == no_value ? whole(v) : base;
    if (base != no_value) return slice(base, {r.start - within.start, r.length});
    const auto [known, is_new] = loaded_.try_emplace({v, r}, no_value);
    if (is_new) {
      if (p_.is_constant(v)) {
        known->second = constant_piece(v, r);
      } else {
        known->second = slice(whole(v), r);
      }
    }
    return known->second;
  }

  ValueId constant_piece(ValueId v, Range r) {
    const TensorType type = with_length(p_.type_of(v), r.length);
    if (const auto x = uniform_.at(p_, v); x && is_floating(type.dtype))
      return edit_->constant(Value::full(type.dtype, type.shape, *x));
    const Value& c = p_.constant_of(v);
    return edit_->constant(c.view(type.shape, c.strides(), r.start * c.strides()[0]).contiguous());
  }

  ValueId slice(ValueId base, Range r) {
    const TensorType from = edit_->program().type_of(base);
    const IndexSpec spec = IndexSpec::along(from.shape, 0, r.start, 1, r.length);
    return write(slice_op().id, edit_->attrs(spec.attrs()), {&base, 1},
                 with_length(from, r.length));
  }

  // What a piece of an elementwise result needs of an operand.
  ValueId operand_piece(ValueId v, const Dims& out, Range r) {
    const Dims& own = shape(v);
    return own.size() == out.size() && own[0] == out[0] && out[0] != 1 ? piece_of(v, r) : whole(v);
  }

  bool write_pieces(const Program::Step& s) {
    if (s.n_out != 1) return false;
    const Group* const g = group_of(s.first_out);
    if (!g || !g->is_split()) return false;
    std::vector<ValueId> made;
    for (size_t k = 0; k + 1 < g->cuts.size(); ++k) made.push_back(made_piece(s, range_of(*g, k)));
    pieces_[s.first_out] = std::move(made);
    return true;
  }

  ValueId made_piece(const Program::Step& s, Range r) {
    const auto in = p_.in(s);
    if (joins(s)) {
      int64_t at = 0;
      for (ValueId v : in) {
        const int64_t n = length(v);
        if (r.start >= at && r.end() <= at + n) return piece_of(v, {r.start - at, r.length});
        at += n;
      }
    }
    const TensorType type = with_length(p_.type_of(s.first_out), r.length);
    if (const auto part = written(s)) {
      const ValueId before =
          r.start < part->start || r.end() > part->end() || op_by_id(s.op).update == UpdateKind::add
              ? piece_of(in[0], r)
              : no_value;
      if (r.start < part->start || r.end() > part->end()) return before;
      const ValueId update = piece_of(in[1], {r.start - part->start, r.length});
      if (before == no_value) return update;
      const ValueId both[] = {before, update};
      return write(op_of_fn<Add>(), 0, both, type, s.line);
    }
    ins_.clear();
    for (ValueId v : in) ins_.push_back(operand_piece(v, shape(s.first_out), r));
    const std::vector<ValueId> now(ins_);
    return write(s.op, s.attrs, now, type, s.line);
  }

  // Reads of a part of what is kept in pieces.
  bool read_piece(const Program::Step& s) {
    if (s.n_in == 0 || !is_split(p_.in(s)[0])) return false;
    const ValueId v = p_.in(s)[0];
    if (cuts_up(s)) {
      int64_t at = 0;
      for (uint32_t j = 0; j < s.n_out; ++j) {
        const int64_t n = length(s.first_out + j);
        edit_->set(s.first_out + j, n == 0 ? slice(pieces_[v][0], {0, 0}) : piece_of(v, {at, n}));
        at += n;
      }
      return true;
    }
    if (!reads_by_key(s)) return false;
    const auto range = first_positions(s);
    if (!range) return false;
    const Group& g = *group_of(v);
    const uint32_t k = piece_around(g, *range);
    if (k == none) return false;
    if (part_of(s)) {
      edit_->set(s.first_out, piece_of(v, *range));
      return true;
    }
    std::vector<int64_t> code = p_.attrs_of(s).integers(index_attrs::code);
    code[1] -= g.cuts[k];
    edit_->set(s.first_out, write(s.op, edit_->attrs(Attrs{code}), {&pieces_[v][k], 1},
                                  p_.type_of(s.first_out), s.line));
    return true;
  }

  // Writes of what is kept in pieces to a part of another array.
  bool write_to_part(const Program::Step& s) {
    if (!writes_by_key(s) || !is_split(p_.in(s)[1])) return false;
    const auto item = split_item(s);
    if (!item) return false;
    const ValueId update = p_.in(s)[1];
    const Group& g = *group_of(update);
    const std::vector<int64_t> code = p_.attrs_of(s).integers(index_attrs::code);
    ValueId array = whole(p_.in(s)[0]);
    for (size_t k = 0; k + 1 < g.cuts.size(); ++k) {
      std::vector<int64_t> part = code;
      int64_t* const range = part.data() + 4 * *item;
      range[1] += g.cuts[k] * range[2];
      range[3] = range_of(g, k).length;
      const ValueId in[] = {array, pieces_[update][k]};
      array = write(s.op, edit_->attrs(Attrs{part}), in, p_.type_of(s.first_out), s.line);
    }
    edit_->set(s.first_out, array);
    return true;
  }

  const Program& p_;
  std::vector<uint32_t> parent_;    // by value
  std::vector<bool> is_made_;       // by value: by a step that can be taken piece by piece
  std::vector<uint32_t> group_at_;  // by root
  std::vector<Group> groups_;
  std::vector<std::vector<ValueId>> pieces_;  // by value: new values
  std::map<std::pair<ValueId, Range>, ValueId> loaded_;
  std::vector<ValueId> ins_;
  UniformConstants uniform_;
  std::optional<Edit> edit_;
};

}  // namespace

Program keep_in_pieces(Program p) {
  std::optional<Program> found = PieceWriter(p).run();
  return found ? std::move(*found) : std::move(p);
}

}  // namespace tapegrad
