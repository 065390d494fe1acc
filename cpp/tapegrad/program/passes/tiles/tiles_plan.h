// The plan says which steps are run tile by tile along one axis: see tiles.cpp.
#pragma once

#include <set>

#include "tapegrad/program/passes/batch/batch_regions.h"
#include "tapegrad/program/run/tiles.h"

namespace tapegrad {

class TilesPlan {
 public:
  TilesPlan(const Program& p, int64_t n, bool always);

  static constexpr uint32_t none = ~uint32_t{0};
  static constexpr size_t large_bytes = size_t{4} << 20;  // of an array that leaves the near caches
  struct Region {
    uint32_t stage = 0;
    std::vector<uint32_t> own;     // steps that nobody else takes
    std::vector<uint32_t> steps;   // those that are needed, and copies of other regions' steps
    std::vector<ValueId> inputs;   // what is read, but for constants that all positions share
    std::vector<ValueId> results;  // what others read
    int64_t length = 0;            // of a tile
    double ns = 0, gain_ns = 0;    // of what goes through memory now, and what is saved
  };

  const BatchAxes& axes() const { return axes_; }
  const std::vector<Region>& regions() const { return regions_; }
  const std::vector<uint32_t>& region_of() const { return region_of_; }  // by step
  double gain_ns() const;

  // The region's steps in a program of some positions: axes().of_lanes().
  static Program body(const Region& region, const Program& lanes);

 private:
  void take_steps();
  bool continues(uint32_t i, ValueId v) const;
  void make_regions();
  void connect();
  void find_steps(Region& region, std::vector<bool>& wanted);
  bool is_copied(const Program::Step& s) const;
  void measure(Region& region) const;
  int64_t least_length(const Region& region) const;
  int64_t tile_length(const Region& region, const Program& whole) const;
  bool cuts_well(const Region& region, int64_t length) const;
  double tiled_bytes(const Region& region, int64_t tiles) const;
  bool is_large(const Program::Step& s) const;
  size_t bytes(ValueId v) const;

  const Program& p_;
  const bool always_;
  BatchAxes axes_;
  BatchRegions together_;
  std::vector<uint32_t> region_of_, in_;  // by step
  std::vector<uint32_t> seen_;            // by value
  uint32_t mark_ = 0;
  std::vector<Region> regions_;
};

}  // namespace tapegrad
