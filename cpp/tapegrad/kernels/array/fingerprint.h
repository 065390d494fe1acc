// A fingerprint is a 64-bit hash of every byte of an array, to tell whether it changed. Chunks of
// 1024 elements (in C order, whatever the strides) are hashed one by one and added up, each mixed
// with its position: so chunks may be visited in any order, by any thread, and inside other loops
// over the array.
#pragma once

#include <cstdint>

#include "tapegrad/base/value.h"

namespace tapegrad {

constexpr int64_t fingerprint_chunk = 1024;

uint64_t fingerprint(const Value& v);

// A fingerprint is made of parts: the sum of fingerprint_part over all of them, modulo 2^64, goes
// to fingerprint_finish. A part is packed and begins at a multiple of fingerprint_chunk.
uint64_t fingerprint_part(const void* data, int64_t elements, size_t item_bytes, int64_t begin);
uint64_t fingerprint_finish(uint64_t sum, int64_t elements);  // never 0

}  // namespace tapegrad
