#pragma once

#include <algorithm>
#include <array>
#include <span>

#include "tapegrad/autodiff/variable.h"
#include "tapegrad/ops/scalar_value.h"
#include "tapegrad/scalar/functions/functions.h"
#include "tapegrad/scalar/partial.h"
#include "tapegrad/tape/anomaly/anomaly.h"

// Two float64 scalars, and an element of an array, straight to a node: what record_application
// does, without Refs, Values and the parts that scalars do not have (their values live in the node,
// so nobody counts readers). The nodes, their inputs and counts are the same;
// scalar_operation_test.cpp holds the two together. Everything is inline: an operation costs tens
// of nanoseconds. Not for a Tracer, which wants every constant.

namespace tapegrad {

// A Variable, or a plain number where cell is null.
struct ScalarOperand {
  Cell* cell = nullptr;
  double x = 0;
};

// False where the Variable is no float64 scalar.
inline bool read_scalar(Cell& cell, ScalarOperand& operand) {
  const Value& v = cell.value();
  if (!v.is_scalar() || v.dtype() != DType::float64 || cell.is_blank()) return false;
  operand = {&cell, v.as_double()};
  return true;
}

// For each function and input what the partial derivative reads: bits 0 and 1 are inputs.
struct ScalarReads {
  std::array<std::array<uint8_t, 2>, scalar_fn_count> by_input{};
  ScalarReads() {
    for (size_t f = 0; f < scalar_fn_count; ++f) {
      const ScalarFnInfo& info = scalar_fn_info(static_cast<ScalarFn>(f));
      for (int i = 0; i < info.arity && i < 2; ++i)
        by_input[f][static_cast<size_t>(i)] =
            info.returns_bool
                ? 0
                : static_cast<uint8_t>(partial_tape(static_cast<ScalarFn>(f), i).reads);
    }
  }
};

inline const ScalarReads& scalar_reads() {
  static const ScalarReads reads;
  return reads;
}

// The slot of an input, with a count for its consumer; 0 for a plain number that no rule reads.
inline uint32_t enter_scalar(Tape& tape, const ScalarOperand& s, bool read) {
  if (s.cell == nullptr) {
    if (!read) return 0;
    const uint32_t slot = tape.new_node(NodeKind::constant, 0);
    Node& n = tape.node(slot);
    n.n_in = 0;
    n.origin = ~uint32_t{0};
    n.value.set_scalar_double(s.x);
    return slot;  // its first count is the consumer's
  }
  uint32_t slot;
  if (s.cell->tape() == &tape) {
    slot = s.cell->slot();
  } else {
    slot = tape.enter(s.cell, s.cell->version(), s.cell->value());
  }
  tape.retain_node(slot);
  return slot;
}

// The same by record_single, where somebody looks for bad numbers.
Cell* record_watched_scalar(ScalarFn fn, int arity, const ScalarOperand& a, const ScalarOperand& b,
                            double result);

// x[i], x[i, j] at plain positions, which may count from the end: what loops read, without a key,
// its region and a view. The node is that of Cell::item. Null where there is more to see to:
// positions that name no element, a blank, a function that is being recorded.
Cell* element_at(Cell& x, std::span<const int64_t> positions);

// x[key] of a key of positions, slices, new axes and an ellipsis, which loops read again and again:
// what such a key means for an array of this shape is remembered (part.cpp). The same as
// Cell::item, to which all else is left: null of a view, a blank, and in a function that is being
// recorded.
Cell* part_at(Cell& x, std::span<const IndexEntry> key);

// The same for a key with one or two arrays of positions, or masks along one axis, among its
// entries: `arrays`, which are the function's to change. Views are read too: what such a key
// chooses is a copy.
Cell* elements_at(Cell& x, std::span<IndexEntry> key, std::span<Ref> arrays);

// x[i] = number, of a leaf and at such positions: as Cell::assign does it, which is left to do all
// else where this gives false.
bool set_element(Cell& x, std::span<const int64_t> positions, double number);

// fn(a, b), or fn(a) where arity is 1, of which `result` is the value.
inline Cell* record_scalar_operation(ScalarFn fn, int arity, const ScalarOperand& a,
                                     const ScalarOperand& b, double result) {
  Tape& tape = Tape::current();
  if (!tape.recording()) return Cell::unrecorded_scalar(result);
  const auto check_thread = [&tape](const ScalarOperand& s) {
    if (s.cell != nullptr && s.cell->tape() != nullptr && s.cell->tape() != &tape)
      throw_wrong_thread(*s.cell->tape(), "arithmetic");
  };
  check_thread(a);
  check_thread(b);
  if (anomaly::may_watch()) [[unlikely]]
    return record_watched_scalar(fn, arity, a, b, result);
  const auto& reads = scalar_reads().by_input[index_of(fn)];
  const unsigned mask = (a.cell ? reads[0] : 0u) | (b.cell ? reads[1] : 0u);
  const uint32_t in0 = enter_scalar(tape, a, mask & 1);
  const uint32_t in1 = arity == 2 ? enter_scalar(tape, b, mask & 2) : 0;
  const uint32_t slot = tape.new_node(NodeKind::op, static_cast<uint16_t>(fn));
  Node& n = tape.node(slot);
  n.n_in = static_cast<uint8_t>(arity);
  n.in[0] = in0;
  n.in[1] = in1;
  uint32_t origin = ~uint32_t{0};
  if (a.cell) origin = tape.node(in0).origin;
  if (b.cell) origin = std::min(origin, tape.node(in1).origin);
  n.origin = origin;
  n.value.set_scalar_double(result);
  return Cell::adopt(&tape, slot);
}

inline Cell* apply_scalar_operation(ScalarFn fn, const ScalarOperand& a) {
  return record_scalar_operation(fn, 1, a, {}, scalar_value(fn, a.x));
}
inline Cell* apply_scalar_operation(ScalarFn fn, const ScalarOperand& a, const ScalarOperand& b) {
  return record_scalar_operation(fn, 2, a, b, scalar_value(fn, a.x, b.x));
}

}  // namespace tapegrad
