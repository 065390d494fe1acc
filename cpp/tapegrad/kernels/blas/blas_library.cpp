#include "tapegrad/kernels/blas/blas_library.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "tapegrad/base/error.h"

#ifndef TAPEGRAD_OPENBLAS
#define TAPEGRAD_OPENBLAS ""
#endif

namespace tapegrad {
namespace {

struct Library {
  BlasFunctions<double> of_double{};
  BlasFunctions<float> of_float{};
  ComplexLapack of_complex{};
  std::string name = "built-in";
  bool loaded = false;
};

std::mutex mutex;
std::string path = TAPEGRAD_OPENBLAS;
std::atomic<const Library*> current{nullptr};

class Symbols {
 public:
  explicit Symbols(void* handle) : handle_(handle) {}

  template <class Function>
  void get(Function& function, const std::string& name) const {
    function = reinterpret_cast<Function>(dlsym(handle_, ("scipy_" + name).c_str()));
    if (!function)
      throw_error<RuntimeError>("BLAS: ", path, " has no function scipy_", name,
                                "; it must be the library of the scipy-openblas32 package");
  }

  template <class T>
  void get_all(BlasFunctions<T>& functions, const std::string& letter) const {
    get(functions.gemm, "cblas_" + letter + "gemm");
    get(functions.gemv, "cblas_" + letter + "gemv");
    get(functions.trsm, "cblas_" + letter + "trsm");
    get(functions.trsv, "cblas_" + letter + "trsv");
    get(functions.getrf, letter + "getrf_");
    get(functions.potrf, letter + "potrf_");
    get(functions.syevd, letter + "syevd_");
    get(functions.gesdd, letter + "gesdd_");
    get(functions.geqrf, letter + "geqrf_");
    get(functions.orgqr, letter + "orgqr_");
  }

  void get_complex(ComplexLapack& functions) const {
    get(functions.heevd, "zheevd_");
    get(functions.gesdd, "zgesdd_");
    get(functions.geev, "zgeev_");
    get(functions.real_geev, "dgeev_");
    get(functions.getrf, "zgetrf_");
    get(functions.gesv, "zgesv_");
  }

 private:
  void* handle_;
};

// OpenBLAS ends the process, or crashes, where it gets no memory for itself: the library, and a
// buffer of some ten MiB for each thread that is in a product. It takes the first buffer here.
constexpr size_t own_memory = size_t{160} << 20;

void require_memory() {
  void* const probe = mmap(nullptr, own_memory, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED)
    throw_error<MemoryError>("BLAS: could not allocate the ", own_memory >> 20,
                             " MiB that the first product needs for the library; free some "
                             "arrays, or give back what is kept for later with tg.memory.trim()");
  munmap(probe, own_memory);
}

void take_first_buffer(const BlasFunctions<double>& functions) {
  constexpr int n = 128;  // smaller ones need none
  const std::vector<double> a(size_t{n} * n, 0.0);
  std::vector<double> c(a.size());
  functions.gemm(row_major, no_trans, no_trans, n, n, n, 1.0, a.data(), n, a.data(), n, 0.0,
                 c.data(), n);
}

// While it lives, a library that is loaded starts no threads.
class OneThread {
 public:
  OneThread() {
    if (const char* text = std::getenv(name)) before_ = text;
    setenv(name, "1", 1);
  }
  ~OneThread() {
    if (before_) {
      setenv(name, before_->c_str(), 1);
    } else {
      unsetenv(name);
    }
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  static constexpr const char* name = "OPENBLAS_NUM_THREADS";
  std::optional<std::string> before_;
};

Library open(const std::string& path) {
  Library library;
  if (path.empty()) return library;
  require_memory();
  const OneThread one;
  void* handle = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (!handle) throw_error<RuntimeError>("BLAS: cannot load ", path, ": ", dlerror());
  const Symbols symbols(handle);
  symbols.get_all(library.of_double, "d");
  symbols.get_all(library.of_float, "s");
  symbols.get_complex(library.of_complex);
  // Our own threads share out the work; its own would oversubscribe inside a region, and warn.
  void (*set_threads)(int);
  symbols.get(set_threads, "openblas_set_num_threads");
  set_threads(1);
  const char* (*core_name)();
  symbols.get(core_name, "openblas_get_corename");
  library.name = std::string("OpenBLAS ") + core_name();
  take_first_buffer(library.of_double);
  library.loaded = true;
  return library;
}

// What was opened stays open until the process ends: a product may be running.
const Library* load() {
  static auto& opened = *new std::map<std::string, Library>;
  std::lock_guard lock(mutex);
  if (const Library* loaded = current) return loaded;
  auto place = opened.find(path);
  if (place == opened.end()) place = opened.emplace(path, open(path)).first;
  current.store(&place->second, std::memory_order_release);
  return &place->second;
}

const Library* library() {
  const Library* loaded = current.load(std::memory_order_acquire);
  return loaded ? loaded : load();
}

}  // namespace

void set_blas_library(const std::string& new_path) {
  std::lock_guard lock(mutex);
  if (new_path == path) return;
  path = new_path;
  current.store(nullptr, std::memory_order_release);
}

std::string blas_library() {
  std::lock_guard lock(mutex);
  return path;
}

std::string blas_name() { return library()->name; }

template <>
const BlasFunctions<double>* blas_functions<double>() {
  const Library* found = library();
  return found->loaded ? &found->of_double : nullptr;
}

template <>
const BlasFunctions<float>* blas_functions<float>() {
  const Library* found = library();
  return found->loaded ? &found->of_float : nullptr;
}

const ComplexLapack* complex_lapack() {
  const Library* found = library();
  return found->loaded ? &found->of_complex : nullptr;
}

}  // namespace tapegrad
