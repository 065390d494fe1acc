#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tapegrad/program/record.h"

namespace tapegrad {

// The memory that an array of the host language shows: two arrays with one id are views of one
// block. Without an id nothing is known.
struct MemoryBlock {
  const void* id = nullptr;
  const char *begin = nullptr, *end = nullptr;
};

// A program that captures many views of one array (data[i:i+w] in a loop over i), which takes them
// out of few arrays by steps of its own instead: so its loops can be found. What it reads is the
// very memory that the views show.
struct JoinedViews {
  Program program;
  std::vector<size_t> kept;   // captures of the other program that are captures of this one, first
  std::vector<Value> covers;  // behind them: arrays that lie around views
};

// `blocks`: by capture, of those that may be joined. Nothing where there are few.
std::optional<JoinedViews> join_captured_views(const Program& p, std::span<const Capture> captures,
                                               std::span<const MemoryBlock> blocks);

}  // namespace tapegrad
