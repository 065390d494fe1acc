#pragma once

#include <string>
#include <vector>

#include "tapegrad/tape/ref.h"

namespace tapegrad {

const Op& einsum_op();

Ref einsum(const std::string& subscripts, std::vector<Ref> operands);

void register_einsum_ops();

}  // namespace tapegrad
