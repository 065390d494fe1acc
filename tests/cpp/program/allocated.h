// What has been allocated: for the tests that count work.
#pragma once

#include <cstdint>

namespace programs {

// Bytes, by the whole program so far; always 0 under the sanitizers, which bring operators of their
// own. Counted in run/executor_test.cpp.
int64_t allocated_bytes();

}  // namespace programs
