// OpenBLAS is loaded at run time into a table of functions, which is filled at the first call that
// needs it.
#pragma once

#include <complex>
#include <cstddef>
#include <string>

namespace tapegrad {

// Names the shared library (scipy-openblas32: 32-bit integers, symbols prefixed scipy_) that
// products and factorizations use from now on; "" means the built-in kernels. Without a call it is
// the path given to CMake as TAPEGRAD_OPENBLAS, if any. The library is loaded at first use; one
// that cannot be loaded throws there. This must not be called while products are running.
void set_blas_library(const std::string& path);
std::string blas_library();

// Returns "built-in", or "OpenBLAS" with the kernels that it chose for this processor ("OpenBLAS
// Zen"). Loads the library.
std::string blas_name();

enum BlasLayout { row_major = 101, col_major = 102 };
enum BlasTranspose { no_trans = 111, trans = 112 };
enum BlasUplo { upper = 121, lower = 122 };
enum BlasDiag { non_unit = 131, unit = 132 };
enum BlasSide { left = 141, right = 142 };

template <class T>
struct BlasFunctions {
  void (*gemm)(int layout, int ta, int tb, int m, int n, int k, T alpha, const T* a, int lda,
               const T* b, int ldb, T beta, T* c, int ldc);
  void (*gemv)(int layout, int ta, int m, int n, T alpha, const T* a, int lda, const T* x, int incx,
               T beta, T* y, int incy);
  void (*trsm)(int layout, int side, int uplo, int ta, int diag, int m, int n, T alpha, const T* a,
               int lda, T* b, int ldb);
  void (*trsv)(int layout, int uplo, int ta, int diag, int n, const T* a, int lda, T* x, int incx);
  void (*getrf)(const int* m, const int* n, T* a, const int* lda, int* pivots, int* info);
  void (*potrf)(const char* uplo, const int* n, T* a, const int* lda, int* info,
                size_t uplo_length);
  void (*syevd)(const char* job, const char* uplo, const int* n, T* a, const int* lda, T* values,
                T* work, const int* work_size, int* integers, const int* integers_size, int* info,
                size_t job_length, size_t uplo_length);
  void (*gesdd)(const char* job, const int* m, const int* n, T* a, const int* lda, T* s, T* u,
                const int* ldu, T* vt, const int* ldvt, T* work, const int* work_size,
                int* integers, int* info, size_t job_length);
  void (*geqrf)(const int* m, const int* n, T* a, const int* lda, T* tau, T* work,
                const int* work_size, int* info);
  void (*orgqr)(const int* m, const int* n, const int* k, T* a, const int* lda, const T* tau,
                T* work, const int* work_size, int* info);
};

// LAPACK's decompositions whose results are complex; those of real matrices have `real` in their
// names.
struct ComplexLapack {
  using Z = std::complex<double>;
  void (*heevd)(const char* job, const char* uplo, const int* n, Z* a, const int* lda,
                double* values, Z* work, const int* work_size, double* reals, const int* reals_size,
                int* integers, const int* integers_size, int* info, size_t job_length,
                size_t uplo_length);
  void (*gesdd)(const char* job, const int* m, const int* n, Z* a, const int* lda, double* s, Z* u,
                const int* ldu, Z* vt, const int* ldvt, Z* work, const int* work_size,
                double* reals, int* integers, int* info, size_t job_length);
  void (*geev)(const char* left, const char* right, const int* n, Z* a, const int* lda, Z* values,
               Z* vl, const int* ldvl, Z* vr, const int* ldvr, Z* work, const int* work_size,
               double* reals, int* info, size_t left_length, size_t right_length);
  void (*real_geev)(const char* left, const char* right, const int* n, double* a, const int* lda,
                    double* re, double* im, double* vl, const int* ldvl, double* vr,
                    const int* ldvr, double* work, const int* work_size, int* info,
                    size_t left_length, size_t right_length);
  void (*getrf)(const int* m, const int* n, Z* a, const int* lda, int* pivots, int* info);
  void (*gesv)(const int* n, const int* columns, Z* a, const int* lda, int* pivots, Z* b,
               const int* ldb, int* info);
};

// Each returns null where the built-in kernels are to be used. T is double or float.
template <class T>
const BlasFunctions<T>* blas_functions();
const ComplexLapack* complex_lapack();

}  // namespace tapegrad
