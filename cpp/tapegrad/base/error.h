#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace tapegrad {

// An error says which standard Python exception it becomes in the bindings.
enum class ErrorKind { value, type, index, axis, runtime, linalg, memory, zero_division };

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

template <ErrorKind Kind>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(const std::string& message) : Error(Kind, message) {}
};

using ValueError = ErrorOf<ErrorKind::value>;
using TypeError = ErrorOf<ErrorKind::type>;
using IndexError = ErrorOf<ErrorKind::index>;
using AxisError = ErrorOf<ErrorKind::axis>;  // NumPy's: a ValueError and an IndexError
using RuntimeError = ErrorOf<ErrorKind::runtime>;
using LinAlgError = ErrorOf<ErrorKind::linalg>;
using MemoryError = ErrorOf<ErrorKind::memory>;

template <class... Parts>
std::string join_text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// throw_error<ValueError>("solve: the matrix must be square, got shape ", shape, "; ...")
template <class E, class... Parts>
[[noreturn]] void throw_error(const Parts&... parts) {
  throw E(join_text(parts...));
}

}  // namespace tapegrad
