#include "tapegrad/ops/registry.h"

#include <mutex>

#include "tapegrad/kernels/array/fingerprint.h"
#include "tapegrad/tape/tape.h"

namespace tapegrad {

void register_all_ops() {
  static std::once_flag once;
  std::call_once(once, [] {
    fingerprint_of = fingerprint;
    register_elementwise_ops();  // first: their ids are the scalar functions'
    register_reduction_ops();
    register_shape_ops();
    register_index_ops();
    register_order_ops();
    register_integer_ops();
    register_matmul_ops();
    register_linalg_ops();
    register_decompose_ops();
    register_fourier_ops();
    register_signal_ops();
    register_sparse_ops();
    register_foreign_ops();
    register_host_ops();
  });
}

}  // namespace tapegrad
