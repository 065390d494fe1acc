#include "tapegrad/program/run/executor.h"

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <thread>

#include "program/allocated.h"
#include "program/programs.h"
#include "sanitized.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/base/buffer.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/index/index.h"
#include "tapegrad/ops/linalg/linalg.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/shape/shape.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/program/passes/passes.h"
#include "tapegrad/program/record.h"

// This program's own operator new and aligned_alloc (which the pool takes its memory from): every
// call is counted, on whatever thread. The sanitizers bring theirs, and are left alone.

namespace {
std::atomic<int64_t> allocations{0}, bytes{0};
}  // namespace

int64_t programs::allocated_bytes() { return bytes; }

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
[[gnu::noinline]] void* operator new(size_t n) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(static_cast<int64_t>(n), std::memory_order_relaxed);
  if (void* p = std::malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
void* operator new[](size_t n) { return operator new(n); }
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { operator delete(p); }
void operator delete(void* p, size_t) noexcept { operator delete(p); }
void operator delete[](void* p, size_t) noexcept { operator delete(p); }

extern "C" void* aligned_alloc(size_t alignment, size_t n) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  bytes.fetch_add(static_cast<int64_t>(n), std::memory_order_relaxed);
  void* p = nullptr;
  return posix_memalign(&p, alignment, n) == 0 ? p : nullptr;
}
#endif

using namespace programs;
using namespace tapegrad;

namespace {

using Refs = std::vector<Ref>;
using Function = std::function<Refs(const Refs&)>;

Value numbers(const Dims& shape, uint64_t seed = 1) {
  std::mt19937_64 random(seed);
  return random_value(f64(shape), random);
}

Program recorded(const Function& f, const std::vector<Value>& arguments) {
  register_all_ops();
  Tracer tracer;
  Refs in;
  for (const Value& v : arguments) in.push_back(tracer.argument(v));
  const Recording r = freeze(tracer, f(in));
  CHECK(r.refusal.empty() && r.captures.empty());
  return optimise(r.program, PassOptions());
}

// Whether runs stop taking memory from the system: at first the pool grows, and where blocks go
// from thread to thread it takes a while until enough are on their way.
bool becomes_steady(const Executor& e, const std::vector<Value>& in) {
  std::vector<Value> out;
  size_t failed = 0;
  for (int batch = 0, quiet = 0; batch < 100; ++batch) {
    const int64_t before = allocations;
    for (int i = 0; i < 10; ++i) {
      if (!e.run(in, {}, out, failed)) return false;
      for (Value& v : out) v = Value();
    }
    quiet = allocations == before ? quiet + 1 : 0;
    if (quiet == 5) return true;
  }
  return false;
}

void check_steady(const char* what, const Program& p, const std::vector<Value>& arguments) {
  const std::vector<Value> expected = run(p, arguments, {}, true);
  const Executor e(p);
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    std::vector<Value> out;
    size_t failed = 0;
    CHECK(e.run(arguments, {}, out, failed));
    for (size_t k = 0; k < out.size(); ++k) CHECK(same_numbers(out[k], expected[k]));
    out.clear();
    const bool steady = becomes_steady(e, arguments);
    if (!steady) std::printf("%s on %d threads allocates in each run\n", what, threads);
    CHECK(steady);
  }
  set_num_threads(0);
}

void check_steady(const char* what, const Function& f, const std::vector<Value>& arguments) {
  check_steady(what, recorded(f, arguments), arguments);
}

Ref tanh(const Ref& x) { return elementwise(scalar_fn_of<Tanh>(), {x}); }

}  // namespace

TEST(the_counter_counts) {
  if (check::sanitized) return;
  const int64_t before = allocations;
  delete new int(3);
  trim_pool();
  Buffer::allocate(1000)->drop();
  CHECK(allocations >= before + 2);
}

TEST(a_run_allocates_nothing_elementwise) {
  for (int64_t n : {1, 7, 64, 1000, 100000, 600000}) {
    check_steady("elementwise",
                 [](const Refs& in) -> Refs {
                   return {multiply(exp(in[0]), add(in[1], in[0])), sum(square(in[0]))};
                 },
                 {numbers({n}), numbers({n}, 2)});
  }
  check_steady("scalars",
               [](const Refs& in) -> Refs { return {multiply(exp(in[0]), add(in[1], in[0]))}; },
               {Value(0.5), Value(0.25)});
  check_steady("broadcasts",
               [](const Refs& in) -> Refs {
                 const Ref y = tanh(add(multiply(in[0], in[1]), in[2]));
                 return {y, sum(y, Axes{0}), sum(y, Axes{1}, true), sum(y)};
               },
               {numbers({300, 200}), numbers({300, 1}, 2), numbers({200}, 3)});
}

TEST(a_run_allocates_nothing_reductions) {
  check_steady("reductions",
               [](const Refs& in) -> Refs {
                 return {sum(in[0]),          sum(in[0], Axes{0, 2}),    mean(in[0], Axes{1}),
                         max(in[0], Axes{2}), logsumexp(in[0], Axes{2}), cumsum(in[0], 1),
                         prod(in[0], Axes{0})};
               },
               {numbers({40, 30, 20})});
}

TEST(a_run_allocates_nothing_matrices) {
  check_steady("products",
               [](const Refs& in) -> Refs {
                 return {matmul(in[0], in[1]), matmul(swap_last_axes(in[0]), in[2]),
                         matmul(in[0], in[3]), matmul(in[3], in[1]), matmul(in[3], in[3])};
               },
               {numbers({50, 40}), numbers({40, 30}, 2), numbers({50, 20}, 3), numbers({40}, 4)});
  check_steady("large products",
               [](const Refs& in) -> Refs {
                 return {matmul(in[0], in[1]), matmul(swap_last_axes(in[0]), in[0])};
               },
               {numbers({300, 400}), numbers({400, 200}, 2)});
  check_steady("stacks",
               [](const Refs& in) -> Refs {
                 return {matmul(in[0], in[1]), matmul(in[0], swap_last_axes(in[2]))};
               },
               {numbers({10, 20, 30}), numbers({10, 30, 10}, 2), numbers({20, 30}, 3)});
  const auto regular = [] {
    Value a = numbers({6, 6}, 5);
    for (int64_t i = 0; i < 6; ++i) a.set_at(7 * i, 10.0);
    return a;
  };
  check_steady("solutions",
               [](const Refs& in) -> Refs { return {solve(in[0], in[1]), det(in[0]), inv(in[0])}; },
               {regular(), numbers({6}, 2)});
}

TEST(a_run_allocates_nothing_in_tiles) {
  const std::vector<Value> arguments{numbers({100, 30}), numbers({30, 20}, 2)};
  const Program p = recorded(
      [](const Refs& in) -> Refs {
        const Ref y = tanh(matmul(in[0], in[1]));
        return {y, sum(y, Axes{0}), matmul(swap_last_axes(in[0]), y)};
      },
      arguments);
  const Program q = tile(p, true);
  CHECK(count_kernels(q) == 1);
  check_steady("tiles", q, arguments);
}

TEST(a_run_allocates_nothing_shapes) {
  check_steady("shapes",
               [](const Refs& in) -> Refs {
                 const Ref x = exp(in[0]);
                 return {reshape(x, Dims{60, 8}),
                         reshape(swap_last_axes(x), Dims{480}),
                         transpose(x, Axes{2, 0, 1}),
                         concatenate({x, x}, 1),
                         stack({x, in[0]}, 0),
                         flip(x, Axes{1}),
                         broadcast_to(x, Dims{3, 4, 10, 12}),
                         roll(x, {2}, Axes{1}),
                         split(x, 1, {4})[1],
                         pad_constant(x, {1, 1, 0, 0, 2, 0})};
               },
               {numbers({4, 10, 12})});
  check_steady("slices",
               [](const Refs& in) -> Refs {
                 IndexSpec few, row;
                 few.range(1, 2, 5).whole(12);
                 row.at(3).whole(12);
                 Ref y = exp(in[0]);
                 const Ref part = slice(y, few), line = slice(y, row);
                 y = slice_add(std::move(y), few, multiply(part, part));
                 return {slice_set(std::move(y), row, multiply(line, Ref(2.0))), line};
               },
               {numbers({20, 12})});
  Value places = Value::empty(DType::int64, Dims{30});
  for (int64_t i = 0; i < 30; ++i) places.data<int64_t>()[i] = i * 7 % 20;
  check_steady("gathers",
               [](const Refs& in) -> Refs {
                 IndexSpec spec;
                 spec.array().whole(12);
                 const Ref indices[] = {in[1]};
                 const Ref rows = gather(in[0], spec, indices);
                 return {rows, gather_add(exp(in[0]), spec, square(rows), indices)};
               },
               {numbers({20, 12}), places});
}

TEST(a_run_allocates_nothing_training) {
  check_steady("a training step",
               [](const Refs& in) -> Refs {
                 Scope scope;
                 const Variable w1 = scope.argument(in[0]), b1 = scope.argument(in[1]);
                 const Variable w2 = scope.argument(in[2]);
                 const Ref hidden = tanh(add(matmul(in[3], w1.ref()), b1.ref()));
                 const Ref loss = mean(square(subtract(matmul(hidden, w2.ref()), in[4])));
                 const Ref outs[] = {loss}, wrt[] = {w1.ref(), b1.ref(), w2.ref()};
                 const Refs g = scope.grad(outs, wrt, {});
                 Refs next{scope.result(loss)};
                 for (size_t k = 0; k < 3; ++k)
                   next.push_back(subtract(in[k], multiply(Ref(0.01), scope.result(g[k]))));
                 return next;
               },
               {numbers({30, 50}), numbers({50}, 2), numbers({50, 3}, 3), numbers({64, 30}, 4),
                numbers({64, 3}, 5)});
}

TEST(a_run_allocates_nothing_in_thousands_of_tiny_steps) {
  check_steady("a time loop",
               [](const Refs& in) -> Refs {
                 Ref state = in[0];
                 Refs seen;
                 for (int t = 0; t < 1500; ++t) {
                   state = tanh(add(matmul(in[1], state), in[2]));
                   if (t % 100 == 0) seen.push_back(sum(state));
                 }
                 seen.push_back(state);
                 return seen;
               },
               {numbers({6}), numbers({6, 6}, 2), numbers({6}, 3)});
}

namespace {

// 8 chains of products, each too small to split, and what becomes of them.
struct Branches {
  static constexpr int64_t n = 48;
  explicit Branches(bool guarded = false) {
    std::vector<ValueId> ends;
    for (int b = 0; b < 8; ++b) {
      const ValueId a = d.input({n, n}), x = d.input({n, n});
      ValueId y = x;
      for (int link = 0; link < 3; ++link) y = d.op("matmul", {a, y});
      const ValueId s = d.op("sum", {y}, {Attr{}, false});
      if (guarded) {
        d.guard(d.op("less", {s, d.constant(1e6 + b)}), Value::integer_scalar(1, DType::bool_));
        y = d.op("inv", {y});
      }
      ends.push_back(s);
      outs.push_back(y);
      in.push_back(numbers({n, n}, static_cast<uint64_t>(2 * b)));
      in.push_back(numbers({n, n}, static_cast<uint64_t>(2 * b + 1)));
    }
    ValueId total = ends[0];
    for (size_t b = 1; b < ends.size(); ++b) total = d.op("add", {total, ends[b]});
    for (ValueId y : outs) d.writer().output(y);
    program = d.returning({total});
  }
  Draft d;
  std::vector<ValueId> outs;
  std::vector<Value> in;
  Program program;
};

// Every element such that the sums of a branch are too large, or that a product is singular.
Value all(double x) { return Value::full(DType::float64, Dims{Branches::n, Branches::n}, x); }

}  // namespace

TEST(branches_run_at_the_same_time_with_the_same_bits) {
  const Branches branches;
  const Executor e(branches.program);
  CHECK(e.runs_together());
  const std::vector<Value> expected = run(branches.program, branches.in);
  for (int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    for (int round = 0; round < 20; ++round) {
      const int64_t regions = parallel_regions_run();
      std::vector<Value> out;
      size_t failed = 0;
      CHECK(e.run(branches.in, {}, out, failed));
      CHECK((parallel_regions_run() > regions) == (threads > 1));
      for (size_t k = 0; k < out.size(); ++k) CHECK(same_numbers(out[k], expected[k]));
    }
    CHECK(check::sanitized || becomes_steady(e, branches.in));
  }
  set_num_threads(0);
}

TEST(the_first_stop_in_the_programs_order_counts) {
  const Branches branches(true);
  const Executor e(branches.program);
  CHECK(e.runs_together());
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    const auto outcome = [&](const std::vector<Value>& in) {
      std::vector<Value> out;
      size_t failed = 99;
      return e.run(in, {}, out, failed) ? 99 : static_cast<int>(failed);
    };
    for (int round = 0; round < 10; ++round) {
      CHECK(outcome(branches.in) == 99);
      std::vector<Value> in = branches.in;
      in[2 * 6] = in[2 * 6 + 1] = all(10.0);  // guard 6 does not hold
      CHECK(outcome(in) == 6);
      in[2 * 3] = in[2 * 3 + 1] = all(10.0);
      CHECK(outcome(in) == 3);
      in[2 * 5] = in[2 * 5 + 1] = all(0.0);  // no inverse, but guard 3 comes first
      CHECK(outcome(in) == 3);
      in[2 * 1] = in[2 * 1 + 1] = all(0.0);  // comes before any guard that fails
      CHECK_THROWS_SAYING(LinAlgError, "ingular", outcome(in));
      CHECK(outcome(branches.in) == 99);  // and everything serves again
    }
  }
  set_num_threads(0);
}

TEST(any_number_of_threads_run_one_program) {
  const Branches branches(true);
  const Executor e(branches.program);
  const std::vector<Value> expected = run(branches.program, branches.in);
  std::vector<Value> broken = branches.in;
  broken[0] = broken[1] = all(10.0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 25; ++round) {
        std::vector<Value> out;
        size_t failed = 99;
        if ((round + t) % 3 == 0) {
          CHECK(!e.run(broken, {}, out, failed) && failed == 0);
          continue;
        }
        CHECK(e.run(branches.in, {}, out, failed));
        for (size_t k = 0; k < out.size(); ++k) CHECK(same_numbers(out[k], expected[k]));
      }
    });
  for (std::thread& t : threads) t.join();
}

TEST(inputs_are_checked) {
  Draft d;
  const Executor e(d.returning({d.op("exp", {d.input({3})})}));
  std::vector<Value> out;
  size_t failed = 0;
  const std::vector<Value> wrong{numbers({4})};
  CHECK_THROWS_SAYING(ValueError, "input 0 was recorded as float64 (3,), got float64 array of",
                      e.run(wrong, {}, out, failed));
  CHECK_THROWS_SAYING(ValueError, "takes 1 inputs, got 0", e.run({}, {}, out, failed));
}
