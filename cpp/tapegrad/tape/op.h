#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "tapegrad/base/value.h"
#include "tapegrad/tape/attrs.h"

// The one record of an operation. All that anybody may want to know of an op stands here, is said
// once where the op is registered, and is asked for by what it means: sweeps, passes, planners and
// vmap hold no lists of ops and look none up by name. A pass that has to write an op takes the
// record from the header of its family (sum_op(), reshape_op()).
//
//   attrs                  names, kinds and defaults of its attributes
//   infer, eval            what it gives
//   vjp, jvp, compose      its derivatives, or the composition that it is a name for
//   lanes                  the op on many lanes at once (vmap); by default what the traits say
//   expand                 the op taken apart into scalars; by default what the traits say
//   reads                  what its derivatives read
//   the traits             linear ... in_place: facts that others decide by
//
// A trait that is left alone says nothing that could be wrong: an op without any is right
// everywhere and fast nowhere. tests/cpp/ops/registry_test.cpp holds each trait of each op against
// what the op does.

namespace tapegrad {

class Ref;
class VjpContext;
class JvpContext;
class ExpandContext;
struct LanesCall;

// What a rule reads of the application: bits 0..14 are inputs (bit 14 stands for every input from
// 14 on), bits 16..31 are outputs (bit 31 for every output from 15 on).
using ReadMask = uint32_t;
constexpr ReadMask reads_nothing = 0;
constexpr ReadMask reads_in(int i) { return ReadMask{1} << (i < 14 ? i : 14); }
constexpr ReadMask reads_all_inputs = 0x7FFF;
constexpr ReadMask reads_out(int j = 0) { return ReadMask{1} << (j < 15 ? 16 + j : 31); }
constexpr ReadMask reads_all_outputs = 0xFFFF0000;

// How results lie in the memory of the first input.
enum class ViewKind : uint8_t {
  none,       // in memory of their own
  reshaped,   // the same elements in the same order; copied where no strides will do
  permuted,   // the axes in another order: attribute 0, None for the reverse
  broadcast,  // repeated along new axes and those of length 1
  reversed,   // axes in reverse order
  part        // some of the elements; slices are copied where those are few
};

// How a result and the first input show what is written to the other, as NumPy's do.
enum class MemorySharing : uint8_t {
  none,
  view,            // both ways; a reshape where NumPy copies: not at all
  view_of_packed,  // both ways where the input is packed in C order
  view_in_pair,    // both ways; NumPy's has its elements twice as far apart, beside another's
  read_only        // what is written to the input shows; the result refuses to be written to
};

// What the elements of results are made of.
enum class ElementKind : uint8_t {
  computed,
  moved,  // each is an element of an input or a number that the op fills in
  added   // each is a sum of such elements
};

enum class ReductionKind : uint8_t { none, sum, mean, product, maximum, minimum, other };

// Arrays joined along an axis, or one cut up: attribute 0 is the axis.
enum class JoinKind : uint8_t { none, concatenate, stack, unstack, split };

// Attribute 0 is the code of an index key (index_spec.h) for input 0: a basic one, or one with
// index arrays, which are the last inputs.
enum class KeyKind : uint8_t { none, basic, arrays };
// With a key: input 1 is written to that part of input 0, or added.
enum class UpdateKind : uint8_t { none, set, add };

// Sums of products of the inputs: of matrices, or by einsum's subscripts, attribute 0.
enum class ProductKind : uint8_t { none, matrices, subscripts };

// The result is the input in a frame of one number (attributes: the widths before and after each
// axis, the number), or a box of it (attributes: starts, lengths).
enum class FrameKind : uint8_t { none, pads, crops };

// On which elements of the inputs an element of a result depends.
enum class Pattern : uint8_t {
  dense,        // on any
  elementwise,  // on those at its own place, after broadcasting
  moved,        // on one at most, whatever the values
  by_index,     // on those that index arrays tell
  slab          // on those with its own place on all axes but the ones that the op works along
};

struct Op {
  const char* name = "";
  int n_in = 1;   // -1: any number
  int n_out = 1;  // -1: depends on the attributes (infer tells)
  std::vector<AttrDeclaration> attrs{};

  std::vector<TensorType> (*infer)(const Attrs& attrs, std::span<const TensorType> in) = nullptr;
  // Computes out[] from in[]. Both belong to the caller, and in[] stays as it is: only an op that
  // is in place may move from in[0].
  void (*eval)(const Attrs& attrs, std::span<Value> in, std::span<Value> out) = nullptr;
  // The transpose: for each i with ctx.needs(i) it calls ctx.add(i, ...), written with Ref
  // functions, so that what it does is recorded where that is wanted.
  void (*vjp)(VjpContext& ctx) = nullptr;
  // Calls ctx.set(j, ...) for each output. A linear op needs none.
  void (*jvp)(JvpContext& ctx) = nullptr;
  // In place of eval, vjp and jvp: the op is a name for a composition of others, and is not
  // recorded itself.
  std::vector<Ref> (*compose)(const Attrs& attrs, std::span<const Ref> in) = nullptr;

  // The op on many lanes at once. Where it is null the traits decide (ops/lanes.cpp): by_element,
  // matrix_stack and axes have rules for all ops; any other op is applied to each lane by itself.
  std::vector<Ref> (*lanes)(const LanesCall& call) = nullptr;
  // Writes the op as code of scalars; false where it can't, and then nothing was written. Where it
  // is null, by_element functions and ops that only move elements have rules (ops/expand.cpp); any
  // other op stays whole.
  bool (*expand)(ExpandContext& ctx) = nullptr;
  // Whether that code gives the bits of eval for packed inputs, or says that it can't. Without it
  // the op is taken apart only where another order of additions is allowed.
  bool expand_keeps_bits = false;

  // What the derivative rules with respect to input i read; for i past the end the last entry
  // counts.
  std::vector<ReadMask> reads{};

  bool linear = false;        // jointly linear in its floating inputs: jvp is eval on the tangents
  bool by_element = false;    // each element follows from those at its place, after broadcasting
  bool converts = false;      // the same numbers in the dtype that attribute 0 tells
  bool matrix_stack = false;  // works on each of a stack of square matrices by itself
  int8_t axes = -1;           // the attribute that names the axes that it works along
  ViewKind view = ViewKind::none;
  MemorySharing shares = MemorySharing::none;
  ElementKind elements = ElementKind::computed;
  ReductionKind reduces = ReductionKind::none;
  JoinKind join = JoinKind::none;
  KeyKind key = KeyKind::none;
  UpdateKind update = UpdateKind::none;
  ProductKind product = ProductKind::none;
  FrameKind frame = FrameKind::none;
  bool in_place = false;   // eval may overwrite in[0] where it owns its buffer
  bool by_region = false;  // its work goes by the region of the key, not by all of the first input
  const char* summary = "";  // meaning, one line
  int scalar_fn = -1;  // index of the scalar function behind an elementwise op; rules come from it
  uint16_t id = 0;     // set by the registry

  ReadMask reads_of(size_t i) const {
    return reads.empty() ? reads_nothing : reads[i < reads.size() ? i : reads.size() - 1];
  }

  // Facts that follow from the traits.

  // Results hold all elements of the input, in its memory.
  bool is_whole_view() const { return view != ViewKind::none && view != ViewKind::part; }
  bool adds_up() const { return reduces == ReductionKind::sum; }
  // Elements are copied: what it costs goes by their number. Rows in reverse order are read as if.
  bool copies() const {
    return elements != ElementKind::computed && reduces == ReductionKind::none &&
           (view == ViewKind::none || view == ViewKind::reversed);
  }
  // Of an array of one element it gives that element.
  bool passes_single_element() const {
    return is_whole_view() || (reduces != ReductionKind::none && reduces != ReductionKind::other);
  }
  // How many of the inputs hold elements; index arrays come after them.
  size_t n_element_inputs(size_t n_inputs) const {
    return key == KeyKind::arrays ? (update == UpdateKind::none ? 1 : 2) : n_inputs;
  }
  Pattern pattern() const;
};

// Registers a copy and returns it with its id set. Names are unique.
const Op& register_op(Op op);
// For what comes by name from outside: Python, files, tests. Null where there is none.
const Op* find_op(std::string_view name);
inline const Op& op_by_id(uint16_t id);
int op_count();

// Throws a TypeError that names the attribute where these are not what the op declares.
void check_attrs(const Op& op, const Attrs& attrs);
// Attributes that are given by name, in the op's order, with its defaults.
Attrs named_attrs(const Op& op, std::span<const std::pair<std::string_view, Attr>> given);
// {axis=(0), keepdims=false}
void print_attrs(std::ostream& out, const Op& op, const Attrs& attrs);

namespace op_detail {
extern std::array<const Op*, 1 << 16> by_id;  // asked at every node of every sweep
}
inline const Op& op_by_id(uint16_t id) { return *op_detail::by_id[id]; }

}  // namespace tapegrad
