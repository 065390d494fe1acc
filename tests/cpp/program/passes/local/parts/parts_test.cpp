#include "program/programs.h"
#include "tapegrad/program/passes/local/local.h"
#include "tapegrad/program/passes/passes.h"

using namespace programs;

namespace {

const Ints first{0, 0, 0, 0}, second{0, 1, 0, 0}, third{0, 2, 0, 0};

Program read_through(const Program& p) {
  const tapegrad::PassOptions only{
      .fold = false, .shared = false, .algebra = false, .views = false, .fuse = false};
  const Program q = drop_dead(rewrite_locally(p, only));
  check_same(p, q);
  return q;
}

}  // namespace

TEST(what_was_written_is_read) {
  Draft d;
  const ValueId x = d.input({3}), u = d.input(Dims{}), v = d.input(Dims{});
  ValueId y = d.op("slice_set", {x, u}, {first});
  y = d.op("slice_set", {y, v}, {second});
  const ValueId a = d.op("slice", {y}, {first}), b = d.op("slice", {y}, {second}),
                c = d.op("slice", {y}, {third});
  check_text(read_through(d.returning({a, b, c})),
             "program(in0: float64(3,), in1: float64(), in2: float64())\n"
             "  %3: float64() = slice(in0) {code=(0, 2, 0, 0)}\n"
             "  return in1, in2, %3");
}

TEST(additions_are_added_in_their_order) {
  Draft d;
  const ValueId x = d.input({3}), u = d.input(Dims{}), v = d.input(Dims{});
  ValueId y = d.op("slice_set", {x, u}, {first});
  y = d.op("slice_add", {y, v}, {first});
  y = d.op("slice_add", {y, v}, {second});
  y = d.op("slice_add", {y, u}, {first});
  check_text(read_through(d.returning({d.op("slice_copy", {y}, {first})})),
             "program(in0: float64(3,), in1: float64(), in2: float64())\n"
             "  %3: float64() = add(in1, in2)\n"
             "  %4: float64() = add(%3, in1)\n"
             "  return %4");
}

TEST(a_version_keeps_what_it_held) {
  Draft d;
  const ValueId x = d.input({3}), u = d.input(Dims{}), v = d.input(Dims{});
  const ValueId y = d.op("slice_set", {x, u}, {first});
  const ValueId z = d.op("slice_set", {y, v}, {first});
  const ValueId w = d.op("slice_set", {y, v}, {second});  // a second chain from y
  const ValueId t = d.op("slice_add", {w, v}, {third});
  const Program q =
      read_through(d.returning({d.op("slice", {y}, {first}), d.op("slice", {z}, {first}),
                                d.op("slice", {w}, {first}), d.op("slice", {t}, {third})}));
  check_text(q,
             "program(in0: float64(3,), in1: float64(), in2: float64())\n"
             "  %3: float64() = slice(in0) {code=(0, 2, 0, 0)}\n"
             "  %4: float64() = add(%3, in2)\n"
             "  return in1, in2, in1, %4");
}

TEST(rows_and_their_elements) {
  const Ints row{0, 1, 0, 0, 1, 0, 1, 3}, other{0, 0, 0, 0, 1, 0, 1, 3}, at{0, 1, 0, 0, 0, 2, 0, 0};
  Draft d;
  const ValueId x = d.input({2, 3}), r = d.input({3}), u = d.input(Dims{});
  const ValueId y = d.op("slice_set", {x, r}, {row});
  const ValueId z = d.op("slice_set", {y, u}, {at});
  // The row as it was written; with an element written over; the other row; elements of the row.
  const Program q = read_through(d.returning({d.op("slice", {y}, {row}), d.op("slice", {z}, {row}),
                                              d.op("slice", {z}, {other}), d.op("slice", {y}, {at}),
                                              d.op("slice", {z}, {Ints{0, 1, 0, 0, 0, 0, 0, 0}})}));
  check_text(q,
             "program(in0: float64(2, 3), in1: float64(3,), in2: float64())\n"
             "  %3: float64(3,) = slice_set(in1, in2) {code=(0, 2, 0, 0)}\n"
             "  %4: float64(3,) = slice(in0) {code=(0, 0, 0, 0, 1, 0, 1, 3)}\n"
             "  %5: float64() = slice(in1) {code=(0, 2, 0, 0)}\n"
             "  %6: float64() = slice(in1) {code=(0, 0, 0, 0)}\n"
             "  return in1, %3, %4, %5, %6");
}

TEST(rows_written_element_by_element_are_joined) {
  const auto at = [](int64_t i, int64_t j) { return Attrs{Ints{0, i, 0, 0, 0, j, 0, 0}}; };
  const Ints row{0, 1, 0, 0, 1, 0, 1, 3};
  Draft d;
  const ValueId x = d.input({2, 3}), u = d.input(Dims{}), v = d.input(Dims{});
  ValueId y = d.op("slice_set", {x, u}, at(1, 2));
  y = d.op("slice_add", {y, v}, at(1, 0));
  y = d.op("slice_set", {y, v}, at(0, 0));
  const ValueId first = d.op("slice", {y}, {row});
  y = d.op("slice_set", {y, v}, at(1, 1));
  y = d.op("slice_add", {y, d.op("sin", {first})}, {row});
  const Program q = read_through(d.returning({first, d.op("slice", {y}, {row})}));
  check_text(q,
             "program(in0: float64(2, 3), in1: float64(), in2: float64())\n"
             "  %3: float64() = slice(in0) {code=(0, 1, 0, 0, 0, 0, 0, 0)}\n"
             "  %4: float64() = add(%3, in2)\n"
             "  %5: float64() = slice(in0) {code=(0, 1, 0, 0, 0, 1, 0, 0)}\n"
             "  %6: float64(3,) = stack(%4, %5, in1) {axis=0}\n"
             "  %7: float64(3,) = sin(%6)\n"
             "  %8: float64(3,) = slice_set(%6, in2) {code=(0, 1, 0, 0)}\n"
             "  %9: float64(3,) = add(%8, %7)\n"
             "  return %6, %9");
}

TEST(numbers_that_were_joined_are_taken_apart) {
  Draft d;
  const ValueId u = d.input(Dims{}), v = d.input(Dims{});
  const ValueId row = d.op("stack", {u, v}, {int64_t{0}});
  const ValueId parts = d.op("unstack", {row}, {int64_t{-1}});
  check_text(read_through(d.returning({parts, parts + 1, d.op("slice", {row}, {second})})),
             "program(in0: float64(), in1: float64())\n"
             "  return in0, in1, in1");
}

TEST(columns_and_rows_that_are_written_in_part) {
  const Ints column{1, 0, 1, 4, 0, 2, 0, 0}, inner{1, 1, 1, 2, 0, 2, 0, 0},
      last{1, 2, 1, 2, 0, 2, 0, 0}, other{1, 0, 1, 4, 0, 1, 0, 0};
  Draft d;
  const ValueId x = d.input({4, 3}), u = d.input({4}), v = d.input({2});
  ValueId y = d.op("slice_set", {x, u}, {column});
  y = d.op("slice_set", {y, u}, {other});
  y = d.op("slice_set", {y, v}, {inner});
  const ValueId read = d.op("exp", {d.op("slice", {y}, {last})});
  const Program p = drop_dead(read_through(d.returning({read})));
  check_text(p,
             "program(in0: float64(4, 3), in1: float64(4,), in2: float64(2,))\n"
             "  %3: float64(4,) = slice_set(in1, in2) {code=(1, 1, 1, 2)}\n"
             "  %4: float64(2,) = slice(%3) {code=(1, 2, 1, 2)}\n"
             "  %5: float64(2,) = exp(%4)\n"
             "  return %5");
}

TEST(other_dtypes_are_left_and_broadcasts_made) {
  const Ints row{0, 1, 0, 0, 1, 0, 1, 3};
  Draft d;
  const ValueId x = d.input({2, 3}), u = d.input(Dims{});
  const ValueId f = d.input({DType::float32, Dims{3}});
  const ValueId z = d.op("slice_set", {f, u}, {first});  // converted
  const ValueId w =
      d.op("slice_set", {x, u}, {Ints{1, 0, 1, 2, 1, 1, 1, 1}});  // no single row or column
  const Program p = d.returning(
      {d.op("slice", {z}, {first}), d.op("slice", {w}, {Ints{0, 0, 0, 0, 0, 1, 0, 0}})});
  CHECK(read_through(p).steps.size() == p.steps.size());
  Draft e;
  const ValueId t = e.input({2, 3}), one = e.input(Dims{});
  const ValueId y = e.op("slice_set", {t, one}, {row});  // one number for three
  check_text(read_through(e.returning({e.op("slice", {y}, {Ints{0, 1, 0, 0, 0, 2, 0, 0}})})),
             "program(in0: float64(2, 3), in1: float64())\n"
             "  return in1");
}

// Random writes of elements, rows, parts of rows and tables, and reads of the same.
TEST(random_reads_find_what_was_written) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    const auto pick = [&](int64_t k) {
      return static_cast<int64_t>(random() % static_cast<uint64_t>(k));
    };
    Draft d;
    std::vector<ValueId> of_length[5];  // numbers, and rows of 1 to 4
    of_length[0] = {d.input(Dims{}), d.input(Dims{})};
    for (int64_t n = 1; n <= 4; ++n) of_length[n] = {d.input({n})};
    const ValueId start = d.input({3, 4});
    std::vector<ValueId> versions{start};
    const auto part = [&](int64_t& length) {
      Ints code{0, pick(3), 0, 0};
      length = pick(2) ? pick(5) : 4;
      if (length == 0) {
        code.insert(code.end(), {0, pick(4), 0, 0});
      } else {
        code.insert(code.end(), {1, pick(5 - length), 1, length});
      }
      return code;
    };
    const auto any_of = [&](const std::vector<ValueId>& list) {
      return list[static_cast<size_t>(pick(static_cast<int64_t>(list.size())))];
    };
    std::vector<ValueId> read;
    for (int k = 0; k < 30; ++k) {
      int64_t length = 0;
      const Ints code = part(length);
      const ValueId from = pick(8) ? versions.back() : any_of(versions);
      if (pick(2)) {
        const ValueId v = d.op(pick(2) ? "slice" : "slice_copy", {from}, {code});
        read.push_back(v);
        of_length[length].push_back(d.op("sin", {v}));
      } else {
        const ValueId update = any_of(of_length[pick(6) ? length : 0]);
        versions.push_back(d.op(pick(2) ? "slice_set" : "slice_add", {from, update}, {code}));
      }
    }
    for (ValueId v : read) d.writer().output(v);
    const Program p = d.returning({versions.back()});
    tapegrad::check_program(read_through(p));
    check_same(p, drop_dead(rewrite_locally(p, {})));
  }
}

// 20,000 versions of 20,000 numbers: what grows with their product would not end.
TEST(long_chains_take_linear_time) {
  constexpr int64_t n = 20000;
  Draft d;
  const ValueId x = d.input({n});
  ValueId y = x, last = d.input(Dims{});
  for (int64_t i = 0; i < n; ++i) {
    y = d.op("slice_set", {y, last}, {Ints{0, i, 0, 0}});
    last = d.op("sin", {d.op("slice", {y}, {Ints{0, i, 0, 0}})});
  }
  const Program p = d.returning({last});
  const tapegrad::PassOptions only{.fold = false, .fuse = false};
  const Program q = drop_dead(rewrite_locally(p, only));
  CHECK(q.steps.size() == n);  // no array is left
}
