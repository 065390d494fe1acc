#include "tapegrad/program/lengths/length_table.h"

#include "check.h"

using namespace tapegrad;

namespace {

TensorType array(const Dims& shape, DType d = DType::float64) { return {d, shape}; }

// What is known behind an argument of these lengths: twice as recorded, and now.
LengthTable known(std::initializer_list<std::array<int64_t, 3>> lengths) {
  LengthTable table(false);
  for (const auto& [first, second, now] : lengths)
    table.add(array({first}), array({second}), array({now}), true);
  return table;
}

}  // namespace

TEST(numbers_that_stay_need_no_length) { CHECK(known({}).solve(7, 7) == 7); }

TEST(a_number_follows_a_length) {
  const LengthTable table = known({{17, 8, 30}});
  CHECK(table.solve(17, 8) == 30);   // n
  CHECK(table.solve(16, 7) == 29);   // n - 1
  CHECK(table.solve(20, 11) == 33);  // n + 3
  CHECK(table.solve(51, 24) == 90);  // 3 n
}

TEST(numbers_below_zero_count_from_the_start_too) {
  CHECK(known({{17, 8, 30}}).solve(-1, -10) == 12);  // n - 18
  CHECK_THROWS_SAYING(ValueError, "the number 10 would become -4",
                      known({{17, 8, 3}}).solve(10, 1));
}

TEST(sums_are_of_two_arguments) {
  const LengthTable table = known({{17, 8, 30}, {100, 50, 40}});
  CHECK(table.solve(117, 58) == 70);
  CHECK_THROWS_SAYING(ValueError, "the number 34 of one recording is 17 in the other",
                      table.solve(34, 17));  // n + n + 1 would be no sum of two
}

TEST(values_that_no_argument_gives_have_lengths_but_no_multiples) {
  LengthTable table(false);
  table.add(array({17}), array({8}), array({30}), false);
  CHECK(table.solve(16, 7) == 29);
  CHECK_THROWS_SAYING(ValueError, "the number 34 of one recording is 16 in the other",
                      table.solve(34, 16));
}

TEST(the_number_of_elements_is_known_as_it_is) {
  LengthTable table(false);
  table.add(array({17, 5}), array({8, 5}), array({30, 5}), false);
  CHECK(table.solve(85, 40) == 150);
  CHECK_THROWS_SAYING(ValueError, "of one recording is", table.solve(84, 39));
}

TEST(two_explanations_are_refused_where_they_differ) {
  const LengthTable table = known({{17, 8, 30}, {16, 7, 5}});
  CHECK_THROWS_SAYING(ValueError, "the number 17 or 8 has two explanations", table.solve(17, 8));
  CHECK(known({{17, 8, 30}, {16, 7, 29}}).solve(17, 8) == 30);
}

TEST(what_was_one_length_stays_one) {
  LengthTable table = known({{17, 8, 30}});
  table.add(array({17}), array({8}), array({30}), true);
  CHECK_THROWS_SAYING(ValueError, "two axes that had one length have the lengths 30 and 31",
                      table.add(array({17}), array({8}), array({31}), true));
  CHECK_THROWS_SAYING(ValueError, "two axes whose lengths were different have the length 30",
                      table.add(array({9}), array({4}), array({30}), true));
  CHECK_THROWS_SAYING(ValueError, "the length 3 became 4",
                      table.add(array({3}), array({3}), array({4}), true));
}

// The lengths of a recording may coincide: it was made with them.
TEST(coincidences_of_a_recording_are_no_reason) {
  LengthTable table(true);
  table.add(array({17}), array({8}), array({17}), true);
  table.add(array({9}), array({17}), array({17}), true);
  CHECK(table.solve(17, 8) == 17 && table.solve(9, 17) == 17);
}

TEST(lengths_of_0_and_1_and_other_types_are_refused) {
  for (const int64_t n : {0, 1})
    CHECK_THROWS_SAYING(ValueError, "axes of length 0 and 1 are recorded by themselves",
                        known({{17, 8, n}}));
  CHECK_THROWS_SAYING(ValueError, "recorded by themselves", known({{17, 1, 5}}));
  LengthTable table(false);
  table.add(array({1, 0}), array({1, 0}), array({1, 0}), true);  // fixed ones may be short
  CHECK_THROWS_SAYING(ValueError, "another dtype or number of axes",
                      table.add(array({3}), array({3}), array({3}, DType::float32), true));
  CHECK_THROWS_SAYING(ValueError, "another dtype or number of axes",
                      table.add(array({3}), array({3, 1}), array({3}), true));
}
