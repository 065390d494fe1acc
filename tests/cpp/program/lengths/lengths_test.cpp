#include "tapegrad/program/lengths/lengths.h"

#include <functional>

#include "program/recorded.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"

using namespace programs;
using namespace tapegrad;

namespace {

Recording record(const Function& f, const std::vector<TensorType>& types) {
  std::mt19937_64 random(3);
  std::vector<Value> arguments;
  for (const TensorType& t : types) arguments.push_back(random_value(t, random));
  return programs::record(f, arguments);
}

// Recorded at two lengths, the program for a third one is what recording gives there.
void check_serves(const Function& f, const std::function<std::vector<TensorType>(int64_t)>& types) {
  std::string why;
  const std::optional<Lengths> lengths =
      Lengths::between(record(f, types(17)), record(f, types(8)), why);
  if (!lengths) std::printf("%s\n", why.c_str());
  CHECK(lengths.has_value());
  for (int64_t n : {5, 100, 33, 17, 8}) {
    const std::optional<Recording> found = lengths->at(types(n), why);
    CHECK(found.has_value());
    check_program(found->program);
    const Recording native = record(f, types(n));
    CHECK(same_recording(*found, native));
    CHECK(found->made == native.made);
  }
}

// Nothing is served, with a reason that holds `part`.
void check_refused(const Function& f, const char* part) {
  std::string why;
  const bool refused =
      !Lengths::between(record(f, {f64({17})}), record(f, {f64({8})}), why).has_value();
  CHECK(refused);
  if (why.find(part) == std::string::npos) std::printf("%s\n", why.c_str());
  CHECK(why.find(part) != std::string::npos);
}

Lengths between(const Function& f, const std::vector<TensorType>& a,
                const std::vector<TensorType>& b) {
  std::string why;
  return *Lengths::between(record(f, a), record(f, b), why);
}

std::vector<TensorType> vector_of(int64_t n) { return {f64({n})}; }

Ref part(const Ref& x, int64_t start, int64_t length) {
  IndexSpec spec;
  spec.range(start, 1, length);
  return slice(x, spec);
}

int64_t length_of(const Ref& x) { return x.shape()[0]; }

}  // namespace

TEST(a_loss_and_its_gradient) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    Scope scope;
    const Variable w = scope.argument(in[0]);
    const Ref e = subtract(matmul(in[1], w.ref()), in[2]);
    const Ref loss = mean(square(elementwise(scalar_fn_of<Tanh>(), {e})));
    const Ref outs[] = {loss}, wrt[] = {w.ref()};
    return {scope.result(loss), scope.result(scope.grad(outs, wrt, {})[0])};
  };
  check_serves(
      f, [](int64_t n) -> std::vector<TensorType> { return {f64({3}), f64({n, 3}), f64({n})}; });
}

TEST(slices_and_joined_arrays) {
  check_serves(
      [](Tracer&, const Refs& in) -> Refs {
        const Ref &x = in[0], tail = part(x, 1, length_of(x) - 1);
        return {tail, part(x, length_of(x) - 3, 3), concatenate({x, tail, x}, 0)};
      },
      vector_of);
}

TEST(products_of_lengths_follow_from_the_operations) {
  check_serves(
      [](Tracer&, const Refs& in) -> Refs {
        const Ref table = outer(in[0], in[0]);
        return {reshape(table, Dims{table.size()}), sum(table, {0})};
      },
      vector_of);
}

TEST(arrays_of_zeros_take_the_length) {
  check_serves(
      [](Tracer&, const Refs& in) -> Refs {
        return {add(in[0], Ref(Value::zeros(DType::float64, in[0].shape())))};
      },
      vector_of);
}

TEST(steps_that_nothing_needs_have_to_be_possible) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    IndexSpec third;
    third.at(3);
    slice(in[0], third);
    return {exp(in[0])};
  };
  const Lengths lengths = between(f, vector_of(17), vector_of(8));
  std::string why;
  CHECK(lengths.at(vector_of(5), why).has_value());
  CHECK(!lengths.at(vector_of(3), why));
  CHECK(why.find("out of bounds") != std::string::npos);
}

TEST(two_lengths) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    return {concatenate({in[0], in[1]}, 0), outer(in[0], in[1])};
  };
  const auto types = [](int64_t n, int64_t m) -> std::vector<TensorType> {
    return {f64({n}), f64({m})};
  };
  const Lengths lengths = between(f, types(17, 5), types(8, 9));
  const std::vector<std::vector<int>> expected{{0}, {1}};
  CHECK(lengths.free_axes() == expected);
  std::string why;
  CHECK(same_recording(*lengths.at(types(4, 30), why), record(f, types(4, 30))));
  CHECK(!lengths.at(types(6, 6), why));
  CHECK(why.find("were different") != std::string::npos);
}

TEST(one_letter_where_lengths_were_equal) {
  const Function f = [](Tracer&, const Refs& in) -> Refs { return {matmul(in[0], in[1])}; };
  const auto types = [](int64_t n, int64_t m) -> std::vector<TensorType> {
    return {f64({n, 3}), f64({3, m})};
  };
  const Lengths lengths = between(f, types(17, 17), types(8, 8));
  const std::vector<std::vector<int>> expected{{0, -1}, {-1, 0}};
  CHECK(lengths.free_axes() == expected);
  std::string why;
  CHECK(lengths.at(types(5, 5), why));
  CHECK(!lengths.at(types(5, 6), why));
  CHECK(!lengths.at(std::vector{f64({5, 4}), f64({4, 5})}, why));
  CHECK(!lengths.at(std::vector{f64({5, 3})}, why));
  CHECK(!lengths.at(std::vector{f32({5, 3}), f64({3, 5})}, why));
}

TEST(lengths_of_0_and_1_and_those_that_meet_are_not_served) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    return {part(in[0], 1, length_of(in[0]) - 1), part(in[0], 0, 4)};
  };
  const Lengths lengths = between(f, vector_of(17), vector_of(8));
  std::string why;
  for (int64_t n : {0, 1, 2, 3, 4, 5}) CHECK(!lengths.at(vector_of(n), why));
  CHECK(lengths.at(vector_of(6), why));
}

TEST(what_does_not_follow_from_the_lengths_is_refused) {
  check_refused(
      [](Tracer&, const Refs& in) -> Refs {
        return {multiply(in[0], Ref(static_cast<double>(length_of(in[0]))))};
      },
      "the number 17 is 8");
  check_refused(
      [](Tracer&, const Refs& in) -> Refs { return {part(in[0], 0, length_of(in[0]) / 2)}; },
      "of one recording is");
  check_refused(
      [](Tracer&, const Refs& in) -> Refs {
        Ref x = in[0];
        for (int64_t i = 0; i < length_of(x); ++i) x = exp(x);
        return {x};
      },
      "other operations");
  check_refused(
      [](Tracer&, const Refs& in) -> Refs {
        Value v = Value::zeros(DType::float64, in[0].shape());
        v.set_at(0, 1.0);
        return {multiply(in[0], Ref(v))};
      },
      "that it computed or made itself");
  check_refused(
      [](Tracer& tracer, const Refs& in) -> Refs {
        tracer.read_length();
        return {exp(in[0])};
      },
      "a length is read at");
  check_refused(
      [](Tracer& tracer, const Refs& in) -> Refs {
        tracer.guard(less(in[0], Ref(1e9)));
        return {exp(in[0])};
      },
      "is looked into");
}

TEST(guards_on_numbers_stay) {
  const Function f = [](Tracer& tracer, const Refs& in) -> Refs {
    tracer.guard(less(sum(in[0]), Ref(1e9)));
    return {exp(in[0])};
  };
  check_serves(f, vector_of);
  std::string why;
  CHECK(between(f, vector_of(17), vector_of(8)).at(vector_of(5), why)->program.guards.size() == 1);
}

TEST(a_length_read_in_a_lane_counts_outside) {
  const Recording r = record(
      [](Tracer&, const Refs& in) -> Refs {
        {
          Tracer lane;
          lane.read_length();
        }
        return {exp(in[0])};
      },
      vector_of(3));
  CHECK(!r.length_read.empty());
}

TEST(two_lengths_that_were_one_apart_twice_are_two) {
  const Function f = [](Tracer&, const Refs& in) -> Refs {
    return {sum(part(in[0], 0, length_of(in[0]) - 1)), sum(in[1])};
  };
  const auto types = [](int64_t n, int64_t m) -> std::vector<TensorType> {
    return {f64({n}), f64({m})};
  };
  const Lengths lengths = between(f, types(17, 16), types(8, 7));
  std::string why;
  const std::optional<Recording> alike = lengths.at(types(12, 11), why);
  CHECK(alike.has_value());
  CHECK(same_recording(*alike, record(f, types(12, 11))));
  CHECK(!lengths.at(types(30, 5), why).has_value());
  CHECK(why.find("two explanations") != std::string::npos);
  const Lengths others = between(f, types(17, 16), types(30, 5));
  for (const auto& [n, m] : {std::pair<int64_t, int64_t>{12, 40}, {5, 30}, {9, 3}}) {
    const std::optional<Recording> found = others.at(types(n, m), why);
    CHECK(found.has_value());
    CHECK(same_recording(*found, record(f, types(n, m))));
  }
}

TEST(positions_along_other_axes_follow_their_lengths) {
  check_serves(
      [](Tracer&, const Refs& in) -> Refs {
        const Ref order = apply(*find_op("argsort"), {int64_t{-1}}, {in[0]});
        return {take_along_axis(in[0], order, -1)};
      },
      [](int64_t n) -> std::vector<TensorType> { return {f64({n, 3})}; });
  check_serves(
      [](Tracer&, const Refs& in) -> Refs {
        const Ref order = apply(*find_op("argsort"), {int64_t{0}}, {in[0]});
        const Ref middle = apply(*find_op("middle"), {}, {in[0]});
        return {take_along_axis(take_along_axis(in[0], order, 0), middle, -1)};
      },
      [](int64_t n) -> std::vector<TensorType> { return {f64({2, n})}; });
}
