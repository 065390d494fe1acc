// The rules of scan share these.
#pragma once

#include <algorithm>

#include "tapegrad/program/scan/scan_run.h"

namespace tapegrad {

inline std::string form_name(const char* kind, const ScanForm& f,
                             std::initializer_list<const Flags*> of) {
  return flags_name(kind, of) + ':' + std::to_string(f.n_carry) + ',' + std::to_string(f.n_xs);
}

// Flags the carries that take part because others do.
template <class Outputs>
void close_over_carries(const ScanForm& f, Flags& inputs, Outputs outputs_of) {
  for (bool grown = true; grown;) {
    grown = false;
    const Flags out = outputs_of(f.body->program(), inputs);
    for (size_t c = 0; c < f.n_carry; ++c)
      if (out[c] && !inputs[c]) inputs[c] = grown = true;
  }
}

// Returns what the body sees of an input at its first step.
inline Value first_of(const ScanForm& f, size_t input, const Value& v) {
  return f.is_xs(input) ? Rows(v).at(0) : v;
}

// Takes refs one after the other, as a body got them.
class Taking {
 public:
  explicit Taking(std::span<const Ref> all) : rest_(all) {}
  void into(std::vector<Ref>& to, size_t n) {
    to.insert(to.end(), rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(n));
    rest_ = rest_.subspan(n);
  }
  void into(std::vector<Ref>& to, const Flags& flags, size_t first, size_t last) {
    into(to, static_cast<size_t>(std::count(flags.begin() + static_cast<std::ptrdiff_t>(first),
                                            flags.begin() + static_cast<std::ptrdiff_t>(last), 1)));
  }

 private:
  std::span<const Ref> rest_;
};

}  // namespace tapegrad
