#include "tapegrad/program/scan/scan.h"

#include "program/scan/scan_cases.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/program/body/call.h"

using namespace programs;
using scans::form_of;
using namespace tapegrad;

namespace {

// The steps one after the other, by their ops.
Function unrolled(const ScanForm& f) {
  return [f](const Refs& in) {
    Refs carries(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(f.n_carry));
    std::vector<Refs> ys(f.n_ys(), Refs(static_cast<size_t>(f.length)));
    for (int64_t step = 0; step < f.length; ++step) {
      const int64_t t = f.reverse ? f.length - 1 - step : step;
      Refs given = carries;
      for (size_t k = 0; k < f.n_xs; ++k) {
        const Ref& x = in[f.n_carry + k];
        given.push_back(slice(x, IndexSpec::entry(x.shape(), 0, t)));
      }
      given.insert(given.end(), in.begin() + static_cast<std::ptrdiff_t>(f.n_carry + f.n_xs),
                   in.end());
      Refs out = replay(f.body->program(), given, {});
      for (size_t k = 0; k < ys.size(); ++k) ys[k][static_cast<size_t>(t)] = out[f.n_carry + k];
      out.resize(f.n_carry);
      carries = out;
    }
    for (const Refs& y : ys) carries.push_back(stack(y, 0));
    return carries;
  };
}

Function scanned(const ScanForm& f) {
  return [f](const Refs& in) { return scan(f, in); };
}

// With the incoming carries among its outputs, as what is differentiated is recorded.
Function saving(const ScanForm& f) {
  return [f](const Refs& in) {
    ScanForm all = f;
    all.body = with_carries(f);
    Refs out = scan(all, in);
    out.resize(f.body->n_out());
    return out;
  };
}

Function holding(ScanForm f, int64_t checkpoints) {
  f.checkpoints = checkpoints;
  return scanned(f);
}

void check_scan(const ScanForm& f, const std::vector<Value>& at,
                const std::vector<Value>& elsewhere) {
  check_same_function(scanned(f), unrolled(f), at, elsewhere);
  check_same_function(saving(f), unrolled(f), at, elsewhere);
  check_same_function(holding(f, 1), unrolled(f), at, elsewhere);
  check_same_function(holding(f, 3), unrolled(f), at, elsewhere);
}

Ref tanh(const Ref& x) { return elementwise(scalar_fn_of<Tanh>(), {x}); }

// h, c, x, W, b -> tanh(W h + x c) + b, c cos(x) | h sum
Refs network(std::span<const Ref> in) {
  const Ref h = add(tanh(add(matmul(in[3], in[0]), multiply(in[2], in[1]))), in[4]);
  return {h, multiply(in[1], elementwise(scalar_fn_of<Cos>(), {sum(in[2])})), sum(in[0]),
          multiply(in[2], h)};
}

}  // namespace

TEST(a_network_forwards_and_backwards) {
  for (const bool reverse : {false, true}) {
    const ScanForm f =
        form_of(network, {numbers({3}), Value(0.5), numbers({3}), numbers({3, 3}), numbers({3})}, 4,
                2, 1, reverse);
    check_scan(
        f, {numbers({3}), Value(0.7), numbers({4, 3}, 2), numbers({3, 3}, 3), numbers({3})},
        {numbers({3}, 5), Value(0.3), numbers({4, 3}, 6), numbers({3, 3}, 7), numbers({3}, 8)});
  }
}

TEST(scalars) {
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs {
        return {add(multiply(in[0], in[2]), in[1]), exp(negative(square(in[0])))};
      },
      {Value(0.5), Value(0.1), Value(0.9)}, 5, 1, 1);
  check_scan(f, {Value(0.3), numbers({5}), Value(0.8)}, {Value(0.2), numbers({5}, 2), Value(1.1)});
}

TEST(carries_that_change_places) {
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs { return {in[1], in[2], multiply(in[0], in[1]), in[2]}; },
      {Value(0.5), Value(0.1), Value(0.9)}, 4, 3, 0);
  check_scan(f, {Value(0.3), Value(0.4), Value(0.8)}, {Value(0.2), Value(1.4), Value(1.1)});
}

TEST(integers_and_masks_are_carried_too) {
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs {
        const Ref x = where(less(Ref(Value::integer_scalar(0)), in[0]), multiply(in[1], in[1]),
                            add(in[1], in[1]));
        return {in[2], x, in[0], less(x, Ref(1.0))};
      },
      {Value::integer_scalar(0), Value(0.3), Value::integer_scalar(1)}, 4, 2, 1);
  const int64_t counts[] = {1, 0, 2, 1}, others[] = {0, 1, 1, 1};
  check_scan(f, {Value::integer_scalar(0), Value(0.3), Value::from_int64(counts, Dims{4})},
             {Value::integer_scalar(1), Value(0.6), Value::from_int64(others, Dims{4})});
}

TEST(a_scan_inside_a_scan) {
  const ScanForm inner =
      form_of([](std::span<const Ref> in) -> Refs { return {tanh(multiply(in[0], in[1])), in[0]}; },
              {Value(0.5), Value(0.1)}, 3, 1, 1);
  const ScanForm f = form_of(
      [&](std::span<const Ref> in) -> Refs {
        const Refs out = scan(inner, {in[0], in[1]});
        return {add(out[0], in[0]), sum(out[1])};
      },
      {Value(0.5), numbers({3})}, 3, 1, 1);
  const auto by_hand = [&](const Refs& in) -> Refs {
    Refs carries = {in[0]}, ys;
    for (int64_t t = 0; t < 3; ++t) {
      const Ref x = slice(in[1], IndexSpec::entry(in[1].shape(), 0, t));
      const Refs out = unrolled(inner)({carries[0], x});
      ys.push_back(sum(out[1]));
      carries = {add(out[0], carries[0])};
    }
    return {carries[0], stack(ys, 0)};
  };
  check_same_function(scanned(f), by_hand, {Value(0.3), numbers({3, 3}, 2)},
                      {Value(0.9), numbers({3, 3}, 3)});
  check_same_function(holding(f, 2), by_hand, {Value(0.3), numbers({3, 3}, 2)},
                      {Value(0.9), numbers({3, 3}, 3)});
  check_same_function(saving(f), by_hand, {Value(0.3), numbers({3, 3}, 2)},
                      {Value(0.9), numbers({3, 3}, 3)});
}

TEST(no_step_at_all) {
  const ScanForm f =
      form_of([](std::span<const Ref> in) -> Refs { return {multiply(in[0], in[1]), exp(in[1])}; },
              {numbers({2}), Value(0.1)}, 0, 1, 1);
  const std::vector<Value> at = {numbers({2}), Value::empty(DType::float64, Dims{0})};
  const Refs out = scan(f, refs_of(at));
  CHECK(same_numbers(out[0].value(), at[0]));
  CHECK(out[1].shape() == Dims{0});
  const auto identity = [](const Refs& in) -> Refs {
    return {multiply(in[0], Ref(1.0)), multiply(in[1], Ref(1.0))};
  };
  check_same_function(scanned(f), identity, at, at);
}

TEST(an_array_that_is_written_step_by_step_stays_in_place) {
  const ScanForm f = form_of(
      [](std::span<const Ref> in) -> Refs {
        IndexSpec first;
        first.range(0, 1, 1);
        return {slice_add(in[0], first, in[1])};
      },
      {numbers({4}), numbers({1})}, 3, 1, 1);
  const Value x = numbers({4}, 3), kept = x.copy(), steps = numbers({3, 1}, 2);
  const Refs out = scan(f, {Ref(x), Ref(steps)});
  CHECK(same_numbers(x, kept));  // the caller's array is left alone
  CHECK_CLOSE(out[0].value().at(0), x.at(0) + steps.at(0) + steps.at(1) + steps.at(2), 1e-15);
  check_scan(f, {numbers({4}), numbers({3, 1}, 2)}, {numbers({4}, 3), numbers({3, 1}, 4)});
}

TEST(ys_and_inputs_that_nothing_needs_are_dropped) {
  const ScanForm f = form_of(
      network, {numbers({3}), Value(0.5), numbers({3}), numbers({3, 3}), numbers({3})}, 4, 2, 1);
  const Function only_c = [&](const Refs& in) -> Refs { return {saving(f)(in)[1]}; };
  const std::vector<Value> at = {numbers({3}), Value(0.7), numbers({4, 3}, 2), numbers({3, 3}, 3),
                                 numbers({3})};
  const Recording r = recorded(only_c, at);
  CHECK(r.program.steps[0].n_out == 6);
  const Program p = optimise(r.program, PassOptions());
  CHECK(p.steps[0].n_out == 1);  // the other carry takes no part in it
  CHECK(p.steps.size() == 1);
  CHECK_THROWS_SAYING(ValueError, "must be float64 (4, 3)",
                      scan(f, {Ref(at[0]), Ref(at[1]), Ref(at[0]), Ref(at[3]), Ref(at[4])}));
}

TEST(a_carry_keeps_its_type) {
  const auto grows = [](std::span<const Ref> in) -> Refs { return {stack({in[0], in[0]}, 0)}; };
  CHECK_THROWS_SAYING(ValueError, "the next value of carry 0",
                      scan(form_of(grows, {Value(1.0)}, 2, 1, 0), {Ref(1.0)}));
}
