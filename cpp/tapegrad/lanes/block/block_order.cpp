#include "tapegrad/lanes/block/block_order.h"

#include <queue>

#include "tapegrad/lanes/block/block_rows.h"
#include "tapegrad/lanes/machine_function.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {
namespace {

constexpr uint32_t none = ~uint32_t{0};

// Gives each row that is written a place of its own.
template <class T>
void write_once(BlockCode<T>& code) {
  std::vector<uint32_t> now(code.places);
  for (uint32_t p = 0; p < code.places; ++p) now[p] = p;
  code.places = code.first_slot;
  for (LaneStep<T>& s : code.steps) {
    visit_rows(
        s, code.lists.data(), [&](uint32_t& place) { place = now[place]; },
        [&](uint32_t& place) {
          const uint32_t old = place;
          if (old >= code.first_slot) now[old] = code.places++;
          place = now[old];
        });
  }
}

// The order of the steps: those with instructions as long as there are some whose rows are there,
// then all others whose rows are there.
template <class T>
std::vector<uint32_t> order_of(const BlockCode<T>& code, uint32_t window) {
  const auto n = static_cast<uint32_t>(code.steps.size());
  std::vector<uint32_t> writer(code.places, none), missing(n);
  std::vector<std::vector<uint32_t>> readers(n);
  for (uint32_t i = 0; i < n; ++i)
    visit_rows(
        code.steps[i], code.lists.data(),
        [&](const uint32_t& place) {
          if (writer[place] == none) return;
          readers[writer[place]].push_back(i);
          ++missing[i];
        },
        [&](const uint32_t& place) { writer[place] = i; });
  using Earliest = std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>>;
  Earliest ready[2];  // without instructions, and with
  const auto make_ready = [&](uint32_t i) { ready[has_instructions(code.steps[i])].push(i); };
  for (uint32_t i = 0; i < n; ++i)
    if (missing[i] == 0) make_ready(i);
  std::vector<uint32_t> order;
  std::vector<uint8_t> done(n);
  uint32_t first = 0;  // that is not done
  const auto is_near = [&](const Earliest& queue) {
    return !queue.empty() && queue.top() < first + window;
  };
  const auto take = [&](Earliest& queue) {
    const uint32_t i = queue.top();
    queue.pop();
    order.push_back(i);
    done[i] = 1;
    while (first < n && done[first]) ++first;
    for (uint32_t r : readers[i])
      if (--missing[r] == 0) make_ready(r);
  };
  while (order.size() < n) {
    while (is_near(ready[1])) take(ready[1]);
    while (is_near(ready[0])) take(ready[0]);
  }
  return order;
}

}  // namespace

template <class T>
bool has_instructions(const LaneStep<T>& s) {
  switch (s.form) {
    case LaneForm::function:
      return machine_function(ScalarFn{s.fn}) != emit::Function::call ||
             ScalarFn{s.fn} == scalar_fn_of<Clip>() || ScalarFn{s.fn} == scalar_fn_of<WithValue>();
    case LaneForm::row_copy:
    case LaneForm::pair:
    case LaneForm::two_products:
    case LaneForm::product_difference:
    case LaneForm::sum_of_products:
    case LaneForm::contracted_products:
    case LaneForm::products_tile:
      return true;
    default:
      return false;
  }
}

template <class T>
BlockCode<T> in_long_pieces(const BlockCode<T>& code, uint32_t window) {
  BlockCode<T> made = code;
  write_once(made);
  const std::vector<uint32_t> order = order_of(made, window);
  std::vector<LaneStep<T>> steps;
  steps.reserve(order.size());
  for (uint32_t i : order) steps.push_back(made.steps[i]);
  made.steps = std::move(steps);
  return made;
}

template bool has_instructions(const LaneStep<float>&);
template bool has_instructions(const LaneStep<double>&);
template BlockCode<float> in_long_pieces(const BlockCode<float>&, uint32_t);
template BlockCode<double> in_long_pieces(const BlockCode<double>&, uint32_t);

}  // namespace tapegrad
