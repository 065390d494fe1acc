#include "tapegrad/program/lengths/length_table.h"

#include <algorithm>

namespace tapegrad {

void LengthTable::add(const TensorType& a, const TensorType& b, const TensorType& now,
                      bool is_input) {
  if (a.dtype != b.dtype || a.dtype != now.dtype || a.shape.size() != b.shape.size() ||
      a.shape.size() != now.shape.size())
    refuse_lengths("a value has another dtype or number of axes");
  for (size_t i = 0; i < a.shape.size(); ++i)
    add_length({a.shape[i], b.shape[i], now.shape[i], is_input, false});
  if (a.shape.size() > 1)
    add_size(
        {element_count(a.shape), element_count(b.shape), element_count(now.shape), false, true});
}

int64_t LengthTable::solve(int64_t x, int64_t y) const {
  if (x == y) return x;
  // All explanations are tried: a length of x[:-1] is no other axis' that happened to be one
  // shorter twice.
  std::vector<int64_t> found = equal_to(x, y);
  for (int64_t n : at_a_distance(x, y)) found.push_back(n);
  for (int64_t n : multiples_and_sums(x, y)) found.push_back(n);
  if (found.empty()) refuse_lengths("the number ", x, " of one recording is ", y, " in the other");
  for (int64_t n : found)
    if (n != found[0]) refuse_lengths("the number ", x, " or ", y, " has two explanations");
  if (x >= 0 && y >= 0 && found[0] < 0)
    refuse_lengths("the number ", x, " would become ", found[0]);
  return found[0];
}

std::vector<int64_t> LengthTable::equal_to(int64_t x, int64_t y) const {
  std::vector<int64_t> found;
  for (const Known& k : known_)
    if (k.first == x && k.second == y) found.push_back(k.now);
  return found;
}

std::vector<int64_t> LengthTable::at_a_distance(int64_t x, int64_t y) const {
  std::vector<int64_t> found;
  for (const Known& k : known_)
    if (k.is_free() && !k.is_size && x - k.first == y - k.second)
      found.push_back(k.now + (x - k.first));
  return found;
}

std::vector<int64_t> LengthTable::multiples_and_sums(int64_t x, int64_t y) const {
  std::vector<int64_t> found;
  for (const Known& k : known_) {
    if (!k.is_input || !k.is_free()) continue;
    if (const int64_t n = x / k.first; n > 1 && n * k.first == x && n * k.second == y)
      found.push_back(n * k.now);
    for (const Known& other : known_)
      if (other.is_input && other.is_free() && &other != &k && x == k.first + other.first &&
          y == k.second + other.second)
        found.push_back(k.now + other.now);
  }
  return found;
}

void LengthTable::add_size(const Known& size) {
  const auto same = [&](const Known& k) {
    return k.is_size && k.first == size.first && k.second == size.second && k.now == size.now;
  };
  if (size.is_free() && std::none_of(known_.begin(), known_.end(), same)) known_.push_back(size);
}

void LengthTable::add_length(const Known& length) {
  const int64_t now = length.now;
  if (!length.is_free() && now != length.first)
    refuse_lengths("the length ", length.first, " became ", now);
  if (length.is_free() && std::min({length.first, length.second, now}) <= 1)
    refuse_lengths("axes of length 0 and 1 are recorded by themselves");
  for (const Known& k : known_) {
    if (k.is_size) continue;
    const bool same = k.first == length.first && k.second == length.second;
    if (same && k.now == now) return;
    if (same) refuse_lengths("two axes that had one length have the lengths ", k.now, " and ", now);
    if (k.now == now && !recorded_)
      refuse_lengths("two axes whose lengths were different have the length ", now);
  }
  known_.push_back(length);
}

}  // namespace tapegrad
