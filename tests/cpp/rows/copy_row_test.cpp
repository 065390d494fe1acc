#include "tapegrad/rows/copy_row.h"

#include <memory>

#include "check.h"

using namespace tapegrad;

namespace {

// Rows of every length: all of their elements, and none behind.
template <class T>
void check_rows(T (*element)(int64_t)) {
  for (int64_t n = 0; n < 300; ++n) {
    const auto size = static_cast<size_t>(n + 1);
    const std::unique_ptr<T[]> from(new T[size]), to(new T[size]);
    for (int64_t i = 0; i <= n; ++i) {
      from[static_cast<size_t>(i)] = element(i);
      to[static_cast<size_t>(i)] = element(1000);
    }
    copy_row(from.get(), n, to.get());
    for (int64_t i = 0; i < n; ++i) CHECK(to[static_cast<size_t>(i)] == element(i));
    CHECK(to[size - 1] == element(1000));
    fill_row(element(7), n, to.get());
    for (int64_t i = 0; i < n; ++i) CHECK(to[static_cast<size_t>(i)] == element(7));
    CHECK(to[size - 1] == element(1000));
  }
}

}  // namespace

TEST(rows_of_every_length) {
  check_rows<double>([](int64_t i) { return 0.5 * static_cast<double>(i); });
  check_rows<float>([](int64_t i) { return static_cast<float>(i); });
  check_rows<bool>([](int64_t i) { return i % 3 == 1; });
}
