// Finds out which instructions of a kernel are needed, which are the same for all lanes, and which
// of the others are run together. Going backwards, an instruction (a root) takes in a cheap
// argument that nobody else reads and that was computed shortly before: both are then one pass over
// the rows. Each function is rounded as it is alone; a sum of products keeps its order.
#pragma once

#include <span>
#include <utility>
#include <vector>

#include "tapegrad/lanes/lane_plan.h"
#include "tapegrad/lanes/plan/lane_schedule.h"

namespace tapegrad {

class LaneFusion {
 protected:
  static constexpr uint32_t none = ~uint32_t{0};
  static constexpr size_t least_grouped = 32;  // shorter codes stay in order

  enum class Shape : uint8_t {
    dropped,  // not needed, uniform, or part of a root
    single,
    pair,             // one argument is fused
    products,         // a*b + c*d
    difference,       // a*b - c*d
    sum_of_products,  // ((t + a*b) + c*d) ...
    summed_product    // a*b, of which only a sum over the batch is wanted
  };

  LaneFusion(const LaneKernel& kernel, const InputBits& uniform);

  void analyse();
  template <class T>
  void plan_registers(RegisterCode<T>& to, bool keep_order);
  void fuse();
  void order_roots();
  // Whether the root at this position is the next sum of a tile, after the one before it.
  bool continues_tile(size_t at) const { return at < in_tile_.size() && in_tile_[at]; }
  // How many products the sums of a tile have in common: the same rows times numbers.
  uint32_t common_products(std::span<const uint32_t> sums) const;

  const ScalarTape::Instruction& code(uint32_t op) const { return k_.code[op - first_result_]; }
  bool is_result(uint32_t op) const { return op >= first_result_; }
  uint32_t arg(uint32_t op, int i) const { return alias_[code(op).args[static_cast<size_t>(i)]]; }
  int arity(uint32_t op) const { return arity_[op - first_result_]; }
  bool is(uint32_t op, ScalarFn fn) const { return code(op).fn == fn; }

  Shape& shape_of(uint32_t op) { return shape_[op - first_result_]; }
  int side_of(uint32_t root) const { return static_cast<int>(extra_[root - first_result_]); }
  Shape shape_of(uint32_t op) const { return shape_[op - first_result_]; }
  const std::vector<uint32_t>& list_of(uint32_t root) const {
    return lists_[extra_[root - first_result_]];
  }
  static int first_of(ScalarFn fn);             // a LaneFirst, or -1
  static int second_of(ScalarFn fn, int side);  // a LaneSecond, or -1

  std::pair<uint32_t, uint32_t> factors(uint32_t product) const;

  // Appends the operands of a root, those of what it has taken in.
  void operands_of(uint32_t root, std::vector<uint32_t>& to);

  // Brings items of one kind together; describe(op, operands) says what an item reads and its kind.
  template <class F>
  void group(std::vector<uint32_t>& items, uint32_t window, F&& describe) {
    std::vector<uint32_t> position(count_, none), first{0}, dependencies, operands;
    std::vector<uint16_t> kinds;
    for (uint32_t i = 0; i < items.size(); ++i) {
      operands.clear();
      kinds.push_back(describe(items[i], operands));
      for (uint32_t op : operands)
        if (position[op] != none) dependencies.push_back(position[op]);
      first.push_back(static_cast<uint32_t>(dependencies.size()));
      position[items[i]] = i;
    }
    std::vector<uint32_t> order = group_by_kind(kinds, first, dependencies, window);
    for (uint32_t& i : order) i = items[i];
    items = std::move(order);
  }

  const LaneKernel& k_;
  const bool short_, batch_;
  const uint32_t first_constant_, first_result_;
  const size_t count_;
  std::vector<uint32_t> alias_;  // what stands for an operand: copies are none
  std::vector<uint8_t> arity_;
  std::vector<uint8_t> needed_, uniform_;
  std::vector<uint32_t> uses_;  // by instructions of lanes, and outputs
  std::vector<uint32_t> first_output_, next_output_;
  std::vector<uint32_t> roots_;  // in the order of the steps
  std::vector<uint32_t> last_;   // the position of the step that reads an operand last
  std::vector<uint32_t> reg_;    // of what is the same for all lanes

 private:
  static constexpr uint32_t reach = 48;  // how far before its root a fused argument may stand
  static constexpr uint32_t least_products = 3, least_contracted = 2;
  static constexpr uint32_t lane_window = 192;

  bool can_take(uint32_t root, uint32_t op, uint32_t distance = reach) const;
  bool is_row_product(uint32_t op) const;
  bool is_product(uint32_t op) const;
  int product_side(uint32_t op) const;
  bool fuse_sum_of_products(uint32_t root);
  bool fuse_two_products(uint32_t root);
  bool fuse_summed_product(uint32_t root);
  void fuse_pair(uint32_t root);
  void group_roots();
  void tile_sums();
  void put_tiles(std::vector<uint32_t>& sums, std::vector<uint32_t>& order);

  std::vector<Shape> shape_;
  std::vector<uint32_t> extra_;               // of a pair: the side; of a sum of products: its list
  std::vector<std::vector<uint32_t>> lists_;  // of each sum of products: t, its factors
  std::vector<uint32_t> products_, sums_;
  std::vector<uint8_t> in_tile_;  // by position among the roots, see continues_tile()
};

}  // namespace tapegrad
