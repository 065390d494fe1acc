// The steps over blocks of lanes that a scalar tape is planned as, and the loops behind them at the
// instruction-set level in use.
//
// A step reads and writes *places*: numbers of a table of pointers, one to the first lane of a row
// each, or to the one number of a uniform operand. Rows hold a multiple of LaneLoops::width lanes,
// one vector register; loops run over whole vectors, lanes past the end of a block are copies of
// its last one. The loops here (not those of elementwise_table.h) may write the row that they read.
#pragma once

#include <cstdint>

#include "tapegrad/rows/elementwise_table.h"

namespace tapegrad {

template <class T>
struct LaneFrame;
template <class T>
struct LaneStep;

template <class T>
using LaneHandler = void (*)(const LaneStep<T>& step, T* const* at, int64_t n, LaneFrame<T>& frame);

// What a step computes, for a back end that has no use for `run`.
enum class LaneForm : uint8_t {
  function,             // out = fn(a, b, c)
  pair,                 // out = second(first(a, b), c): fn is first * lane_second_count + second
  two_products,         // out = a*b + c*d
  product_difference,   // out = a*b - c*d
  sum_of_products,      // out = (t + a0*b0) + a1*b1 ..., see LaneLoops
  contracted_products,  // the same with fused multiply-adds
  sums_of_rows,         // sums over the lanes, see LaneLoops
  row_sum,              // out = the sum of row a, in every lane
  row_copy,             // out = a
  window_add,           // out = a, and within window d a + b
  window_set,           // out = a, and within window d b
  sink,                 // row a goes to frame.sinks[b]
  store,                // row a goes to the array frame.stores[b],
  store_bool,           // as bool,
  store_part,           // or to frame.parts[b]
  products_tile,        // several contracted_products that begin with the same rows
};

template <class T>
struct LaneStep {
  LaneHandler<T> run;
  uint32_t out, a, b, c, d;  // places, or as the form says
  uint16_t fn;
  uint8_t mask;  // which of a, b, c are uniform
  LaneForm form;
};

template <class T>
struct LaneSink;
struct LaneWindow;

// An output of a kernel over a batch: its first lane, and how far apart the lanes are.
struct LaneStore {
  void* data = nullptr;
  int64_t stride = 1;
};

// What one thread holds while it runs blocks.
template <class T>
struct LaneFrame {
  const ElementwiseKernel<T>* kernels = nullptr;
  const uint32_t* lists = nullptr;  // operands of n-ary steps
  LaneSink<T>* sinks = nullptr;
  void* const* stores = nullptr;     // whole output arrays
  const LaneStore* parts = nullptr;  // where the outputs of a kernel over a batch lie
  T* totals = nullptr;               // and the sums that it has by now of the chunk at work
  const LaneWindow* windows = nullptr;
  int64_t begin = 0;  // the block: its first element,
  int64_t count = 0;  // and how many lanes count
};

constexpr int running_sums_bytes = 128;  // the partial sums that reduce_loops.h keeps of a chunk

// A function of two steps in one pass: t = first(a, b), then one of these.
enum class LaneSecond : uint8_t {
  add,            // t + c
  subtract,       // t - c
  subtract_from,  // c - t
  multiply,       // t * c
  zmul,           // zmul(t, c)
  zmul_by,        // zmul(c, t)
  negative,       // -t
  square,         // t * t
};
constexpr int lane_second_count = 8;
constexpr bool takes_operand(LaneSecond s) { return s < LaneSecond::negative; }

// First steps of pairs. Uniform operands: bit 0 of the mask for a, bit 1 for b.
enum class LaneFirst : uint8_t { add, subtract, multiply, zmul, negative, square };
constexpr int lane_first_count = 6;

template <class T>
struct LaneLoops {
  int64_t width = 1;  // lanes of a vector
  // By function and mask of uniform operands; null: elementwise_table.h has the loop.
  LaneHandler<T> single[scalar_fn_limit][8] = {};
  // By functions, mask of a and b, and whether c is uniform.
  LaneHandler<T> pair[lane_first_count][4][lane_second_count][2] = {};
  // a*b + c*d and a*b - c*d, of rows.
  LaneHandler<T> two_products = nullptr, product_difference = nullptr;
  // out = (t + a0*b0) + a1*b1 ..., or from a0*b0 where there is no t: step.a is the place of t or
  // no_place, the pairs of places are frame.lists[step.b ...], step.c of them. Bit 31 of a factor's
  // place: it is uniform.
  LaneHandler<T> sum_of_products = nullptr;
  // The same with fused multiply-adds, where the level has them.
  LaneHandler<T> contracted_products = nullptr;
  // frame.totals[t] += sum of a[i] * b[i] over the lanes that count, for step.c groups of sums in
  // frame.lists[step.b ...] (RowSums); t counts from step.a.
  LaneHandler<T> sums_of_rows = nullptr;

  // sums[(first + i) % lanes] += x[i]: a part of what FoldLoops::row does.
  void (*accumulate)(T* sums, const T* x, int64_t first, int64_t n) = nullptr;
  // 1 where it is true and 0 elsewhere.
  void (*from_bool)(T* to, const bool* from, int64_t n) = nullptr;
  // The sum of a chunk of n elements, and new sums.
  T (*finish)(T* sums, int64_t n) = nullptr;

  // Two or four contracted sums whose first step.c products are of the same rows with numbers.
  // frame.lists[step.b ...] has for each sum the places of the result and of t, and how many
  // products of its own follow; for each common product the row, and the number of each sum; then
  // pairs of places, sum after sum.
  LaneHandler<T> products_tile[2] = {};
};

constexpr uint32_t no_place = ~uint32_t{0};
constexpr uint32_t uniform_place = uint32_t{1} << 31;
constexpr uint32_t most_in_tile = 128;  // products that sums have in common

// Sums over the lanes that run together: a word of the step's list, and the places after it. Where
// fewer are wanted than run, the last one is repeated.
struct RowSums {
  enum Form : uint32_t {
    shared_8,   // a, then eight rows b
    shared_4,   // a, then four rows b
    pairs,      // four times a row a and a row b
    by_numbers  // four times a row a, and b that is uniform, or no_place: the sum of a
  };
  Form form;
  uint32_t wanted;

  static constexpr uint32_t at_once[] = {8, 4, 4, 4}, places[] = {9, 5, 8, 8};  // by form
  uint32_t word() const { return static_cast<uint32_t>(form) << 8 | wanted; }
  [[gnu::always_inline]] static RowSums from(uint32_t word) {
    return {static_cast<Form>(word >> 8), word & 255};
  }
};

template <class T>
const LaneLoops<T>& lane_loops();  // those of isa_level()

// The loops of elementwise_table.h, for steps that call them.
template <class T>
const ElementwiseKernel<T>* whole_row_loops() {
  if constexpr (sizeof(T) == sizeof(double)) {
    return elementwise_table().f64;
  } else {
    return elementwise_table().f32;
  }
}

inline namespace TAPEGRAD_ISA_NAMESPACE {
void fill_lane_loops(LaneLoops<double>& f64, LaneLoops<float>& f32);
void fill_lane_pairs(LaneLoops<double>& loops);
void fill_lane_pairs(LaneLoops<float>& loops);
}  // namespace TAPEGRAD_ISA_NAMESPACE

}  // namespace tapegrad
