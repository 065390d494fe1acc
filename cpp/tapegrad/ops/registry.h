#pragma once

namespace tapegrad {

// One line per family; each is defined in the family's file.
void register_elementwise_ops();
void register_reduction_ops();
void register_shape_ops();
void register_index_ops();
void register_order_ops();
void register_integer_ops();
void register_matmul_ops();
void register_linalg_ops();
void register_decompose_ops();
void register_fourier_ops();
void register_signal_ops();
void register_sparse_ops();
void register_foreign_ops();
void register_host_ops();

// Registers every op, once. Called before any op is looked up.
void register_all_ops();

}  // namespace tapegrad
