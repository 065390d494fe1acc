#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace tapegrad {

// Fetches what the next block of lanes will read and write, some cache lines after each step of
// the block at work. A block reads an input in one go and then computes for a while: the
// processor's own prefetcher, which follows what is read, starts anew with each block.
class LaneAhead {
 public:
  static constexpr size_t most_streams = 8;
  static constexpr int64_t least_lanes = 32768;  // fewer never pay

  // An array that is gone through from here on, so many bytes for a lane. Of those that lie close
  // to each other (x[1:] and x[:-1]) the one that is ahead brings in the lines of all.
  void add(const void* first, int64_t bytes_per_lane, bool is_written) {
    const auto at = reinterpret_cast<uintptr_t>(first);
    for (size_t k = 0; k < count_; ++k) {
      Stream& s = streams_[k];
      if (std::max(s.at, at) - std::min(s.at, at) >= close_bytes) continue;
      s.at = std::max(s.at, at);
      s.is_written |= is_written;
      return;
    }
    if (count_ == most_streams) return;
    streams_[count_++] = {at, bytes_per_lane, is_written};
  }
  size_t count() const { return count_; }

  // To fetch what is in the caches anyway costs more than it saves, and where a block does little
  // else than read, the processor does it well.
  bool pays(int64_t lanes, size_t n_steps) const {
    int64_t bytes = 0;
    for (size_t k = 0; k < count_; ++k) bytes += lanes * streams_[k].bytes_per_lane;
    return bytes >= (n_steps < 4 ? 30'000'000 : 3'000'000);
  }

  void begin_block(int64_t lanes, size_t n_steps) {
    for (size_t k = 0; k < count_; ++k) {
      Stream& s = streams_[k];
      const int64_t bytes = lanes * s.bytes_per_lane;
      s.at += static_cast<uintptr_t>(bytes);
      s.fetched = 0;
      s.bytes = bytes;
      s.each = (bytes / static_cast<int64_t>(n_steps) / line + 1) * line;
    }
  }

  void after_step() {
    for (size_t k = 0; k < count_; ++k) {
      Stream& s = streams_[k];
      const char* const from = reinterpret_cast<const char*>(s.at);
      const int64_t to = std::min(s.bytes, s.fetched + s.each);
      if (s.is_written) {
        for (int64_t i = s.fetched; i < to; i += line) __builtin_prefetch(from + i, 1);
      } else {
        for (int64_t i = s.fetched; i < to; i += line) __builtin_prefetch(from + i, 0);
      }
      s.fetched = to;
    }
  }

 private:
  static constexpr int64_t line = 64;
  static constexpr uintptr_t close_bytes = 32 << 10;
  struct Stream {
    uintptr_t at = 0;  // of the next block: maybe behind the end
    int64_t bytes_per_lane = 0;
    bool is_written = false;
    int64_t bytes = 0, fetched = 0, each = 0;  // of that block; for a step
  };

  std::array<Stream, most_streams> streams_{};
  size_t count_ = 0;
};

}  // namespace tapegrad
