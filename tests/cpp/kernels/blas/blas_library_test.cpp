#include "tapegrad/kernels/blas/blas_library.h"

#include "check.h"
#include "tapegrad/base/error.h"

using namespace tapegrad;

namespace {

// Another library while it lives, then the one before.
class UseLibrary {
 public:
  explicit UseLibrary(const std::string& path) : before_(blas_library()) { set_blas_library(path); }
  ~UseLibrary() { set_blas_library(before_); }
  UseLibrary(const UseLibrary&) = delete;
  UseLibrary& operator=(const UseLibrary&) = delete;

 private:
  std::string before_;
};

// (1 2; 3 4) (5; 6) in single and double precision, of the library's own functions.
template <class T>
void check_functions(const BlasFunctions<T>& blas) {
  const T a[] = {1, 2, 3, 4}, x[] = {5, 6};
  T y[2] = {}, c[4] = {};
  blas.gemv(row_major, no_trans, 2, 2, T(1), a, 2, x, 1, T(0), y, 1);
  CHECK(y[0] == 17 && y[1] == 39);
  blas.gemm(row_major, no_trans, trans, 2, 2, 2, T(1), a, 2, a, 2, T(0), c, 2);
  CHECK(c[0] == 5 && c[1] == 11 && c[2] == 11 && c[3] == 25);
  T z[] = {4, 14};  // (2 .; 3 4) z = (4; 14)
  const T lower_triangle[] = {2, -1, 3, 4};
  blas.trsv(row_major, lower, no_trans, non_unit, 2, lower_triangle, 2, z, 1);
  CHECK(z[0] == 2 && z[1] == 2);
}

}  // namespace

TEST(without_a_library_the_built_in_kernels_serve) {
  const UseLibrary none("");
  CHECK(blas_library().empty());
  CHECK(blas_name() == "built-in");
  CHECK(blas_functions<double>() == nullptr && blas_functions<float>() == nullptr);
}

TEST(a_library_stays_open_while_another_one_is_used) {
  if (blas_library().empty()) return;
  const BlasFunctions<double>* const before = blas_functions<double>();
  CHECK(before != nullptr);
  {
    const UseLibrary none("");
    CHECK(blas_functions<double>() == nullptr);
    check_functions(*before);
  }
  CHECK(blas_functions<double>() == before);
  check_functions(*blas_functions<float>());
}

TEST(a_library_that_cannot_be_loaded_is_named) {
  {
    const UseLibrary missing("/nowhere/libblas.so");
    CHECK_THROWS_SAYING(RuntimeError, "BLAS: cannot load /nowhere/libblas.so", blas_name());
    CHECK_THROWS_SAYING(RuntimeError, "/nowhere/libblas.so", blas_functions<float>());
    CHECK(blas_library() == "/nowhere/libblas.so");
    set_blas_library("");  // the failure is not remembered
    CHECK(blas_name() == "built-in");
  }
  {
    const UseLibrary other("libm.so.6");
    CHECK_THROWS_SAYING(RuntimeError,
                        "libm.so.6 has no function scipy_cblas_dgemm; it must be the library of "
                        "the scipy-openblas32 package",
                        blas_name());
  }
}
