#include "tapegrad/program/scan/scan_products.h"

#include "program/scan/scan_cases.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/program/scan/scan_reversal.h"
#include "tapegrad/program/scan/scan_run.h"

using namespace programs;
using scans::form_of;
using namespace tapegrad;

namespace {

using Step = std::function<Refs(std::span<const Ref>)>;

Ref tanh(const Ref& x) { return elementwise(scalar_fn_of<Tanh>(), {x}); }

// The carries behind the last step, the body being applied op by op.
std::vector<Value> step_by_step(const ScanForm& f, std::vector<Value> in) {
  for (int64_t step = 0; step < f.length; ++step) {
    const int64_t t = f.reverse ? f.length - 1 - step : step;
    Refs given(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(f.n_carry));
    for (size_t i = f.n_carry; i < in.size(); ++i)
      given.push_back(f.is_xs(i) ? Ref(Rows(in[i]).at(t)) : Ref(in[i]));
    const Refs out = replay(f.body->program(), given, {});
    for (size_t c = 0; c < f.n_carry; ++c) in[c] = out[c].value();
  }
  in.resize(f.n_carry);
  return in;
}

std::vector<Value> carries_of(const ScanForm& f, const std::vector<Value>& in) {
  std::vector<Value> out = plain(scan(f, refs_of(in)));
  out.resize(f.n_carry);
  return out;
}

constexpr int64_t m = 70, n = 60;

// A carry of (m, n) to which the step adds products of its xs, a (m) and b (n), c (m, 3), d (3, n).
Refs sums(std::span<const Ref> in) {
  const Ref column = expand_dims(in[2], -1);
  const Ref once = multiply(column, in[3]);
  const Ref twice = multiply(expand_dims(in[3], 0), expand_dims(tanh(in[2]), -1));
  return {multiply(in[0], Ref(0.5)), add(add(once, in[1]), add(matmul(in[4], in[5]), twice))};
}

std::vector<Value> numbers_of_sums(int64_t length) {
  std::vector<Value> in{Value(0.3), numbers({m, n})};
  const Dims rows[] = {{m}, {n}, {m, 3}, {3, n}};
  for (const Dims& row : rows) {
    Dims shape;
    if (length > 0) shape.push_back(length);
    for (int64_t d : row) shape.push_back(d);
    in.push_back(numbers(shape, 2));
  }
  return in;
}

}  // namespace

TEST(sums_of_products_are_gathered) {
  const ScanForm f = form_of(sums, numbers_of_sums(0), 70, 2, 4);
  const GatheredForm g(f);
  CHECK(g.sums.size() == 1);
  CHECK(g.sums[0].carry == 1 && g.sums[0].n_terms == 3 && g.sums[0].rows == 5);
  CHECK(g.form.n_carry == 1 && g.form.body->n_in() == f.body->n_in() - 1);
  // A stack of 125 rows is full after 25 steps.
  for (const bool reverse : {false, true}) {
    ScanForm either = f;
    either.reverse = reverse;
    const std::vector<Value> in = numbers_of_sums(70);
    check_close(carries_of(either, in), step_by_step(either, in), 1e-12, "carries");
  }
}

TEST(single_precision_stays_single) {
  const auto narrow = [](const std::vector<Value>& in) {
    std::vector<Value> out;
    for (const Value& v : in) out.push_back(v.cast(DType::float32));
    return out;
  };
  const Step step = [](std::span<const Ref> in) -> Refs {
    return {add(in[0], multiply(expand_dims(in[1], -1), in[2]))};
  };
  const ScanForm f =
      form_of(step, narrow({numbers({m, n}), numbers({m}), numbers({n})}), 200, 1, 2);
  CHECK(GatheredForm(f).sums.size() == 1);
  const std::vector<Value> in = narrow({numbers({m, n}), numbers({200, m}), numbers({200, n})});
  check_close(carries_of(f, in), step_by_step(f, in), 1e-4, "carries");
}

TEST(what_the_step_reads_or_hands_out_stays_in_it) {
  const std::vector<Value> first{numbers({m, n}), numbers({m}), numbers({n})};
  const auto product = [](std::span<const Ref> in) {
    return multiply(expand_dims(in[1], -1), in[2]);
  };
  const Step gathered = [&](std::span<const Ref> in) -> Refs {
    return {add(in[0], product(in)), sum(in[1])};
  };
  const Step read = [&](std::span<const Ref> in) -> Refs {
    return {add(in[0], product(in)), sum(in[0])};
  };
  const Step handed_out = [&](std::span<const Ref> in) -> Refs {
    const Ref after = add(in[0], product(in));
    return {after, after};
  };
  const Step scaled = [&](std::span<const Ref> in) -> Refs {
    return {add(multiply(in[0], Ref(0.9)), product(in)), sum(in[1])};
  };
  const Step twice = [&](std::span<const Ref> in) -> Refs {
    return {add(add(in[0], in[0]), product(in)), sum(in[1])};
  };
  const Step other = [&](std::span<const Ref> in) -> Refs {
    return {add(in[0], exp(product(in))), sum(in[1])};
  };
  for (const Step& step : {read, handed_out, scaled, twice, other}) {
    const ScanForm f = form_of(step, first, 20, 1, 2);
    CHECK(GatheredForm(f).sums.empty());
    const std::vector<Value> in{numbers({m, n}), numbers({20, m}, 2), numbers({20, n}, 3)};
    check_close(carries_of(f, in), step_by_step(f, in), 1e-10, "carries");
  }
  CHECK(GatheredForm(form_of(gathered, first, 20, 1, 2)).sums.size() == 1);
  CHECK(GatheredForm(form_of(gathered, first, 15, 1, 2)).sums.empty());
  const std::vector<Value> small{numbers({64, 64}), numbers({64}), numbers({64})};
  CHECK(GatheredForm(form_of(gathered, small, 100, 1, 2)).sums.empty());
}

// h, x, W, V -> tanh(W h + V tanh(W h) + x), whose gradient is the business.
static Refs network(std::span<const Ref> in) {
  const Ref inside = matmul(in[2], in[0]);
  const Ref h = tanh(add(add(inside, matmul(tanh(inside), in[3])), in[1]));
  return {h, sum(h)};
}

TEST(the_gradient_of_a_weight_is_such_a_sum) {
  constexpr int64_t k = 66, length = 40;
  const auto weight = [](uint64_t seed) {
    return multiply(Ref(numbers({k, k}, seed)), Ref(0.05)).value();
  };
  const ScanForm f =
      form_of(network, {numbers({k}), numbers({k}), weight(1), weight(2)}, length, 1, 1);
  const std::vector<Value> at{numbers({k}), numbers({length, k}), weight(3), weight(4)};
  const ScanReversal reversal(f, {0, 0, 1, 1}, {1, 1});
  CHECK(GatheredForm(reversal.step(at)).sums.size() == 2);

  const auto gradient = [&](int64_t checkpoints) {
    return gradient_of([&f, checkpoints](const Refs& in) {
      ScanForm each = f;
      each.checkpoints = checkpoints;
      return scan(each, in);
    });
  };
  const Function loop = gradient_of([&f](const Refs& in) {
    Refs h{in[0]}, ys;
    for (int64_t t = 0; t < f.length; ++t) {
      Refs out = network(std::vector<Ref>{h[0], slice(in[1], IndexSpec::entry(in[1].shape(), 0, t)),
                                          in[2], in[3]});
      h[0] = out[0];
      ys.push_back(out[1]);
    }
    return Refs{h[0], stack(ys, 0)};
  });
  const std::vector<Value> expected = plain(loop(refs_of(at)));
  for (int64_t checkpoints : {0, 5})
    check_close(plain(gradient(checkpoints)(refs_of(at))), expected, 1e-11, "gradient");
  check_close(run_recorded(gradient(0), at, at), expected, 1e-11, "compiled");
  check_close(plain(tangent_of(gradient(0))(refs_of(at))), plain(tangent_of(loop)(refs_of(at))),
              1e-10, "tangent of gradient");

  set_work_threshold_ns(0);
  const std::vector<Value> found = plain(gradient(0)(refs_of(at)));
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const std::vector<Value> again = plain(gradient(0)(refs_of(at)));
    for (size_t i = 0; i < again.size(); ++i) CHECK(same_bits(again[i], found[i]));
  }
  set_num_threads(0);
  set_work_threshold_ns(20000);
}
