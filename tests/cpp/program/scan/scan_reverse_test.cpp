#include "tapegrad/program/scan/scan_reverse.h"

#include "program/scan/scan_cases.h"
#include "tapegrad/program/scan/binomial.h"

using namespace programs;
using namespace scans;
using namespace tapegrad;

namespace {

ScanForm squares(int64_t length, int64_t checkpoints, const Value& first = Value(1.0)) {
  ScanForm f = form_of([](std::span<const Ref> in) -> Refs { return {counted_square(in[0])}; },
                       {first}, length, 1, 0);
  f.checkpoints = checkpoints;
  return f;
}

// How many steps the schedule takes again.
int64_t steps_again(int64_t length, int64_t kept) {
  BinomialSchedule schedule(length, kept);
  int64_t total = 0;
  for (BinomialSchedule::Action a; schedule.next(a);) total += a.to - a.from;
  return total;
}

}  // namespace

TEST(steps_are_taken_again_as_the_schedule_says) {
  for (const int64_t length : {1, 2, 10, 33})
    for (const int64_t kept : {1, 2, 3, 40}) {
      const ScanForm f = squares(length, kept);
      const std::vector<Value> at{Value(1.0)};
      gradient(f, at, 0, 0);  // the bodies of the sweep are recorded here
      start_counting();
      CHECK(gradient(f, at, 0, 0).as_double() == std::ldexp(1.0, static_cast<int>(length)));
      CHECK(evaluations == length + steps_again(length, kept));
    }
}

TEST(few_carries_are_held_at_a_time) {
  constexpr int64_t n = 1 << 15, length = 60;
  constexpr size_t bytes = n * sizeof(double);
  const std::vector<Value> at{Value::full(DType::float64, Dims{n}, 1)};
  const auto most_held = [&](int64_t checkpoints) {
    const ScanForm f = squares(length, checkpoints, at[0]);
    gradient(f, at, 0, 0);
    const size_t before = pool_stats().bytes_in_use;
    start_counting();
    CHECK(gradient(f, at, 0, 0).at(n - 1) == std::ldexp(1.0, length));
    return (most_bytes - before) / bytes;
  };
  CHECK(most_held(4) <= 4 + 8);  // and what the steps work with
  CHECK(most_held(30) >= 30);
}

// c, s, x, w -> c * w + x, s (which nothing moves) | c * x
TEST(adjoints_are_given_where_they_are_needed_and_reached) {
  for (const bool reverse : {false, true}) {
    ScanForm f = form_of(
        [](std::span<const Ref> in) -> Refs {
          return {add(multiply(in[0], in[3]), in[2]), in[1], multiply(in[0], in[2])};
        },
        {Value(1.0), Value(1.0), Value(1.0), Value(1.0)}, 2, 2, 1, reverse);
    f.checkpoints = 1;
    const Flags needed{1, 1, 1, 1}, given{1, 0, 0};
    const ReverseForm r(reverse_attrs(f, needed, given));
    CHECK(r.form.checkpoints == 1 && r.needed == needed && r.given == given);
    CHECK(r.gives(0) && !r.gives(1) && r.gives(2) && r.gives(3));
    const double x[] = {3, 4};
    const Refs out = scan_reverse(
        f, needed, given, {Ref(2.0), Ref(9.0), Ref(Value::from(x, Dims{2})), Ref(5.0), Ref(10.0)});
    CHECK(out.size() == 3);
    // c2 = (c0 w + first) w + second
    const double first = reverse ? 4 : 3;
    CHECK(out[0].value().as_double() == 250);
    CHECK(out[1].value().at(reverse ? 1 : 0) == 50 && out[1].value().at(reverse ? 0 : 1) == 10);
    CHECK(out[2].value().as_double() == 10 * (2 * 2 * 5 + first));
  }
}
