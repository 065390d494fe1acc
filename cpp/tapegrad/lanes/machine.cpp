#include "tapegrad/lanes/machine.h"

#include <vector>

#include "tapegrad/emit/straight.h"
#include "tapegrad/lanes/interpreter.h"
#include "tapegrad/lanes/machine_function.h"

namespace tapegrad {
namespace {

template <class T>
emit::Compiled compile(const RegisterCode<T>& code, bool lists) {
  std::vector<emit::Line> lines;
  lines.reserve(code.steps.size());
  for (size_t i = 0; i + 1 < code.steps.size(); ++i) {
    const RegisterStep& s = code.steps[i];
    const ScalarFn fn{s.fn};
    const ScalarFnInfo& info = scalar_fn_info(fn);
    lines.push_back({machine_function(fn), static_cast<uint8_t>(info.arity), s.out, s.a, s.b, s.c,
                     reinterpret_cast<const void*>(elementwise_kernel<T>(fn).scalar), info.name});
  }
  return emit::compile_straight(lines, code.registers, machine_precision<T>, lists);
}

// What compiling costs, in steps of the interpreter: so many have to be run before.
constexpr size_t cost_of_pages = 20'000, cost_of_step = 500;
constexpr size_t fewest_steps = 4, most_steps = 1'000'000;

bool can_compile(size_t steps, uint32_t registers) {
  return steps >= fewest_steps && steps <= most_steps && registers < emit::most_registers;
}

}  // namespace

template <class T>
auto RegisterMachine<T>::compile_if_due(const RegisterCode<T>& code) const -> Run {
  if (settled_.load(std::memory_order_relaxed)) return nullptr;
  const emit::When when = emit::when();
  if (when == emit::When::never) return nullptr;
  const size_t steps = code.steps.size() - 1;  // without the end
  if (when == emit::When::earned) {
    const uint32_t left = left_.load(std::memory_order_relaxed);
    if (left == 0) {
      if (!can_compile(steps, code.registers)) {
        settled_.store(true, std::memory_order_relaxed);
      } else {
        left_.store(static_cast<uint32_t>(cost_of_step + cost_of_pages / steps),
                    std::memory_order_relaxed);
      }
      return nullptr;
    }
    if (left > 1) {
      left_.store(left - 1, std::memory_order_relaxed);
      return nullptr;
    }
  }
  if (settled_.exchange(true) || steps == 0 || code.registers >= emit::most_registers)
    return nullptr;
  const emit::Compiled made = compile(code, false);
  machine_code_ = emit::MachineCode::place(made.code.bytes());
  if (!machine_code_) return nullptr;
  const auto run = reinterpret_cast<Run>(reinterpret_cast<uintptr_t>(machine_code_.at(made.entry)));
  run_.store(run, std::memory_order_release);
  return run;
}

template <class T>
void RegisterMachine<T>::reset() {
  run_.store(nullptr, std::memory_order_relaxed);
  left_.store(0, std::memory_order_relaxed);
  settled_.store(false, std::memory_order_relaxed);
  machine_code_ = emit::MachineCode();
}

template <class T>
std::string listing_of(const RegisterCode<T>& code) {
  return emit::listing_of(compile(code, true));
}

template class RegisterMachine<float>;
template class RegisterMachine<double>;
template std::string listing_of(const RegisterCode<float>&);
template std::string listing_of(const RegisterCode<double>&);

}  // namespace tapegrad
