#pragma once

#include <vector>

#include "tapegrad/kernels/decompose/ties.h"
#include "tapegrad/tape/op.h"
#include "tapegrad/tape/ref.h"
#include "tapegrad/tape/rule.h"

// Decompositions of Refs; stacks of matrices along the leading axes.

namespace tapegrad {

// Descending, (..., k) of (..., m, n), k = min(m, n). Those that are zero up to rounding have
// derivative zero, as norms have.
Ref singular_values_of_norm(const Ref& a);

// Outputs of a decomposition: the vectors, in columns or in rows, that belong to numbers.
struct VectorsOfNumbers {
  int numbers, vectors;
  bool in_rows;
};
const std::vector<VectorsOfNumbers>& vectors_of_numbers(const Op& op);  // empty for other ops

// What the files of the family share.

const Op& eigh_op();
const Op& svd_op();
const Op& hermitian_op();
const Op& complex_svd_op();

// ties.cpp
Ref divide_by_gaps(const Ref& w, const Ref& k, const Ref& d);
Ref share_ties(const Ref& w, const Ref& d, Tip tip);
// u diag(d) vt, of the vectors and the numbers of a decomposition.
Ref scaled_product(const Ref& u, const Ref& d, const Ref& vt);
Ref as_row(const Ref& numbers);     // (..., 1, n)
Ref as_column(const Ref& numbers);  // (..., n, 1)
Ref symmetric_part(const Ref& x);
Ref antisymmetric_part(const Ref& x);
// The numbers on the diagonal of (..., n, n).
Ref as_diagonal(const Ref& numbers);

// stein.cpp: X of X - m X n = c, m and n symmetric
Ref solve_stein(const Ref& m, const Ref& n, const Ref& c);

// The stack of (..., m, n), its last two; throws LinAlgError where there are fewer axes.
struct MatrixShape {
  Dims stack;
  int64_t m, n, k;  // k is the smaller one
  Dims with(std::initializer_list<int64_t> last) const;
};
MatrixShape matrix_shape(const Dims& shape, const char* op);
// Decompositions are computed in double precision, as NumPy's are: which singular values of a
// float32 matrix are zero shows there. Outputs become float32 again where the input was.
void round_to(DType input, std::span<Value> out);
[[noreturn]] void throw_not_converged(const char* op, const char* what, const Dims& stack,
                                      int64_t failed);

// Whether a derivative may be asked of what is recorded of this input, so that vectors which the
// rules would compute again are worth keeping: not where it goes into a program of values alone.
bool may_be_swept(const Ref& a);

// Rules of what is a matter of choice and stands still.
inline void no_vjp(VjpContext&) {}
inline void no_jvp(JvpContext&) {}

// The parts of register_decompose_ops.
void register_tie_ops();
void register_eigh_ops();
void register_svd_ops();
void register_qr_ops();
void register_stein_op();
void register_pinv_ops();
void register_hermitian_ops();
void register_eig_ops();

}  // namespace tapegrad
