#include "tapegrad/lanes/plan/lane_fusion.h"
#include "tapegrad/scalar/functions/function_list.h"

#include <algorithm>

namespace tapegrad {

LaneFusion::LaneFusion(const LaneKernel& kernel, const InputBits& uniform)
    : k_(kernel),
      short_(uniform[kernel.n_inputs]),
      batch_(kernel.batch != nullptr),
      first_constant_(kernel.first_constant()),
      first_result_(kernel.first_result()),
      count_(first_result_ + kernel.code.size()),
      alias_(count_),
      arity_(kernel.code.size()),
      needed_(count_, 0),
      uniform_(count_, 0),
      uses_(count_, 0),
      first_output_(count_, none),
      next_output_(kernel.outputs.size(), none),
      last_(count_, none) {
  for (uint32_t i = 0; i < k_.n_inputs; ++i) uniform_[i] = uniform[i];
  for (uint32_t i = first_constant_; i < first_result_; ++i) uniform_[i] = 1;
}

void LaneFusion::analyse() {
  for (uint32_t op = 0; op < count_; ++op) {
    alias_[op] = op;
    if (!is_result(op)) continue;
    const auto& step = code(op);
    arity_[op - first_result_] = static_cast<uint8_t>(lane_arity(step.fn));
    if (step.fn == scalar_fn_of<Positive>() || step.fn == scalar_fn_of<Conjugate>()) {
      alias_[op] = alias_[step.args[0]];
      continue;
    }
    bool uniform = !is_row_fn(step.fn) && !is_window_fn(step.fn);
    for (int i = 0; i < arity(op); ++i) uniform &= uniform_[arg(op, i)] != 0;
    uniform_[op] = uniform;
  }
  for (size_t k = k_.outputs.size(); k-- > 0;) {
    const uint32_t op = alias_[k_.outputs[k].operand];
    next_output_[k] = first_output_[op];
    first_output_[op] = static_cast<uint32_t>(k);
    needed_[op] = 1;
  }
  for (const LaneKernel::Output& o : k_.outputs) {
    if (o.once == none) continue;
    needed_[alias_[o.once]] = 1;
    ++uses_[alias_[o.once]];
  }
  for (uint32_t op = static_cast<uint32_t>(count_); op-- > first_result_;) {
    if (!needed_[op] || alias_[op] != op) continue;
    for (int i = 0; i < arity(op); ++i) {
      needed_[arg(op, i)] = 1;
      if (!uniform_[op]) ++uses_[arg(op, i)];
    }
  }
  for (uint32_t op = 0; op < count_; ++op)
    for (uint32_t k = first_output_[op]; k != none; k = next_output_[k]) ++uses_[op];
}

int LaneFusion::first_of(ScalarFn fn) {
  switch (fn) {
    case scalar_fn_of<Add>():
      return static_cast<int>(LaneFirst::add);
    case scalar_fn_of<Subtract>():
      return static_cast<int>(LaneFirst::subtract);
    case scalar_fn_of<Multiply>():
      return static_cast<int>(LaneFirst::multiply);
    case scalar_fn_of<Zmul>():
      return static_cast<int>(LaneFirst::zmul);
    case scalar_fn_of<Negative>():
      return static_cast<int>(LaneFirst::negative);
    case scalar_fn_of<Square>():
      return static_cast<int>(LaneFirst::square);
    default:
      return -1;
  }
}

int LaneFusion::second_of(ScalarFn fn, int side) {
  switch (fn) {
    case scalar_fn_of<Add>():
      return static_cast<int>(LaneSecond::add);
    case scalar_fn_of<Subtract>():
      return static_cast<int>(side ? LaneSecond::subtract_from : LaneSecond::subtract);
    case scalar_fn_of<Multiply>():
      return static_cast<int>(LaneSecond::multiply);
    case scalar_fn_of<Zmul>():
      return static_cast<int>(side ? LaneSecond::zmul_by : LaneSecond::zmul);
    case scalar_fn_of<Negative>():
      return static_cast<int>(LaneSecond::negative);
    case scalar_fn_of<Square>():
      return static_cast<int>(LaneSecond::square);
    default:
      return -1;
  }
}

bool LaneFusion::can_take(uint32_t root, uint32_t op, uint32_t distance) const {
  return is_result(op) && !uniform_[op] && uses_[op] == 1 && root - op <= distance &&
         first_of(code(op).fn) >= 0;
}

bool LaneFusion::is_row_product(uint32_t op) const {
  return is(op, scalar_fn_of<Multiply>()) && !uniform_[arg(op, 0)] && !uniform_[arg(op, 1)];
}

// a * b, or a * a where that may count as one.
bool LaneFusion::is_product(uint32_t op) const {
  return is(op, scalar_fn_of<Multiply>()) || (batch_ && is(op, scalar_fn_of<Square>()));
}

// Gives the argument of the sum `op` that is a product which it can take in; -1: there is none.
int LaneFusion::product_side(uint32_t op) const {
  if (op == none || !is(op, scalar_fn_of<Add>())) return -1;
  for (int side = 1; side >= 0; --side) {
    const uint32_t p = arg(op, side);
    if (can_take(op, p, 4 * reach) && is_product(p)) return side;
  }
  return -1;
}

// A row comes first.
std::pair<uint32_t, uint32_t> LaneFusion::factors(uint32_t product) const {
  const uint32_t a = arg(product, 0), b = arity(product) == 1 ? a : arg(product, 1);
  return uniform_[a] ? std::pair{b, a} : std::pair{a, b};
}

bool LaneFusion::fuse_sum_of_products(uint32_t root) {
  products_.clear();
  sums_.clear();
  uint32_t start = root;
  for (int side; (side = product_side(start)) >= 0;) {
    const uint32_t sum = start;
    sums_.push_back(sum);
    products_.push_back(arg(sum, side));
    start = arg(sum, 1 - side);
    if (!can_take(sum, start, 4 * reach)) break;
    if (!is_product(start)) continue;
    products_.push_back(start);
    start = none;
    break;
  }
  if (start != none && uniform_[start] && !sums_.empty()) {
    start = sums_.back();
    sums_.pop_back();
    products_.pop_back();
  }
  if (products_.size() < (batch_ ? least_contracted : least_products)) return false;
  for (uint32_t sum : sums_) shape_of(sum) = Shape::dropped;
  for (uint32_t product : products_) shape_of(product) = Shape::dropped;
  shape_of(root) = Shape::sum_of_products;
  extra_[root - first_result_] = static_cast<uint32_t>(lists_.size());
  std::vector<uint32_t>& list = lists_.emplace_back();
  list.push_back(start);
  for (size_t i = products_.size(); i-- > 0;) {
    const auto [a, b] = factors(products_[i]);
    list.push_back(a);
    list.push_back(b);
  }
  return true;
}

void LaneFusion::fuse() {
  shape_.assign(k_.code.size(), Shape::dropped);
  extra_.assign(k_.code.size(), 0);
  for (uint32_t op = first_result_; op < count_; ++op)
    if (needed_[op] && !uniform_[op] && alias_[op] == op) shape_of(op) = Shape::single;
  for (uint32_t op = static_cast<uint32_t>(count_); op-- > first_result_;) {
    if (shape_of(op) != Shape::single) continue;
    if (fuse_summed_product(op) || fuse_sum_of_products(op)) continue;
    if (!fuse_two_products(op)) fuse_pair(op);
  }
}

bool LaneFusion::fuse_summed_product(uint32_t root) {
  if (!batch_ || !is_product(root) || uses_[root] != 1 || first_output_[root] == none) return false;
  if (!k_.outputs[first_output_[root]].summed) return false;
  shape_of(root) = Shape::summed_product;
  return true;
}

bool LaneFusion::fuse_two_products(uint32_t root) {
  const bool sum = is(root, scalar_fn_of<Add>());
  if (!sum && !is(root, scalar_fn_of<Subtract>())) return false;
  const uint32_t a = arg(root, 0), b = arg(root, 1);
  if (!can_take(root, a) || !can_take(root, b) || !is_row_product(a) || !is_row_product(b))
    return false;
  shape_of(root) = sum ? Shape::products : Shape::difference;
  shape_of(a) = shape_of(b) = Shape::dropped;
  return true;
}

void LaneFusion::fuse_pair(uint32_t root) {
  for (int side = 0; side < arity(root) && arity(root) <= 2; ++side) {
    if (second_of(code(root).fn, side) < 0 || !can_take(root, arg(root, side))) continue;
    shape_of(root) = Shape::pair;
    extra_[root - first_result_] = static_cast<uint32_t>(side);
    shape_of(arg(root, side)) = Shape::dropped;
    return;
  }
}

void LaneFusion::operands_of(uint32_t root, std::vector<uint32_t>& to) {
  const auto all = [&](uint32_t op) {
    for (int i = 0; i < arity(op); ++i) to.push_back(arg(op, i));
  };
  switch (shape_of(root)) {
    case Shape::single:
    case Shape::summed_product:
      return all(root);
    case Shape::pair: {
      const int side = side_of(root);
      all(arg(root, side));
      if (arity(root) == 2) to.push_back(arg(root, 1 - side));
      return;
    }
    case Shape::products:
    case Shape::difference:
      all(arg(root, 0));
      return all(arg(root, 1));
    case Shape::sum_of_products: {
      const std::vector<uint32_t>& list = list_of(root);
      to.insert(to.end(), list.begin() + (list[0] == none), list.end());
      return;
    }
    case Shape::dropped:
      return;
  }
}

void LaneFusion::order_roots() {
  for (uint32_t op = first_result_; op < count_; ++op)
    if (shape_of(op) != Shape::dropped) roots_.push_back(op);
  if (short_ && roots_.size() >= least_grouped) group_roots();
  if (batch_) tile_sums();
}

void LaneFusion::group_roots() {
  group(roots_, lane_window, [&](uint32_t op, std::vector<uint32_t>& operands) {
    operands_of(op, operands);
    unsigned mask = 0;
    for (size_t i = 0; i < operands.size() && i < 3; ++i)
      if (uniform_[operands[i]]) mask |= 1u << i;
    const auto fn = static_cast<unsigned>(index_of(code(op).fn));
    constexpr unsigned n = scalar_fn_count;
    if (shape_of(op) == Shape::single) return static_cast<uint16_t>(fn * 8 + mask);
    if (shape_of(op) != Shape::pair)
      return static_cast<uint16_t>(n * 8 + static_cast<unsigned>(shape_of(op)));
    const auto first = static_cast<unsigned>(first_of(code(arg(op, side_of(op))).fn));
    const auto second = static_cast<unsigned>(second_of(code(op).fn, side_of(op)));
    return static_cast<uint16_t>(n * 8 + 8 + (first * lane_second_count + second) * 8 + mask);
  });
}

uint32_t LaneFusion::common_products(std::span<const uint32_t> sums) const {
  const std::vector<uint32_t>& first = list_of(sums[0]);
  size_t common = std::min<size_t>(first.size() / 2, most_in_tile);
  for (uint32_t sum : sums) {
    const std::vector<uint32_t>& list = list_of(sum);
    size_t k = 0;
    while (k < common && k < list.size() / 2 && list[2 * k + 1] == first[2 * k + 1] &&
           uniform_[list[2 * k + 2]])
      ++k;
    common = k;
  }
  return static_cast<uint32_t>(common);
}

// A sum of products waits for others of the same rows, until somebody reads it or a while has
// passed.
void LaneFusion::tile_sums() {
  constexpr size_t most_waiting = 32;
  constexpr int patience = 64;  // roots
  std::vector<uint32_t> order, waiting, operands;
  std::vector<uint8_t> waits(count_, 0);
  int passed = 0;
  in_tile_.clear();
  for (uint32_t root : roots_) {
    operands.clear();
    operands_of(root, operands);
    const bool is_read = std::ranges::any_of(operands, [&](uint32_t op) { return waits[op] != 0; });
    if (is_read || waiting.size() == most_waiting || passed == patience) {
      for (uint32_t sum : waiting) waits[sum] = 0;
      put_tiles(waiting, order);
    }
    if (waiting.empty()) passed = 0;
    if (shape_of(root) == Shape::sum_of_products) {
      waiting.push_back(root);
      waits[root] = 1;
    } else {
      order.push_back(root);
      in_tile_.push_back(0);
      ++passed;
    }
  }
  put_tiles(waiting, order);
  roots_ = std::move(order);
}

void LaneFusion::put_tiles(std::vector<uint32_t>& sums, std::vector<uint32_t>& order) {
  constexpr size_t most_sums = 4;
  constexpr uint32_t least_common = 2;
  const auto products = [&](uint32_t sum) {
    return static_cast<uint32_t>(list_of(sum).size() / 2);
  };
  std::ranges::stable_sort(sums, {}, [&](uint32_t sum) { return list_of(sum)[1]; });
  for (size_t i = 0, n; i < sums.size(); i += n) {
    for (n = 1; n < most_sums && i + n < sums.size(); ++n) {
      const uint32_t common = common_products(std::span(sums).subspan(i, n + 1));
      if (common < least_common || 2 * common < products(sums[i + n]) ||
          2 * common < products(sums[i]))
        break;
    }
    for (size_t k = 0; k < n; ++k) {
      order.push_back(sums[i + k]);
      in_tile_.push_back(k > 0);
    }
  }
  sums.clear();
}

}  // namespace tapegrad
