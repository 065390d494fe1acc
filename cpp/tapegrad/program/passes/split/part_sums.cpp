#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "tapegrad/ops/index/index.h"
#include "tapegrad/program/passes/edit.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/split/part_order.h"

// An array to which a few parts are added again and again, as what a loop adds to the adjoint of
// its weights in each turn. Each part is added up for itself here, and put into the array after
// the last addition. Where some additions are to a whole (a row of packed gates) and others to the
// pieces of it, the whole is added piece by piece. Every element gets the same numbers in the same
// order: so the bits stay.

namespace tapegrad {
namespace {

constexpr size_t most_parts = 4096, least_additions = 16, least_pieces = 4;
constexpr size_t most_comparisons = 64;  // for each part
constexpr size_t most_of_wholes = 64;    // parts of which some are made of others

class PartSums {
 public:
  PartSums(const Program& p, PartsTaken taken)
      : p_(p), taken_(taken), uses_(use_counts(p)), chain_of_(p.steps.size(), none) {}

  // Nothing where there is no such array.
  std::optional<Program> run() {
    for (uint32_t i = 0; i < p_.steps.size(); ++i) follow(i);
    const size_t least = taken_ == PartsTaken::all ? least_pieces : least_additions;
    for (Chain& c : chains_) c.is_taken = c.additions.size() >= least && find_parts(c);
    if (std::ranges::none_of(chains_, &Chain::is_taken)) return std::nullopt;
    Edit edit(p_);
    for (uint32_t i = 0; i < p_.steps.size(); ++i) {
      const uint32_t k = chain_of_[i];
      if (k == none || !chains_[k].is_taken) {
        edit.copy(p_.steps[i]);
      } else {
        add(edit, chains_[k], i);
      }
    }
    return edit.finish();
  }

 private:
  static constexpr uint32_t none = ~uint32_t{0};
  // What is added to a whole is added to its pieces, which nothing is a piece of.
  struct Piece {
    uint32_t part;
    Attrs key;  // of the piece, in what is added to the whole
  };
  struct Part {
    uint32_t attrs;
    Box box;
    uint32_t type;           // of what is added
    ValueId sum = no_value;  // new
    std::vector<Piece> pieces{};
  };
  struct Chain {
    ValueId root;
    std::vector<uint32_t> additions;  // steps, each of which alone reads what the one before made
    std::vector<Part> parts{};
    std::map<uint32_t, uint32_t> part_of_attrs{};
    bool is_taken = false;
  };

  // acc[key] += x, where x needs no broadcast or conversion.
  bool adds_part(const Program::Step& s) const {
    if (s.kernel >= 0 || s.held || is_elementwise(s.op)) return false;
    const Op& op = op_by_id(s.op);
    if (op.key != KeyKind::basic || op.update != UpdateKind::add) return false;
    const TensorType &array = p_.type_of(p_.in(s)[0]), &update = p_.type_of(p_.in(s)[1]);
    if (!is_floating(array.dtype) || update.dtype != array.dtype) return false;
    const IndexItems items(p_.attrs_of(s).integers(index_attrs::code));
    if (items.size() > array.shape.size()) return false;
    Dims part;
    for (size_t i = 0; i + items.size() < array.shape.size(); ++i) part.push_back(array.shape[i]);
    for (size_t k = 0; k < items.size(); ++k)
      if (items[k].makes_axis()) part.push_back(items[k].length);
    return part == update.shape;
  }

  void follow(uint32_t i) {
    const Program::Step& s = p_.steps[i];
    if (!adds_part(s)) return;
    const ValueId base = p_.in(s)[0];
    const Program::ValueInfo& info = p_.values[base];
    uint32_t k = info.source == Source::step ? chain_of_[info.index] : none;
    if (k == none || uses_[base] != 1) {
      k = static_cast<uint32_t>(chains_.size());
      chains_.push_back({base, {}});
    }
    chains_[k].additions.push_back(i);
    chain_of_[i] = k;
  }

  // Whether the parts are apart from one another, and worth it.
  bool find_parts(Chain& c) {
    std::map<std::vector<int64_t>, uint32_t> known;
    const Dims& shape = p_.type_of(c.root).shape;
    for (uint32_t i : c.additions) {
      const uint32_t attrs = p_.steps[i].attrs;
      if (c.part_of_attrs.contains(attrs)) continue;
      const std::vector<int64_t>& code = p_.attrs[attrs].integers(index_attrs::code);
      const auto [at, is_new] = known.try_emplace(code, static_cast<uint32_t>(c.parts.size()));
      c.part_of_attrs[attrs] = at->second;
      if (!is_new) continue;
      auto box = part_of_code(code, shape);
      if (!box || c.parts.size() == most_parts) return false;
      c.parts.push_back({attrs, std::move(*box), p_.values[p_.in(p_.steps[i])[1]].type});
    }
    const bool are_repeated = 2 * c.parts.size() <= c.additions.size();
    if (taken_ == PartsTaken::repeated && !(are_repeated && added_in_turns(c))) return false;
    return (are_repeated || fill(c)) &&
           (are_apart(c.parts) || (are_repeated && take_wholes_apart(c.parts)));
  }

  // Whether parts that are not apart are made of others, which are.
  bool take_wholes_apart(std::vector<Part>& parts) const {
    if (parts.size() > most_of_wholes) return false;
    for (Part& whole : parts)
      for (uint32_t k = 0; k < parts.size(); ++k)
        if (&parts[k] != &whole && contains(whole.box, parts[k].box))
          whole.pieces.push_back({k, key_within(whole, parts[k])});
    std::vector<Part> smallest;
    for (const Part& part : parts)
      if (part.pieces.empty()) smallest.push_back(part);
    for (Part& whole : parts) {
      if (whole.pieces.empty()) continue;
      std::erase_if(whole.pieces, [&](const Piece& x) { return !parts[x.part].pieces.empty(); });
      int64_t left = element_count(whole.box.length);
      for (const Piece& x : whole.pieces) {
        if (x.key.empty()) return false;
        left -= element_count(parts[x.part].box.length);
      }
      if (left != 0) return false;
    }
    return are_apart(smallest);
  }

  static bool contains(const Box& whole, const Box& part) {
    for (size_t k = 0; k < whole.start.size(); ++k)
      if (part.start[k] < whole.start[k] ||
          part.start[k] + part.length[k] > whole.start[k] + whole.length[k])
        return false;
    return true;
  }

  // Nothing where the keys are of different kinds.
  Attrs key_within(const Part& whole, const Part& piece) const {
    const IndexItems of_whole(p_.attrs[whole.attrs].integers(index_attrs::code)),
        of_piece(p_.attrs[piece.attrs].integers(index_attrs::code));
    if (of_whole.size() != of_piece.size()) return {};
    IndexSpec key;
    for (size_t k = 0; k < of_whole.size(); ++k) {
      const IndexItem a = of_whole[k], b = of_piece[k];
      if (a.kind != b.kind || (a.kind != IndexKind::at && a.kind != IndexKind::range)) return {};
      if (a.kind == IndexKind::range) key.range(b.start - a.start, 1, b.length);
    }
    return key.attrs();
  }

  // Else the turns of a loop would be no longer alike.
  bool added_in_turns(const Chain& c) const {
    std::vector<uint32_t> parts;
    for (uint32_t i : c.additions) parts.push_back(c.part_of_attrs.at(p_.steps[i].attrs));
    return come_in_turns(parts, c.parts.size());
  }

  // Whether parts that are apart leave nothing of a constant that the array was.
  bool fill(const Chain& c) {
    if (p_.values[c.root].source != Source::constant) return false;
    int64_t left = element_count(p_.type_of(c.root).shape);
    for (const Part& part : c.parts) left -= element_count(part.box.length);
    return left == 0 && uniform_.at(p_, c.root);
  }

  // Each part is compared with those that begin before its end, on the axis that tells most of
  // them apart.
  static bool are_apart(const std::vector<Part>& parts) {
    const size_t ndim = parts[0].box.start.size();
    if (ndim == 0) return parts.size() == 1;
    size_t axis = 0, most = 0;
    for (size_t k = 0; k < ndim; ++k) {
      std::set<int64_t> starts;
      for (const Part& p : parts) starts.insert(p.box.start[k]);
      if (starts.size() > most) axis = k, most = starts.size();
    }
    std::vector<const Box*> boxes;
    for (const Part& p : parts) boxes.push_back(&p.box);
    std::ranges::sort(boxes, {}, [axis](const Box* b) { return b->start[axis]; });
    size_t left = most_comparisons * boxes.size();
    for (size_t a = 0; a < boxes.size(); ++a) {
      const int64_t end = boxes[a]->start[axis] + boxes[a]->length[axis];
      for (size_t b = a + 1; b < boxes.size() && boxes[b]->start[axis] < end; ++b)
        if (overlap(*boxes[a], *boxes[b]) || left-- == 0) return false;
    }
    return true;
  }

  static bool overlap(const Box& a, const Box& b) {
    for (size_t k = 0; k < a.start.size(); ++k)
      if (a.start[k] >= b.start[k] + b.length[k] || b.start[k] >= a.start[k] + a.length[k])
        return false;
    return true;
  }

  void add(Edit& edit, Chain& c, uint32_t i) {
    const Program::Step& s = p_.steps[i];
    Part& part = c.parts[c.part_of_attrs.at(s.attrs)];
    const ValueId update = edit.at(p_.in(s)[1]);
    if (part.pieces.empty()) add_to(edit, c, part, update, s.line);
    for (const Piece& x : part.pieces) {
      Part& piece = c.parts[x.part];
      Program::Step like;
      like.op = slice_op().id;
      like.attrs = edit.attrs(x.key);
      like.line = s.line;
      add_to(edit, c, piece, edit.write(like, {&update, 1}, {&piece.type, 1}), s.line);
    }
    if (i == c.additions.back()) edit.set(s.first_out, put_together(edit, c));
  }

  void add_to(Edit& edit, const Chain& c, Part& part, ValueId update, uint32_t line) {
    if (part.sum == no_value) part.sum = first_of(edit, c, part);
    const ValueId both[] = {part.sum, update};
    Program::Step like;
    like.op = op_of_fn<Add>();
    like.line = line;
    part.sum = edit.write(like, both, {&part.type, 1});
  }

  ValueId first_of(Edit& edit, const Chain& c, const Part& part) {
    const TensorType& t = p_.types[part.type];
    if (const auto x = uniform_.at(p_, c.root))
      return edit.constant(t.shape.empty() ? Value::scalar(*x, t.dtype)
                                           : Value::full(t.dtype, t.shape, *x));
    const ValueId root = edit.at(c.root);
    Program::Step like;
    like.op = slice_op().id;
    like.attrs = part.attrs;
    return edit.write(like, {&root, 1}, {&part.type, 1});
  }

  ValueId put_together(Edit& edit, const Chain& c) const {
    const uint32_t type = p_.values[c.root].type;
    ValueId array = edit.at(c.root);
    for (const Part& part : c.parts) {
      if (!part.pieces.empty()) continue;
      Program::Step like;
      like.op = slice_set_op().id;
      like.attrs = part.attrs;
      const ValueId in[] = {array, part.sum};
      array = edit.write(like, in, {&type, 1});
    }
    return array;
  }

  const Program& p_;
  const PartsTaken taken_;
  LongVector<uint32_t> uses_, chain_of_;  // by value; by step
  std::vector<Chain> chains_;
  UniformConstants uniform_;
};

}  // namespace

Program add_up_parts(Program p, PartsTaken taken) {
  std::optional<Program> found = PartSums(p, taken).run();
  return found ? std::move(*found) : std::move(p);
}

}  // namespace tapegrad
