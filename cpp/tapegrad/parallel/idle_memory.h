#pragma once

namespace tapegrad {

// From now on a thread gives back what the pool of buffers holds and nobody took for two seconds.
// It sleeps where the pool holds little, and starts when it is needed for the first time.
void trim_idle_memory();

}  // namespace tapegrad
