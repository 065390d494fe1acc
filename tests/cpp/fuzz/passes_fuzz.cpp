// Random programs through every pass and through random choices of passes.
#include "fuzz/random_program.h"
#include "fuzz/rounds.h"
#include "tapegrad/base/error.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/run/executor.h"

using namespace programs;
using tapegrad::Executor;
using tapegrad::PassOptions;

namespace {

constexpr int64_t lengths[] = {0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 33, 65, 127};

struct Drawn {
  Program program;
  std::mt19937_64 random;

  Drawn(uint64_t seed, bool smooth) : random(seed) {
    const int64_t rows = lengths[random() % std::size(lengths)],
                  columns = lengths[random() % std::size(lengths)];
    const int steps = 5 + static_cast<int>(random() % 50);
    program = RandomProgram(seed, rows, columns, smooth, true).make(steps);
  }
  bool coin() { return random() % 2 == 0; }

  PassOptions options() {
    PassOptions o;
    for (bool PassOptions::* pass :
         {&PassOptions::roll, &PassOptions::fold, &PassOptions::shared, &PassOptions::dead,
          &PassOptions::algebra, &PassOptions::views, &PassOptions::batch, &PassOptions::expand,
          &PassOptions::tiles, &PassOptions::fuse})
      o.*pass = random() % 4 != 0;
    o.reorder = random() % 4 == 0;
    o.may_require = coin();
    return o;
  }
};

// Whether all values on the way are of ordinary size, and rounding stays small: a chain of sines of
// large numbers makes anything of the last bit.
bool is_tame(Program p, const std::vector<Value>& in) {
  std::vector<Value> nudged;
  for (const Value& v : in) {
    nudged.push_back(v.copy());
    if (!tapegrad::is_floating(v.dtype())) continue;
    const double by = v.dtype() == DType::float32 ? 1e-7 : 1e-15;
    for (int64_t i = 0; i < v.size(); ++i)
      nudged.back().set_at(i, v.at(i) * (1 + (i % 2 ? by : -by)));
  }
  const std::vector<Value> here = run(p, in), beside = run(p, nudged);
  for (size_t k = 0; k < here.size(); ++k) {
    const double most = here[k].dtype() == DType::float32 ? 1e-5 : 1e-10;
    if (!(distance(beside[k], here[k]) < most)) return false;
  }
  for (ValueId v = 0; v < p.values.size(); ++v) p.outputs.push_back(v);
  for (const Value& v : run(p, in))
    for (int64_t i = 0; i < v.size(); ++i)
      if (!(std::abs(v.at(i)) < 1e6)) return false;
  return true;
}

std::vector<Value> execute(const Executor& e, const std::vector<Value>& in) {
  std::vector<Value> out;
  size_t failed = 0;
  CHECK(e.run(in, {}, out, failed));
  return out;
}

// A result in double precision may have been computed from such.
bool has_single(const Program& p) {
  for (ValueId v = 0; v < p.values.size(); ++v)
    if (p.type_of(v).dtype == DType::float32) return true;
  return false;
}

void check_near(const Program& p, const std::vector<Value>& got, const std::vector<Value>& expected,
                bool tame) {
  const double tol = has_single(p) ? 1e-4 : 1e-9;
  CHECK(got.size() == expected.size());
  for (size_t k = 0; k < std::min(got.size(), expected.size()); ++k) {
    CHECK(type_of(got[k]) == type_of(expected[k]));
    if (!tame || type_of(got[k]) != type_of(expected[k])) continue;
    double most = 1;
    for (int64_t i = 0; i < expected[k].size(); ++i)
      most = std::fmax(most, std::abs(expected[k].at(i)));
    for (int64_t i = 0; i < expected[k].size(); ++i)
      CHECK_CLOSE(got[k].at(i) / most, expected[k].at(i) / most, tol);
  }
}

}  // namespace

TEST(passes_that_keep_every_bit) {
  for (fuzz::Rounds r(150); r.next();) {
    const Program p = Drawn(r.seed(), false).program;
    check_program(p);
    for (auto pass : {tapegrad::fold_constants, tapegrad::share_common, tapegrad::drop_dead,
                      tapegrad::simplify, tapegrad::fuse})
      check_same(p, pass(p));
    for (auto pass :
         {tapegrad::roll_loops, tapegrad::expand_tiny, tapegrad::trim_bodies, tapegrad::merge_scans,
          tapegrad::join_writes, tapegrad::keep_in_pieces, tapegrad::join_row_lookups})
      check_same(p, pass(p));
    for (auto taken : {tapegrad::PartsTaken::repeated, tapegrad::PartsTaken::all})
      check_same(p, tapegrad::add_up_parts(p, taken));
    check_same(p, tapegrad::fuse(tapegrad::simplify(p)), true, true);
  }
}

TEST(passes_that_add_in_another_order) {
  for (fuzz::Rounds r(150); r.next();) {
    Drawn d(r.seed(), true);
    const Program& p = d.program;
    const std::vector<Value> in = random_inputs(p, d.random, false);
    const bool tame = is_tame(p, in);
    const std::vector<Value> expected = run(p, in);
    const Program changed[] = {tapegrad::batch(p),
                               tapegrad::distribute_loops(p),
                               tapegrad::expand(p),
                               tapegrad::tile(p, true),
                               tapegrad::expand_small(p, 1 + static_cast<int64_t>(d.random() % 64)),
                               tapegrad::compute_before_gathers(p),
                               tapegrad::transpose_before_gathers(p)};
    for (const Program& q : changed) {
      check_program(q);
      check_near(p, execute(Executor(q), in), expected, tame);
    }
  }
}

TEST(any_choice_of_passes) {
  for (fuzz::Rounds r(300); r.next();) {
    Drawn d(r.seed(), r.seed() % 2 == 0);
    const Program& p = d.program;
    const PassOptions options = d.options();
    const Executor changed(p, options), as_it_is(p);
    for (int round = 0; round < 3; ++round) {
      const std::vector<Value> in = random_inputs(p, d.random, round == 2);
      const std::vector<Value> expected = run(p, in);
      const bool tame = r.seed() % 2 == 0 && round < 2 && is_tame(p, in);
      const std::vector<Value> same = execute(as_it_is, in), got = execute(changed, in);
      for (size_t k = 0; k < same.size(); ++k) CHECK(same_numbers(same[k], expected[k]));
      check_near(p, got, expected, tame);
    }
  }
}
