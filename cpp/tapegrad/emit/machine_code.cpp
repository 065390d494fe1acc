#include "tapegrad/emit/machine_code.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tapegrad/base/error.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/mman.h>
#include <unistd.h>
#define TAPEGRAD_CAN_EMIT 1
#else
#define TAPEGRAD_CAN_EMIT 0
#endif

namespace tapegrad::emit {
namespace {

// Each piece has pages of its own, and a process can have 65,530 mappings.
constexpr uint64_t most_alive = 8192;

std::atomic<uint64_t> alive{0}, made{0};

When wish() {
  const char* text = std::getenv("TAPEGRAD_EMIT");
  const std::string_view value = text ? text : "";
  if (value.empty() || value == "1") return When::earned;
  if (value == "0") return When::never;
  if (value == "always") return When::always;
  throw_error<ValueError>("TAPEGRAD_EMIT='", text,
                          "': it is 0 (interpret), 1 (compile what runs often) or always; unset it "
                          "to compile what runs often");
}

bool processor_can() {
#if TAPEGRAD_CAN_EMIT
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
  return false;
#endif
}

std::atomic<When>& chosen() {
  static std::atomic<When> choice{processor_can() ? wish() : When::never};
  return choice;
}

#if TAPEGRAD_CAN_EMIT
size_t in_pages(size_t bytes) {
  static const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}
#endif

}  // namespace

When when() { return chosen().load(std::memory_order_relaxed); }

void set_when(When when) {
  chosen().store(processor_can() ? when : When::never, std::memory_order_relaxed);
}

Count count() {
  return {alive.load(std::memory_order_relaxed), made.load(std::memory_order_relaxed)};
}

MachineCode MachineCode::place([[maybe_unused]] std::span<const uint8_t> bytes) {
  MachineCode code;
#if TAPEGRAD_CAN_EMIT
  if (alive.load(std::memory_order_relaxed) >= most_alive) return code;
  const size_t size = in_pages(bytes.size());
  void* const pages =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return code;
  std::memcpy(pages, bytes.data(), bytes.size());
  if (mprotect(pages, size, PROT_READ | PROT_EXEC) != 0) {
    munmap(pages, size);
    return code;
  }
  code.pages_ = pages;
  code.size_ = size;
  alive.fetch_add(1, std::memory_order_relaxed);
  made.fetch_add(1, std::memory_order_relaxed);
#endif
  return code;
}

MachineCode::~MachineCode() {
#if TAPEGRAD_CAN_EMIT
  if (!pages_) return;
  munmap(pages_, size_);
  alive.fetch_sub(1, std::memory_order_relaxed);
#endif
}

}  // namespace tapegrad::emit
