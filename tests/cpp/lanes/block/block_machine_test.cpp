// Blocks of lanes: when pieces of them are compiled, and that these give the interpreter's bits, in
// kernels over batches and others. interpreter_test runs random tapes both ways, too.
#include "tapegrad/lanes/block/block_machine.h"

#include <algorithm>
#include <array>
#include <memory>
#include <thread>

#include "check.h"
#include "kernels/random_values.h"
#include "lanes/emit_when.h"
#include "tapegrad/lanes/lane_plan.h"
#include "tapegrad/lanes/lane_sums.h"
#include "tapegrad/rows/cpu.h"
#include "tapegrad/scalar/functions/function_list.h"

#ifdef __linux__
#include <sys/resource.h>
#endif

using namespace tapegrad;
using emit::When;

namespace {

bool can_compile() { return emit::when() != When::never && isa_level() >= IsaLevel::v3; }

// Inputs are rows first, then numbers.
struct Tape {
  LaneKernel kernel;
  uint32_t rows, numbers;

  uint32_t call(ScalarFn fn, uint32_t a, uint32_t b = 0, uint32_t c = 0) {
    kernel.code.push_back({fn, {a, b, c}});
    return kernel.first_result() + static_cast<uint32_t>(kernel.code.size()) - 1;
  }
};

// Products of matrices of numbers with rows, sums over the lanes, and other functions.
Tape random_batch(Random& random, DType dtype) {
  const auto any = [&](size_t n) { return static_cast<uint32_t>(random.bits() % n); };
  Tape t{{}, 2 + any(5), 3 + any(40)};
  LaneKernel& k = t.kernel;
  k.n_inputs = t.rows + t.numbers;
  k.dtype = dtype;
  k.constants = {0.0, 1.5};
  k.batch = std::make_shared<LaneBatch>();
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < t.rows; ++i) rows.push_back(i);
  const auto row = [&] {
    return rows[any(3) ? rows.size() - 1 - any(std::min<size_t>(rows.size(), 8))
                       : any(rows.size())];
  };
  const auto number = [&] { return t.rows + any(t.numbers + 2); };  // or a constant
  for (uint32_t group = 0, groups = 1 + any(6); group < groups; ++group) {
    std::vector<uint32_t> shared, sums;
    for (uint32_t i = 0, n = 2 + any(5); i < n; ++i) shared.push_back(row());
    for (uint32_t s = 0, n = 1 + any(9); s < n; ++s) {
      uint32_t sum = any(3) ? t.call(scalar_fn_of<Multiply>(), shared[0], number()) : row();
      for (size_t i = 1; i < shared.size(); ++i)
        sum = t.call(scalar_fn_of<Add>(), sum,
                     t.call(scalar_fn_of<Multiply>(), shared[i], any(4) ? number() : row()));
      sums.push_back(sum);
    }
    rows.insert(rows.end(), sums.begin(), sums.end());
    for (uint32_t i = 0, n = any(12); i < n; ++i) {
      constexpr ScalarFn few[] = {scalar_fn_of<Clip>(),     scalar_fn_of<Prefer>(),
                                  scalar_fn_of<Subtract>(), scalar_fn_of<Zmul>(),
                                  scalar_fn_of<Maximum>(),  scalar_fn_of<Exp>(),
                                  scalar_fn_of<Square>(),   scalar_fn_of<NotEqual>(),
                                  scalar_fn_of<Divide>(),   scalar_fn_of<Select>()};
      rows.push_back(t.call(few[any(10)], row(), any(3) ? row() : number(), row()));
    }
  }
  for (uint32_t i = 0, n = 1 + any(20); i < n; ++i) {
    if (any(2)) {
      k.outputs.push_back({row(), false, {}, dtype});
    } else {
      const uint32_t factor = any(2) ? row() : number();
      k.outputs.push_back({t.call(scalar_fn_of<Multiply>(), row(), factor), true, {}, dtype});
    }
  }
  return t;
}

// Everything that a run of a block reads and writes. Rows are longer than their lanes by some.
template <class T>
class BlockRun {
 public:
  BlockRun(const Tape& tape, const LanePlan<T>& plan, int64_t count, uint64_t seed)
      : plan_(plan), count_(count) {
    const int64_t width = lane_loops<T>().width;
    n_ = (count + width - 1) / width * width;
    const size_t stride = static_cast<size_t>(n_) + 3;
    cells_.resize((plan.places() + 1) * stride);
    Random random(seed);
    for (T& x : cells_) x = static_cast<T>(random.uniform(-2, 2));
    for (T& x : cells_)
      if (random.bits() % 50 == 0) x = static_cast<T>(random.wild());
    registers_.resize(plan.uniform.registers);
    std::ranges::copy(plan.uniform.constants, registers_.begin());
    for (const auto& in : plan.uniform.inputs)
      registers_[in.reg] = static_cast<T>(random.uniform(-2, 2));
    run_registers(plan.uniform, registers_.data());
    for (size_t p = 0; p < plan.places(); ++p) at_.push_back(cells_.data() + p * stride + 1);
    for (size_t k = 0; k < plan.block.numbers.size(); ++k)
      at_[plan.block.first_number + k] = registers_.data() + plan.block.numbers[k];
    const size_t outputs = tape.kernel.outputs.size();
    stored_.resize(outputs * static_cast<size_t>(n_));
    for (size_t k = 0; k < outputs; ++k)
      parts_.push_back({stored_.data() + k * static_cast<size_t>(n_), 1});
    totals_.assign(plan.sinks.size(), T{0});
  }
  BlockRun(const BlockRun&) = delete;
  BlockRun& operator=(const BlockRun&) = delete;

  void run(const BlockCode<T>& code) {
    LaneFrame<T> frame = frame_for(code);
    frame.count = count_;
    frame.parts = parts_.data();
    frame.totals = totals_.data();
    run_block(code, at_.data(), n_, frame);
  }

  // Whether all that is wanted afterwards has the same bits.
  bool same(const BlockRun& other) const {
    const auto equal = [](const std::vector<T>& a, const std::vector<T>& b) {
      return std::ranges::equal(
          a, b, [](T x, T y) { return (x != x && y != y) || std::memcmp(&x, &y, sizeof(T)) == 0; });
    };
    return equal(stored_, other.stored_) && equal(totals_, other.totals_);
  }

 private:
  const LanePlan<T>& plan_;
  const int64_t count_;
  int64_t n_;
  std::vector<T> cells_, registers_, stored_, totals_;
  std::vector<T*> at_;
  std::vector<LaneStore> parts_;
};

template <class T>
std::unique_ptr<LanePlan<T>> plan_of(const Tape& tape) {
  InputBits uniform(tape.kernel.n_inputs);
  for (uint32_t i = tape.rows; i < tape.kernel.n_inputs; ++i) uniform.set(i);
  return make_lane_plan<T>(tape.kernel, uniform);
}

template <class T>
void check_batches() {
  const int64_t width = lane_loops<T>().width;
  int compiled = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    Random random(seed);
    const Tape tape = random_batch(random, dtype_of<T>());
    const std::unique_ptr<LanePlan<T>> interpreted = plan_of<T>(tape), made = plan_of<T>(tape);
    if (interpreted->block.steps.empty()) continue;
    for (int64_t count : {int64_t{1}, width - 1, width, width + 1, 2 * width, 5 * width + 2}) {
      BlockRun<T> wanted(tape, *interpreted, count, seed), found(tape, *made, count, seed);
      {
        const EmitWhen never(When::never);
        wanted.run(interpreted->block);
      }
      const EmitWhen always(When::always);
      found.run(made->block);
      CHECK(found.same(wanted));
      if (!found.same(wanted)) std::printf("seed %d\n", static_cast<int>(seed));
    }
    CHECK(!interpreted->block.machine.is_compiled());
    compiled += made->block.machine.is_compiled();
  }
  CHECK(!can_compile() || compiled > 100);
}

// A chain of products and sums, each of which waits for the one before.
Tape chain(int length) {
  Tape t{{}, 2, 1};
  t.kernel.n_inputs = 3;
  uint32_t last = 0;
  for (int i = 0; i < length; ++i)
    last = t.call(i % 2 ? scalar_fn_of<Multiply>() : scalar_fn_of<Add>(), last, i % 3 ? 1 : 2);
  t.kernel.batch = std::make_shared<LaneBatch>();
  t.kernel.outputs.push_back({last});
  return t;
}

}  // namespace

TEST(kernels_over_batches_give_the_interpreters_bits) {
  check_batches<double>();
  check_batches<float>();
}

TEST(long_chains_go_through_side_by_side) {
  for (const int length : {3, 30, 300}) {
    const Tape tape = chain(length);
    const std::unique_ptr<LanePlan<double>> interpreted = plan_of<double>(tape),
                                            made = plan_of<double>(tape);
    for (int64_t count = 1; count < 12 * lane_loops<double>().width; count += 3) {
      BlockRun<double> wanted(tape, *interpreted, count, 3), found(tape, *made, count, 3);
      {
        const EmitWhen never(When::never);
        wanted.run(interpreted->block);
      }
      const EmitWhen always(When::always);
      found.run(made->block);
      CHECK(found.same(wanted));
    }
  }
}

TEST(blocks_that_run_often_are_compiled_once) {
  if (!can_compile()) return;
  const EmitWhen earned(When::earned);
  const Tape tape = chain(40);
  const auto plan = plan_of<double>(tape);
  BlockRun<double> first(tape, *plan, 64, 1);
  first.run(plan->block);
  CHECK(!plan->block.machine.is_compiled());
  const uint64_t made = emit::count().made;
  int runs = 1;
  for (; runs < 100'000 && !plan->block.machine.is_compiled(); ++runs) {
    BlockRun<double> next(tape, *plan, 64, 1);
    next.run(plan->block);
    CHECK(next.same(first));
  }
  CHECK(runs > 10 && runs < 10'000);
  for (int i = 0; i < 10; ++i) {
    BlockRun<double> next(tape, *plan, 64, 1);
    next.run(plan->block);
    CHECK(next.same(first));
  }
  CHECK(emit::count().made == made + 1);
}

TEST(threads_share_the_code_of_a_block) {
  if (!can_compile()) return;
  const EmitWhen earned(When::earned);
  const Tape tape = chain(40);
  const auto plan = plan_of<double>(tape);
  BlockRun<double> first(tape, *plan, 64, 1);
  first.run(plan->block);
  const uint64_t made = emit::count().made;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      BlockRun<double> next(tape, *plan, 64, 1);
      for (int i = 0; i < 10'000; ++i) next.run(plan->block);
      CHECK(next.same(first));
    });
  for (std::thread& t : threads) t.join();
  CHECK(plan->block.machine.is_compiled());
  CHECK(emit::count().made == made + 1);
}

TEST(other_blocks_take_no_code_over) {
  if (!can_compile()) return;
  const EmitWhen always(When::always);
  const Tape tape = chain(40);
  const auto plan = plan_of<double>(tape);
  BlockRun<double> first(tape, *plan, 8, 1);
  first.run(plan->block);
  CHECK(plan->block.machine.is_compiled());
  const BlockCode<double> copy = plan->block;
  CHECK(!copy.machine.is_compiled());
  const uint64_t alive = emit::count().alive;
  plan->block = copy;
  CHECK(emit::count().alive == alive - 1);
}

TEST(nothing_of_a_block_is_compiled_where_it_is_switched_off) {
  const EmitWhen never(When::never);
  const Tape tape = chain(40);
  const auto plan = plan_of<double>(tape);
  BlockRun<double> first(tape, *plan, 64, 1);
  for (int i = 0; i < 20'000; ++i) first.run(plan->block);
  CHECK(!plan->block.machine.is_compiled());
}

TEST(without_pages_a_block_is_interpreted) {
#ifdef __linux__
  if (!can_compile()) return;
  const EmitWhen always(When::always);
  const Tape tape = chain(40);
  const auto warm = plan_of<double>(tape), plan = plan_of<double>(tape);
  BlockRun<double> wanted(tape, *warm, 64, 1), found(tape, *plan, 64, 1);
  wanted.run(warm->block);  // what compiling takes of the heap is there after this
  CHECK(warm->block.machine.is_compiled());
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  rlimit none = before;
  none.rlim_cur = 1 << 20;  // less than the process has
  setrlimit(RLIMIT_AS, &none);
  found.run(plan->block);
  setrlimit(RLIMIT_AS, &before);
  CHECK(!plan->block.machine.is_compiled());
  CHECK(found.same(wanted));
#endif
}

TEST(a_listing_says_which_steps_a_piece_stands_for) {
  const auto plan = plan_of<double>(chain(40));
  const std::string text = listing_of(plan->block);
  CHECK(text.find("for each vector of lanes") != std::string::npos);
  CHECK(text.find("vmulpd") != std::string::npos);
}
