// The table holds what is known of lengths at a step of two recordings and of the program that
// follows from them: see lengths.h.
#pragma once

#include <optional>
#include <vector>

#include "tapegrad/base/error.h"
#include "tapegrad/base/value.h"

namespace tapegrad {

// Gives up on a program for other lengths.
template <class... Parts>
[[noreturn]] void refuse_lengths(const Parts&... parts) {
  throw_error<ValueError>(parts...);
}

class LengthTable {
 public:
  // `recorded` says that the lengths now are those of one of the recordings, coincidences included.
  explicit LengthTable(bool recorded) : recorded_(recorded) {}

  // Adds the type of one value in the two recordings and now.
  void add(const TensorType& a, const TensorType& b, const TensorType& now, bool is_input);

  // Returns the number now that was x in the first recording and y in the second.
  int64_t solve(int64_t x, int64_t y) const;

 private:
  // A length, or a number of elements, in the two recordings and now.
  struct Known {
    int64_t first, second, now;
    bool is_input = false, is_size = false;
    bool is_free() const { return first != second; }
  };

  void add_size(const Known& size);
  void add_length(const Known& length);
  std::vector<int64_t> equal_to(int64_t x, int64_t y) const;
  std::vector<int64_t> at_a_distance(int64_t x, int64_t y) const;
  std::vector<int64_t> multiples_and_sums(int64_t x, int64_t y) const;

  bool recorded_;
  std::vector<Known> known_;
};

}  // namespace tapegrad
