#include "tapegrad/lanes/lane_plan.h"

#include <algorithm>
#include <utility>

#include "tapegrad/lanes/lane_sums.h"
#include "tapegrad/lanes/plan/lane_fusion.h"
#include "tapegrad/lanes/plan/lane_handlers.h"
#include "tapegrad/lanes/plan/lane_row_sums.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {
namespace {

template <class T>
class PlanBuilder : LaneFusion {
 public:
  PlanBuilder(const LaneKernel& kernel, const InputBits& uniform, LanePlan<T>& plan,
              bool keep_order)
      : LaneFusion(kernel, uniform), plan_(plan), keep_order_(keep_order) {}

  void build() {
    analyse();
    plan_registers(plan_.uniform, keep_order_);
    fuse();
    order_roots();
    give_places();
    const uint32_t streams = live_streams();
    emit();
    plan_.block.places = static_cast<uint32_t>(plan_.places());
    plan_.spare = spare_rows(plan_.block);
    plan_.block.places += plan_.spare;
    plan_.live = std::max(plan_.slots + streams, 1u);
  }

 private:
  // The table is large; a tape for one element does without.
  static const LaneLoops<T>& loops() { return lane_loops<T>(); }

  template <class F>
  void for_roots(F&& f) {
    std::vector<uint32_t> operands;
    for (uint32_t at = 0; at < roots_.size(); ++at) {
      operands.clear();
      operands_of(roots_[at], operands);
      f(at, roots_[at], operands);
    }
  }

  void give_places() {
    place_.assign(count_, none);
    uint32_t next = 0;
    for (uint32_t i = 0; i < k_.n_inputs; ++i) {
      if (uniform_[i] || !needed_[i]) continue;
      place_[i] = next++;
      plan_.lane_inputs.push_back(i);
    }
    plan_.block.first_number = next;
    std::fill(last_.begin(), last_.end(), none);
    for_roots([&](uint32_t at, uint32_t, const std::vector<uint32_t>& operands) {
      for (uint32_t op : operands) {
        last_[op] = at;
        if (!uniform_[op] || place_[op] != none) continue;
        place_[op] = next++;
        plan_.block.numbers.push_back(reg_[op]);
      }
    });
    for (uint32_t op = first_result_; op < count_ && !batch_; ++op) {
      if (uniform_[op]) continue;
      for (uint32_t k = first_output_[op]; k != none; k = next_output_[k]) {
        if (k_.outputs[k].summed || is_bool(k_.outputs[k].dtype)) continue;
        place_[op] = next++;
        plan_.direct.push_back(k);
        break;
      }
    }
    plan_.block.first_slot = first_slot_ = next;
  }

  // Rows of inputs and outputs that are in use at once: a long kernel reads most of its inputs in
  // one place of its tape.
  uint32_t live_streams() {
    if (roots_.empty()) return 0;
    std::vector<int32_t> change(roots_.size() + 1);
    std::vector<bool> begun(count_);
    for_roots([&](uint32_t at, uint32_t root, const std::vector<uint32_t>& operands) {
      const auto begin = [&](uint32_t op) {
        if (place_[op] >= first_slot_ || uniform_[op] || begun[op]) return;
        begun[op] = true;
        ++change[at];
        --change[(last_[op] == none ? at : last_[op]) + 1];
      };
      std::ranges::for_each(operands, begin);
      begin(root);
    });
    int32_t live = 0, most = 0;
    for (int32_t c : change) most = std::max(most, live += c);
    return static_cast<uint32_t>(most);
  }

  bool has_slot(uint32_t op) const {
    return is_result(op) && !uniform_[op] && place_[op] >= first_slot_;
  }

  uint32_t take_slot() {
    if (free_.empty()) return first_slot_ + plan_.slots++;
    const uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }

  void release_operands(uint32_t at, const std::vector<uint32_t>& operands) {
    for (uint32_t op : operands) {
      if (!has_slot(op) || last_[op] != at) continue;
      free_slot(op);
      last_[op] = none;  // a repeated operand is released once
    }
  }

  void emit() {
    pinned_.assign(count_, 0);
    for (uint32_t i = 0; i < k_.n_inputs; ++i)
      if (!uniform_[i]) emit_outputs(i);
    for_roots([&](uint32_t at, uint32_t root, const std::vector<uint32_t>& operands) {
      if (shape_of(root) == Shape::summed_product) {
        const auto [a, b] = factors(root);
        add_sum(first_output_[root], a, b);
        return release_operands(at, operands);
      }
      if (continues_tile(at) || continues_tile(at + 1)) {
        release_operands(at, operands);
        if (place_[root] == none) place_[root] = take_slot();
        tile_.push_back(root);
        if (!continues_tile(at + 1)) put_tile();
        return;
      }
      LaneStep<T> step = step_of(root);
      const bool calls = step.run == nullptr;  // these may not write what they read
      if (!calls) release_operands(at, operands);
      // A window leaves the rest of its first operand where it is.
      if (place_[root] == none && is_window_fn(code(root).fn))
        if (const auto own = std::ranges::find(free_, step.a); own != free_.end())
          std::swap(*own, free_.back());
      if (place_[root] == none) place_[root] = take_slot();
      if (calls) release_operands(at, operands);
      step.out = place_[root];
      if (calls) step.run = call_loop<T>;
      plan_.ns += calls ? scalar_fn_info(code(root).fn).ns : 0.12;
      put(step);
      finish(root);
    });
    put_sums();
  }

  void finish(uint32_t root) {
    emit_outputs(root);
    if (has_slot(root) && last_[root] == none) free_slot(root);
  }

  // Sums that share their first products are one step. Three run as four, the last one twice.
  void put_tile() {
    const uint32_t common = common_products(tile_), sums = tile_.size() == 2 ? 2 : 4;
    const size_t given = tile_.size();
    tile_.resize(sums, tile_.back());
    LaneStep<T> step{};
    step.b = static_cast<uint32_t>(plan_.block.lists.size());
    step.c = common;
    step.form = LaneForm::products_tile;
    step.run = loops().products_tile[sums == 4];
    std::vector<uint32_t>& to = plan_.block.lists;
    const auto place = [&](uint32_t op) { return place_[op] | (uniform_[op] ? uniform_place : 0); };
    for (uint32_t sum : tile_) {
      const std::vector<uint32_t>& list = list_of(sum);
      to.push_back(place_[sum]);
      to.push_back(list[0] == none ? no_place : place_[list[0]]);
      const auto products = static_cast<uint32_t>(list.size() / 2);
      to.push_back(products - common);
      plan_.ns += 0.03 * products;
    }
    for (uint32_t k = 0; k < common; ++k) {
      to.push_back(place_[list_of(tile_[0])[2 * k + 1]]);
      for (uint32_t sum : tile_) to.push_back(place(list_of(sum)[2 * k + 2]));
    }
    for (uint32_t sum : tile_) {
      const std::vector<uint32_t>& list = list_of(sum);
      for (size_t k = 2 * common + 1; k < list.size(); ++k) to.push_back(place(list[k]));
    }
    put(step);
    tile_.resize(given);
    for (uint32_t sum : tile_) finish(sum);
    tile_.clear();
  }

  using Made = std::pair<LaneForm, LaneHandler<T>>;
  static LaneStep<T> made(LaneStep<T> step, Made how) {
    step.form = how.first;
    step.run = how.second;
    return step;
  }

  // run == nullptr: the loop of elementwise_table.h.
  LaneStep<T> step_of(uint32_t root) {
    LaneStep<T> step{};
    const auto set = [&](uint32_t op, unsigned n) {
      uint32_t* places[4] = {&step.a, &step.b, &step.c, &step.d};
      *places[n] = place_[op];
      if (uniform_[op] && n < 3) step.mask = static_cast<uint8_t>(step.mask | 1u << n);
    };
    const auto set_args = [&](uint32_t op, int from) {
      for (int i = 0; i < arity(op); ++i) set(arg(op, i), from + i);
    };
    switch (shape_of(root)) {
      case Shape::products:
      case Shape::difference:
        set_args(arg(root, 0), 0);
        set_args(arg(root, 1), 2);
        return made(step, shape_of(root) == Shape::products
                              ? Made{LaneForm::two_products, loops().two_products}
                              : Made{LaneForm::product_difference, loops().product_difference});
      case Shape::pair: {
        const int side = side_of(root);
        const uint32_t first = arg(root, side);
        set_args(first, 0);
        const int f = first_of(code(first).fn), s = second_of(code(root).fn, side);
        const bool commutes = is(first, scalar_fn_of<Add>()) || is(first, scalar_fn_of<Multiply>());
        if (commutes && step.mask == 1) {
          std::swap(step.a, step.b);
          step.mask = 2;
        }
        const unsigned mask = step.mask;
        if (arity(root) == 2) set(arg(root, 1 - side), 2);
        step.fn = static_cast<uint16_t>(f * lane_second_count + s);
        return made(step, {LaneForm::pair, loops().pair[f][mask][s][step.mask >> 2]});
      }
      case Shape::sum_of_products: {
        const std::vector<uint32_t>& from = list_of(root);
        step.a = from[0] == none ? no_place : place_[from[0]];
        step.b = static_cast<uint32_t>(plan_.block.lists.size());
        step.c = static_cast<uint32_t>(from.size() / 2);
        for (size_t i = 1; i < from.size(); ++i)
          plan_.block.lists.push_back(place_[from[i]] | (uniform_[from[i]] ? uniform_place : 0));
        plan_.ns += 0.05 * step.c;
        return made(step, batch_ ? Made{LaneForm::contracted_products, loops().contracted_products}
                                 : Made{LaneForm::sum_of_products, loops().sum_of_products});
      }
      default:
        set_args(root, 0);
        if (is_row_fn(code(root).fn)) {
          return made(step, code(root).fn == row_sum ? Made{LaneForm::row_sum, sum_row<T>}
                                                     : Made{LaneForm::row_copy, copy_row<T>});
        }
        if (is_window_fn(code(root).fn)) {
          step.d = code(root).args[2];
          return made(step, code(root).fn == window_add
                                ? Made{LaneForm::window_add, run_window<T, true>}
                                : Made{LaneForm::window_set, run_window<T, false>});
        }
        step.fn = static_cast<uint16_t>(index_of(code(root).fn));
        step.run = loops().single[step.fn][step.mask];
        return step;
    }
  }

  // Sums over the batch wait for others, so that many run together; until then nothing may be
  // written over their rows.
  void add_sum(uint32_t output, uint32_t a, uint32_t b) {
    const auto place = [&](uint32_t op) {
      if (op == none) return no_place;
      if (has_slot(op)) pinned_[op] = 1;
      return place_[op] | (uniform_[op] ? uniform_place : 0);
    };
    if (sums_.empty()) steps_since_sum_ = 0;
    sums_.add({place(a), place(b), output});
    plan_.ns += 0.1;
  }

  void free_slot(uint32_t op) { (pinned_[op] ? held_ : free_).push_back(place_[op]); }

  void put(const LaneStep<T>& step) {
    constexpr size_t most_sums = 64;
    constexpr int patience = 32;
    if (sums_.size() >= most_sums || steps_since_sum_ >= patience) put_sums();
    plan_.block.steps.push_back(step);
    ++steps_since_sum_;
  }

  void put_sums() {
    if (sums_.empty()) return;
    LaneStep<T> step{};
    step.form = LaneForm::sums_of_rows;
    step.run = loops().sums_of_rows;
    step.a = static_cast<uint32_t>(plan_.sinks.size());
    step.b = static_cast<uint32_t>(plan_.block.lists.size());
    step.c = sums_.write(plan_.block.lists, plan_.sinks);
    for (size_t t = step.a; t < plan_.sinks.size(); ++t) {
      const uint32_t once = k_.outputs[plan_.sinks[t]].once;
      plan_.once.push_back(once == none ? no_place : reg_[alias_[once]]);
    }
    plan_.block.steps.push_back(step);
    std::ranges::fill(pinned_, uint8_t{0});
    free_.insert(free_.end(), held_.begin(), held_.end());
    held_.clear();
  }

  void emit_outputs(uint32_t op) {
    for (uint32_t k = first_output_[op]; k != none; k = next_output_[k]) {
      if (batch_ && k_.outputs[k].summed) {
        add_sum(k, op, none);
        continue;
      }
      LaneStep<T> step{};
      step.a = place_[op];
      step.b = k;
      if (k_.outputs[k].summed) {
        step.b = static_cast<uint32_t>(plan_.sinks.size());
        plan_.sinks.push_back(k);
        step = made(step, {LaneForm::sink, sink<T>});
      } else if (batch_) {
        step = made(step, {LaneForm::store_part,
                           is_bool(k_.outputs[k].dtype) ? store_part<T, bool> : store_part<T, T>});
      } else if (is_bool(k_.outputs[k].dtype)) {
        step = made(step, {LaneForm::store_bool, store_bool<T>});
      } else if (is_direct(op, k)) {
        continue;
      } else {
        step = made(step, {LaneForm::store, store<T>});
      }
      plan_.ns += 0.15;
      put(step);
    }
  }

  bool is_direct(uint32_t op, uint32_t output) const {
    const size_t first = plan_.lane_inputs.size() + plan_.block.numbers.size();
    return is_result(op) && place_[op] < first_slot_ && plan_.direct[place_[op] - first] == output;
  }

  LanePlan<T>& plan_;
  const bool keep_order_;
  std::vector<uint32_t> place_;
  uint32_t first_slot_ = 0;
  std::vector<uint32_t> free_;
  LaneRowSums sums_;             // that are not written yet
  int steps_since_sum_ = 0;      // since the first of them
  std::vector<uint8_t> pinned_;  // by operand: one of them reads it
  std::vector<uint32_t> held_;   // slots that are free when they are written
  std::vector<uint32_t> tile_;   // sums of products that are one step, up to now
};

}  // namespace

template <class T>
std::unique_ptr<LanePlan<T>> make_lane_plan(const LaneKernel& kernel, const InputBits& uniform) {
  auto plan = std::make_unique<LanePlan<T>>();
  PlanBuilder<T>(kernel, uniform, *plan, false).build();
  return plan;
}

template <class T>
RegisterCode<T> make_register_code(const ScalarTape& tape, std::span<const uint32_t> outputs,
                                   bool keep_order) {
  LaneKernel kernel{tape};
  for (uint32_t operand : outputs) kernel.outputs.push_back({operand});
  InputBits uniform(tape.n_inputs);
  for (uint32_t i = 0; i < tape.n_inputs; ++i) uniform.set(i);
  LanePlan<T> plan;
  PlanBuilder<T>(kernel, uniform, plan, keep_order).build();
  return std::move(plan.uniform);
}

template <class T>
std::string machine_code_of(const LanePlan<T>& plan) {
  std::string all;
  if (plan.uniform.machine.is_compiled()) all += listing_of(plan.uniform);
  if (plan.block.machine.is_compiled()) all += listing_of(plan.block);
  return all;
}

template std::string machine_code_of(const LanePlan<float>&);
template std::string machine_code_of(const LanePlan<double>&);
template std::unique_ptr<LanePlan<float>> make_lane_plan(const LaneKernel&, const InputBits&);
template std::unique_ptr<LanePlan<double>> make_lane_plan(const LaneKernel&, const InputBits&);
template RegisterCode<float> make_register_code(const ScalarTape&, std::span<const uint32_t>, bool);
template RegisterCode<double> make_register_code(const ScalarTape&, std::span<const uint32_t>,
                                                 bool);

}  // namespace tapegrad
