#pragma once

#include "tapegrad/base/value.h"

// A sparse matrix is a list of elements, each with its row and its column, int64; elements at one
// place add up. All arrays are packed, and the floating ones have one dtype, float64 or float32.

namespace tapegrad {

// out_i = sum of data_p x_(column p) over the elements p of row i, x (n) or (n, k), out (rows) or
// (rows, k). Elements of a row are added in the order of the list.
Value sparse_product_values(const Value& data, const Value& x, const Value& rows,
                            const Value& columns, int64_t n_rows);

// out_p = sum over j of u_(row p, j) v_(column p, j), u (m) or (m, k), v (n) or (n, k).
Value sparse_sample_values(const Value& u, const Value& v, const Value& rows,
                           const Value& columns);

}  // namespace tapegrad
