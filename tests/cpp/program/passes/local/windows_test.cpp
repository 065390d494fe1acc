#include "program/programs.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

constexpr int64_t turns = 20;

// x[a:b] of so many elements; of a matrix, x[a:b, c:d] and x[c, a:b].
Ints part(int64_t start, int64_t length) { return {1, start, 1, length}; }
Ints at(int64_t i) { return {0, i, 0, 0}; }
Ints both(Ints a, const Ints& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

size_t steps_of(const Program& p, const char* name) {
  size_t n = 0;
  for (const Program::Step& s : p.steps) n += s.kernel < 0 && s.op == op_named(name).id;
  return n;
}

Value counted(const Dims& shape) {
  return filled(DType::float64, shape,
                [](int64_t i) { return 0.1 * static_cast<double>(i * i % 37) - 1.0; });
}

Program joined(const Program& p, const std::vector<Value>& inputs) {
  const Program q = drop_dead(join_windows(p));
  check_program(q);
  const std::vector<Value> expected = run(p, inputs), found = run(q, inputs);
  for (size_t k = 0; k < expected.size(); ++k) CHECK(same_numbers(found[k], expected[k]));
  return q;
}

// y = sin(y) + x[key(t)] at each turn.
template <class Key>
Program reading(const Dims& shape, const Dims& window, const Key& key) {
  Draft d;
  const ValueId x = d.input(shape);
  ValueId y = d.input(window);
  for (int64_t t = 0; t < turns; ++t)
    y = d.op("add", {d.op("sin", {y}), d.op("slice", {x}, Attrs{key(t)})});
  return d.returning({y});
}

// x[key(t)] += u at each turn, for another u each time.
template <class Key>
Program adding(const Dims& shape, const Dims& window, const Key& key) {
  Draft d;
  ValueId x = d.input(shape), u = d.input(window);
  for (int64_t t = turns; t-- > 0;) {
    u = d.op("sin", {u});
    x = d.op("slice_add", {x, u}, Attrs{key(t)});
  }
  return d.returning({x});
}

}  // namespace

TEST(windows_that_overlap_are_gathered_at_once) {
  const auto key = [](int64_t t) { return part(2 * t, 5); };
  const Program q = joined(reading({50}, {5}, key), {counted({50}), counted({5})});
  CHECK(steps_of(q, "gather") == 1);
  CHECK(steps_of(q, "slice") == turns);  // of rows
}

TEST(windows_that_lie_end_to_end_are_the_array_in_another_shape) {
  const auto key = [](int64_t t) { return part(3 + 300 * t, 300); };
  const Program q = joined(reading({7000}, {300}, key), {counted({7000}), counted({300})});
  CHECK(steps_of(q, "gather") == 0);
  CHECK(steps_of(q, "reshape") == 1);
  const auto rows = [](int64_t t) { return both(part(3 * t, 3), part(0, 4)); };
  CHECK(steps_of(joined(reading({60, 5}, {3, 4}, rows), {counted({60, 5}), counted({3, 4})}),
                 "reshape") == 1);
}

TEST(windows_of_a_matrix_keep_the_order_of_their_axes) {
  const std::vector<Value> in{counted({30, 12}), counted({3, 4})};
  const auto moving_both = [](int64_t t) { return both(part(t, 3), part(t % 7, 4)); };
  const auto moving_last = [](int64_t t) { return both(part(2, 3), part(t % 7, 4)); };
  const auto moving_first = [](int64_t t) { return both(part(t, 3), part(2, 4)); };
  CHECK(steps_of(joined(reading({30, 12}, {3, 4}, moving_both), in), "gather") == 1);
  CHECK(steps_of(joined(reading({30, 12}, {3, 4}, moving_last), in), "gather") == 1);
  CHECK(steps_of(joined(reading({30, 12}, {3, 4}, moving_first), in), "gather") == 1);
  const auto row = [](int64_t t) { return both(at(t), part(t % 7, 4)); };
  CHECK(steps_of(joined(reading({30, 12}, {4}, row), {counted({30, 12}), counted({4})}),
                 "gather") == 1);
}

TEST(additions_to_windows_keep_their_order) {
  const auto key = [](int64_t t) { return part(2 * t, 5); };
  const Program q = joined(adding({50}, {5}, key), {counted({50}), counted({5})});
  CHECK(steps_of(q, "gather_add") == 1);
  const auto apart = [](int64_t t) { return both(part(2 * t, 2), part(1, 3)); };
  const Program r = joined(adding({40, 5}, {2, 3}, apart), {counted({40, 5}), counted({2, 3})});
  CHECK(steps_of(r, "gather_add") == 0);
  CHECK(steps_of(r, "slice_add") == 1);
  const auto last = [](int64_t t) { return both(part(1, 2), part(t % 7, 4)); };
  CHECK(steps_of(joined(adding({5, 12}, {2, 4}, last), {counted({5, 12}), counted({2, 4})}),
                 "gather_add") == 1);
}

TEST(what_is_read_in_between_is_not_joined) {
  Draft d;
  ValueId x = d.input({50}), u = d.input({5});
  for (int64_t t = 0; t < turns; ++t) {
    x = d.op("slice_add", {x, u}, Attrs{part(2 * t, 5)});
    u = d.op("slice", {x}, Attrs{part(t, 5)});
  }
  const Program q = joined(d.returning({x, u}), {counted({50}), counted({5})});
  CHECK(steps_of(q, "gather") == 0);
  CHECK(steps_of(q, "slice_add") == turns);
}

TEST(other_slices_stay) {
  // Long ones that overlap; single positions; keys with axes of their own in front.
  const auto far = [](int64_t t) { return part(t, 300); };
  const auto row = [](int64_t t) { return both(at(t), part(0, 3)); };
  const auto own = [](int64_t t) { return both({2, 0, 0, 0}, part(t, 3)); };
  CHECK(steps_of(joined(reading({400}, {300}, far), {counted({400}), counted({300})}), "gather") ==
        0);
  CHECK(steps_of(joined(reading({30, 5}, {3}, row), {counted({30, 5}), counted({3})}), "gather") ==
        0);
  CHECK(steps_of(joined(reading({30}, {1, 3}, own), {counted({30}), counted({1, 3})}), "gather") ==
        0);
}
