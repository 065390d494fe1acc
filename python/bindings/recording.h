// Where recording is switched off by Python: `tg.no_grad`, whose blocks belong to the context (of
// contextvars) that entered them, so to an asyncio task.
#pragma once

#include <pybind11/pybind11.h>

#include <atomic>

namespace tapegrad {

// The blocks that were entered and not left, in all contexts and threads, and the tapes' scopes
// that were switched off for one. While there are none, nothing needs to look at the context.
extern std::atomic<int64_t> unrecorded_blocks;

void follow_context();

// Every entry from Python begins with this: recording is on or off as the context says.
inline void see_context() {
  if (unrecorded_blocks.load(std::memory_order_relaxed) != 0) [[unlikely]]
    follow_context();
}

void bind_recording(pybind11::module_& m);

}  // namespace tapegrad
