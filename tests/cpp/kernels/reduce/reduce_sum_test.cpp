#include "tapegrad/kernels/reduce/reduce_sum.h"

#include <vector>

#include "check.h"
#include "kernels/random_values.h"

using namespace tapegrad;

namespace {

Value slow_sum(const Value& v, const Dims& to) {
  const Dims from = v.shape();
  std::vector<long double> sums(static_cast<size_t>(element_count(to)), 0.0L);
  const size_t lead = from.size() - to.size();
  for (int64_t i = 0; i < v.size(); ++i) {
    int64_t rest = i, at = 0, step = 1;
    for (size_t axis = from.size(); axis-- > 0;) {
      const int64_t index = rest % from[axis];
      rest /= from[axis];
      if (axis < lead) continue;
      if (to[axis - lead] != 1) at += index * step;
      step *= to[axis - lead];
    }
    sums[static_cast<size_t>(at)] += v.at(i);
  }
  Value out = Value::empty(v.dtype(), to);
  for (int64_t i = 0; i < out.size(); ++i)
    out.set_at(i, static_cast<double>(sums[static_cast<size_t>(i)]));
  return out;
}

void check_sum(const Value& v, const Dims& to, int line) {
  const Value found = sum_to_shape(v, to), expected = slow_sum(v, to);
  bool ok = found.shape() == to && found.dtype() == v.dtype();
  const double tolerance = v.dtype() == DType::float32 ? 1e-4 : 1e-12;
  for (int64_t i = 0; ok && i < found.size(); ++i)
    ok = check::close(found.at(i), expected.at(i), tolerance);
  check::expect(ok, __FILE__, line, join_text("sum of ", describe(v), " to ", to));
  for (int threads : {1, 2, 3, 8}) {
    const UseThreads use(threads);
    check::expect(same_bits(sum_to_shape(v, to), found), __FILE__, line, "threads change the sum");
  }
}

}  // namespace

TEST(undoes_every_kind_of_broadcast) {
  for (DType d : {DType::float64, DType::float32}) {
    const Value v = random_array({6, 500, 7}, 1, d, 0, 1);
    for (const Dims& to :
         {Dims{}, Dims{1}, Dims{7}, Dims{1, 7}, Dims{500, 7}, Dims{500, 1}, Dims{1, 1},
          Dims{6, 1, 7}, Dims{6, 500, 1}, Dims{6, 1, 1}, Dims{1, 500, 1}, Dims{6, 500, 7}})
      check_sum(v, to, __LINE__);
    check_sum(random_array({5000}, 2, d, 0, 1), Dims{}, __LINE__);
    check_sum(random_array({5000}, 2, d, 0, 1), Dims{1}, __LINE__);
    check_sum(random_array({3, 4000}, 3, d, 0, 1), Dims{3, 1}, __LINE__);
    check_sum(random_array({4000, 3}, 3, d, 0, 1), Dims{3}, __LINE__);
    check_sum(v.view(Dims{7, 500}, Dims{1, 7}, 0), Dims{500}, __LINE__);
    check_sum(v.view(Dims{6, 500}, Dims{0, 7}, 3), Dims{500}, __LINE__);
    check_sum(v.view(Dims{500}, Dims{-7}, 3499), Dims{}, __LINE__);
  }
}

TEST(empty_arrays_and_scalars) {
  const Value none = Value::empty(DType::float64, Dims{0, 3});
  check_sum(none, Dims{3}, __LINE__);
  check_sum(none, Dims{}, __LINE__);
  check_sum(none, Dims{0, 1}, __LINE__);
  CHECK(sum_to_shape(Value(2.5), Dims{}).as_double() == 2.5);
}

TEST(other_shapes_are_refused) {
  CHECK_THROWS_SAYING(ValueError, "(3, 4) is no broadcast of shape (3,)",
                      sum_to_shape(random_array({3, 4}, 1), Dims{3}));
  CHECK_THROWS_SAYING(ValueError, "no broadcast", sum_to_shape(random_array({4}, 1), Dims{1, 4}));
}
