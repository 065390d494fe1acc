#pragma once

#include <cstddef>
#include <cstdint>

#ifndef TAPEGRAD_ISA_NAMESPACE
#define TAPEGRAD_ISA_NAMESPACE isa_any
#endif

namespace tapegrad {

// Hashes n bytes; the same result at every instruction-set level.
using HashBytes = uint64_t (*)(const char* data, size_t n, uint64_t seed);

inline namespace TAPEGRAD_ISA_NAMESPACE {
uint64_t hash_bytes(const char* data, size_t n, uint64_t seed);
}

}  // namespace tapegrad
