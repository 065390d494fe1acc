#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tapegrad/base/value.h"
#include "tapegrad/tape/attrs.h"

namespace tapegrad {

class Ref;
class VjpContext;
class JvpContext;
struct LanesCall;

// What a rule reads of the application: bits 0..14 are inputs (bit 14 stands for every input from
// 14 on), bits 16..31 are outputs (bit 31 for every output from 15 on).
using ReadMask = uint32_t;
constexpr ReadMask reads_nothing = 0;
constexpr ReadMask reads_in(int i) { return ReadMask{1} << (i < 14 ? i : 14); }
constexpr ReadMask reads_all_inputs = 0x7FFF;
constexpr ReadMask reads_out(int j = 0) { return ReadMask{1} << (j < 15 ? 16 + j : 31); }
constexpr ReadMask reads_all_outputs = 0xFFFF0000;

// The one definition of an operation. Functions are plain pointers; attributes are documented
// beside each op.
//
// eval computes out[] from in[] (both owned by the caller; in[] may be moved from, see in_place).
// vjp is the transpose: for each i with ctx.needs(i) it calls ctx.add(i, ...), written with Ref
// functions, so that
//   what it does is recorded where that is wanted. jvp calls ctx.set(j, ...). A linear op needs no
//   jvp.
// compose replaces eval/vjp/jvp: the op is a name for a composition of others and is itself not
// recorded.
struct Op {
  const char* name = "";
  int n_in = 1;   // -1: any number
  int n_out = 1;  // -1: depends on the attributes (infer tells)

  std::vector<TensorType> (*infer)(const Attrs& attrs, std::span<const TensorType> in) = nullptr;
  void (*eval)(const Attrs& attrs, std::span<Value> in, std::span<Value> out) = nullptr;
  void (*vjp)(VjpContext& ctx) = nullptr;
  void (*jvp)(JvpContext& ctx) = nullptr;
  std::vector<Ref> (*compose)(const Attrs& attrs, std::span<const Ref> in) = nullptr;

  // The op on many lanes at once; null where an application to each lane has to do.
  std::vector<Ref> (*lanes)(const LanesCall& call) = nullptr;

  // What the derivative rules with respect to input i read; for i past the end the last entry
  // counts.
  std::vector<ReadMask> reads{};
  bool linear = false;  // jointly linear in its floating inputs: jvp is eval on the tangents
  bool in_place =
      false;  // eval may overwrite in[0] where it owns its buffer (an op that updates an array)
  bool by_region =
      false;  // its work goes by the region read or written, not by the whole first input
  const char* summary = "";  // attributes and meaning, one line
  int scalar_fn = -1;  // index of the scalar function behind an elementwise op; rules come from it
  uint16_t id = 0;     // set by the registry

  ReadMask reads_of(size_t i) const {
    return reads.empty() ? reads_nothing : reads[i < reads.size() ? i : reads.size() - 1];
  }
};

// Registers a copy and returns it with its id set. Names are unique.
const Op& register_op(Op op);
const Op* find_op(std::string_view name);  // null where there is none
// Gives a registered op its rule for lanes; before anything is applied.
void set_lanes(std::string_view name, std::vector<Ref> (*lanes)(const LanesCall& call));
const Op& op_by_id(uint16_t id);
int op_count();

}  // namespace tapegrad
