// When code is compiled, by whom, and that it gives the interpreter's bits; interpreter_test runs
// random tapes both ways.
#include "tapegrad/lanes/machine.h"

#include <thread>

#include "check.h"
#include "lanes/emit_when.h"
#include "tapegrad/lanes/lane_plan.h"

using namespace tapegrad;
using emit::When;

namespace {

RegisterCode<double> chain_of(int length) {
  ScalarTape tape;
  tape.n_inputs = 2;
  uint32_t last = 0;
  for (int i = 0; i < length; ++i)
    last = tape.add(i % 3 ? scalar_fn_of<Multiply>() : scalar_fn_of<Sin>(), {last, 1, 0});
  return make_register_code<double>(tape, std::vector<uint32_t>{last}, true);
}

double run(const RegisterCode<double>& code) {
  std::vector<double> file(code.registers);
  file[code.inputs[0].reg] = 0.75;
  file[code.inputs[1].reg] = 1.25;
  run_registers(code, file.data());
  return file[code.outputs[0].reg];
}

}  // namespace

TEST(what_runs_often_is_compiled_once) {
  if (emit::when() == When::never) return;
  const EmitWhen earned(When::earned);
  const RegisterCode<double> code = chain_of(40);
  const double wanted = run(code);
  CHECK(!code.machine.get(code));
  const uint64_t made = emit::count().made;
  int runs = 0;
  for (; runs < 100'000 && emit::count().made == made; ++runs) CHECK(run(code) == wanted);
  CHECK(runs > 100 && runs < 10'000);
  for (int i = 0; i < 10; ++i) CHECK(run(code) == wanted);
  CHECK(emit::count().made == made + 1);
}

TEST(what_is_too_short_is_not_compiled) {
  const EmitWhen earned(When::earned);
  const RegisterCode<double> code = chain_of(2);
  for (int i = 0; i < 50'000; ++i) CHECK(!code.machine.get(code));
}

TEST(nothing_is_compiled_where_it_is_switched_off) {
  const EmitWhen never(When::never);
  const RegisterCode<double> code = chain_of(40);
  for (int i = 0; i < 5'000; ++i) CHECK(!code.machine.get(code));
}

TEST(other_code_takes_no_machine_code_over) {
  if (emit::when() == When::never) return;
  const EmitWhen always(When::always);
  RegisterCode<double> code = chain_of(40);
  const RegisterCode<double> longer = chain_of(41);
  const double of_40 = run(code), of_41 = run(longer);
  CHECK(of_40 != of_41);
  const uint64_t alive = emit::count().alive;
  code = chain_of(41);
  CHECK(emit::count().alive == alive - 1);
  CHECK(run(code) == of_41);
  const RegisterCode<double> copy = code;
  CHECK(run(copy) == of_41);
  CHECK(emit::count().alive == alive + 1);
}

TEST(threads_share_one_piece_of_code) {
  if (emit::when() == When::never) return;
  const EmitWhen earned(When::earned);
  const RegisterCode<double> code = chain_of(40);
  const double wanted = run(code);
  const uint64_t made = emit::count().made;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) CHECK(run(code) == wanted);
    });
  for (std::thread& t : threads) t.join();
  CHECK(emit::count().made == made + 1);
}

TEST(a_listing_names_what_is_called) {
  const std::string text = listing_of(chain_of(3));
  CHECK(text.find("mov rax, sin") != std::string::npos);
  CHECK(text.find("vmulsd") != std::string::npos);
}
