// A test framework in one header: TEST(name) { CHECK(...); }. Any number of test files link into
// one program; `program [text ...]` runs the tests whose "folder/file.cpp:name" has one of the
// texts. Checks may run on any thread.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

namespace check {

struct Test {
  std::string name;
  void (*run)();
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

inline bool add(const char* file, const char* name, void (*run)()) {
  const char* below = std::strstr(file, "tests/cpp/");  // two folders may have a file of one name
  tests().push_back({std::string(below ? below + 10 : file) + ":" + name, run});
  return true;
}

inline std::atomic<int> failures{0};

inline void expect(bool ok, const char* file, int line, const std::string& what) {
  if (ok) return;
  ++failures;
  std::printf("%s:%d: %s\n", file, line, what.c_str());
}

// Within tol absolutely, or relatively where the numbers are larger than 1; NaN is close to NaN
// only.
inline bool close(double a, double b, double tol) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return true;
  return std::abs(a - b) <= tol * std::fmax(1.0, std::fmin(std::abs(a), std::abs(b)));
}

inline std::string not_close(const char* a_text, const char* b_text, double a, double b) {
  char values[80];
  std::snprintf(values, sizeof values, " are not close: %.17g and %.17g", a, b);
  return std::string(a_text) + " and " + b_text + values;
}

template <class Error, class F>
void expect_throw(F&& f, const char* says, const char* file, int line, const std::string& what) {
  try {
    f();
    expect(false, file, line, what + " did not throw");
  } catch (const Error& error) {
    expect(std::strstr(error.what(), says), file, line, what + " threw \"" + error.what() + "\"");
  } catch (const std::exception& error) {
    expect(false, file, line, what + " threw another type: " + error.what());
  }
}

inline int run(int count, char** filters) {
  int passed = 0, failed = 0;
  for (const Test& test : tests()) {
    bool chosen = count == 0;
    for (int i = 0; i < count; ++i) chosen |= test.name.find(filters[i]) != std::string::npos;
    if (!chosen) continue;
    const int before = failures;
    try {
      test.run();
    } catch (const std::exception& error) {
      expect(false, test.name.c_str(), 0, std::string("uncaught: ") + error.what());
    }
    const bool ok = failures == before;
    ++(ok ? passed : failed);
    if (!ok) std::printf("FAILED %s\n", test.name.c_str());
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed != 0 || passed == 0;  // a filter that matches nothing is a failure
}

}  // namespace check

#define TEST(name)                                                                             \
  static void test_##name();                                                                   \
  [[maybe_unused]] static const bool added_##name = check::add(__FILE__, #name, &test_##name); \
  static void test_##name()
#define CHECK(...) check::expect(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)
#define CHECK_CLOSE(a, b, tol)                                             \
  do {                                                                     \
    const double check_a = (a), check_b = (b);                             \
    check::expect(check::close(check_a, check_b, tol), __FILE__, __LINE__, \
                  check::not_close(#a, #b, check_a, check_b));             \
  } while (false)
#define CHECK_THROWS(Type, ...) CHECK_THROWS_SAYING(Type, "", __VA_ARGS__)
#define CHECK_THROWS_SAYING(Type, says, ...) \
  check::expect_throw<Type>([&] { (void)(__VA_ARGS__); }, says, __FILE__, __LINE__, #__VA_ARGS__)

#ifndef CHECK_OTHER_MAIN
[[gnu::weak]] int main(int argc, char** argv) { return check::run(argc - 1, argv + 1); }
#endif
