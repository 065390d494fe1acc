#pragma once

namespace tapegrad {

void register_gather_ops();  // the part of register_index_ops for index arrays

}  // namespace tapegrad
