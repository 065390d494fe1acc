#include "tapegrad/ops/einsum/einsum.h"

#include "check.h"
#include "kernels/array_cases.h"
#include "tapegrad/ops/einsum/einsum_spec.h"
#include "tapegrad/ops/registry.h"

namespace tapegrad {
namespace {

Value run(const std::string& subscripts, const std::vector<Value>& operands) {
  register_all_ops();
  return einsum(subscripts, {operands.begin(), operands.end()}).value();
}

// The definition: one loop for each label.
Value by_definition(const std::string& subscripts, const std::vector<Value>& operands) {
  std::vector<Dims> shapes;
  for (const Value& v : operands) shapes.push_back(v.shape());
  const EinsumSpec spec = parse_einsum(subscripts, false, shapes);
  const Dims shape = spec.output_shape(), all(spec.lengths);
  Value out = Value::zeros(DType::float64, shape);
  const auto position = [&](const std::vector<int>& labels, const Dims& lengths,
                            const Dims& index) {
    Dims at;
    for (size_t i = 0; i < labels.size(); ++i)
      at.push_back(lengths[i] == 1 ? 0 : index[static_cast<size_t>(labels[i])]);
    return cases::flat_of(at, lengths);
  };
  for (int64_t flat = 0; flat < element_count(all); ++flat) {
    const Dims index = cases::index_of(flat, all);
    double product = 1;
    for (size_t i = 0; i < operands.size(); ++i)
      product *= operands[i].at(position(spec.inputs[i], shapes[i], index));
    const int64_t to = position(spec.output, shape, index);
    out.set_at(to, out.at(to) + product);
  }
  return out;
}

void check_einsum(const std::string& subscripts, const std::vector<Dims>& shapes,
                  const Dims& expected) {
  for (int layout = 0; layout < cases::layouts; ++layout) {
    std::vector<Value> operands;
    for (size_t i = 0; i < shapes.size(); ++i)
      operands.push_back(
          cases::laid_out(shapes[i], (layout + static_cast<int>(i)) % cases::layouts));
    const Value got = run(subscripts, operands), wanted = by_definition(subscripts, operands);
    check::expect(got.shape() == expected, __FILE__, __LINE__,
                  subscripts + ": " + join_text(got.shape()));
    double worst = 0;
    for (int64_t i = 0; i < got.size(); ++i)
      worst = std::max(worst, std::abs(got.at(i) - wanted.at(i)));
    check::expect(worst < 1e-12, __FILE__, __LINE__,
                  subscripts + join_text(" is wrong by ", worst));
  }
}

TEST(follows_the_definition) {
  check_einsum("ij,jk->ik", {{3, 4}, {4, 5}}, {3, 5});
  check_einsum("ij,jk->ki", {{3, 4}, {4, 5}}, {5, 3});
  check_einsum("ij,kj", {{3, 4}, {5, 4}}, {3, 5});
  check_einsum("bij,bjk->bik", {{6, 3, 4}, {6, 4, 5}}, {6, 3, 5});
  check_einsum("ijb,jkb->bki", {{3, 4, 6}, {4, 5, 6}}, {6, 5, 3});
  check_einsum("i,i->i", {{7}, {7}}, {7});
  check_einsum("i,i", {{7}, {7}}, {});
  check_einsum("i,j->ji", {{7}, {3}}, {3, 7});
  check_einsum("ii", {{4, 4}}, {});
  check_einsum("ii->i", {{4, 4}}, {4});
  check_einsum("iij->ji", {{4, 4, 3}}, {3, 4});
  check_einsum("iii->i", {{3, 3, 3}}, {3});
  check_einsum("ijk->", {{2, 3, 4}}, {});
  check_einsum("ijk->ki", {{2, 3, 4}}, {4, 2});
  check_einsum("bA", {{2, 3}}, {3, 2});
  check_einsum("...ij,...jk", {{2, 1, 3, 4}, {5, 4, 2}}, {2, 5, 3, 2});
  check_einsum("i...,i...->...", {{3, 4, 2}, {3, 4, 2}}, {4, 2});
  check_einsum("...i->i...", {{2, 3, 4}}, {4, 2, 3});
  check_einsum("ij,jk,kl->il", {{2, 3}, {3, 4}, {4, 5}}, {2, 5});
  check_einsum("i,ij,j->", {{3}, {3, 4}, {4}}, {});
  check_einsum("abc,abd,acd->bcd", {{2, 3, 4}, {2, 3, 5}, {2, 4, 5}}, {3, 4, 5});
  check_einsum("i,i,i->i", {{5}, {5}, {5}}, {5});
  check_einsum("i,i,i", {{5}, {5}, {5}}, {});
  check_einsum("ij,ik->jk", {{100, 3}, {100, 4}}, {3, 4});
  check_einsum("ij,k->ik", {{3, 4}, {5}}, {3, 5});
  check_einsum(" i j , j k -> i k ", {{3, 4}, {4, 5}}, {3, 5});
  check_einsum(",ij->ij", {{}, {2, 3}}, {2, 3});
  check_einsum(",", {{}, {}}, {});
}

TEST(axes_of_length_one_broadcast) {
  check_einsum("ij,jk->ik", {{3, 1}, {4, 5}}, {3, 5});
  check_einsum("i,i->i", {{1}, {3}}, {3});
  check_einsum("i,i", {{1}, {1}}, {});
  check_einsum("ij,ij->ij", {{1, 4}, {3, 1}}, {3, 4});
  check_einsum("ii->i", {{1, 1}}, {1});
  check_einsum("ij->ji", {{1, 4}}, {4, 1});
}

TEST(empty_operands) {
  check_einsum("ij,jk->ik", {{3, 0}, {0, 5}}, {3, 5});
  check_einsum("ij,jk->ik", {{0, 4}, {4, 5}}, {0, 5});
  check_einsum("i,j->ij", {{0}, {3}}, {0, 3});
  check_einsum("i->", {{0}}, {});
}

TEST(other_dtypes) {
  const Value f = cases::random_array({3, 4}, DType::float32);
  CHECK(run("ij,kj->ik", {f, f}).dtype() == DType::float32);
  CHECK(run("ij,kj->ik", {f, cases::random_array({3, 4})}).dtype() == DType::float64);
  const Value i = Value::full(DType::int32, Dims{3, 4}, 2);
  CHECK(run("ij->i", {i}).dtype() == DType::int32);
  CHECK(run("ij,ij->", {i, i}).as_int64() == 48);
}

TEST(errors_name_the_subscripts) {
  const Value v = cases::random_array({2}), m = cases::random_array({2, 3});
  CHECK_THROWS_SAYING(ValueError, "einsum('i,i')", run("i,i", {v, cases::random_array({3})}));
  CHECK_THROWS_SAYING(ValueError, "never appears", run("ij->ik", {m}));
  CHECK_THROWS_SAYING(ValueError, "more than once", run("ij->ii", {m}));
  CHECK_THROWS_SAYING(ValueError, "too many subscripts", run("ij", {v}));
  CHECK_THROWS_SAYING(ValueError, "more dimensions", run("i", {m}));
  CHECK_THROWS_SAYING(ValueError, "names 2 operands", run("i,j", {v}));
  CHECK_THROWS_SAYING(ValueError, "ellipsis", run("..i", {m}));
  CHECK_THROWS_SAYING(ValueError, "'->'", run("i-j", {v}));
  CHECK_THROWS_SAYING(ValueError, "letters", run("i$", {m}));
  CHECK_THROWS_SAYING(ValueError, "letters", run("i\xc3\xa9", {m}));
  CHECK_THROWS_SAYING(ValueError, "add '...'", run("...i->i", {m}));
  CHECK_THROWS_SAYING(ValueError, "repeated", run("ii", {m}));
}

TEST(same_bits_for_any_number_of_threads) {
  const Value a = cases::random_array({400, 50, 20}), b = cases::random_array({20, 50, 7});
  CHECK(cases::same_for_any_threads([&] { return run("ijk,kjl->il", {a, b}); }));
  CHECK(cases::same_for_any_threads([&] { return run("ijk,kjl->jkli", {a, b}); }));
  CHECK(cases::same_for_any_threads([&] { return run("ijk->k", {a}); }));
}

}  // namespace
}  // namespace tapegrad
