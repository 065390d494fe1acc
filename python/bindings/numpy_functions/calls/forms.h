#pragma once

#include <pybind11/pybind11.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

#include "tapegrad/tape/op.h"

// Forms of calls: how the usual calls of a NumPy function become an operation
// (array_function.cpp).

namespace tapegrad::forms {

enum class Kind : uint8_t {
  operand,        // a Variable, a number or an array
  variable,       // a Variable with a dtype of its own: no number of Python's
  array,          // a Variable with axes
  packed,         // a Variable with axes whose array NumPy would have packed in C order
  operands,       // a list or tuple of them
  mask,           // an array of bools, or one bool
  axis,           // None, an int or a tuple of ints; the attribute is the same
  axes,           // the same, but the attribute is None or a list
  ints,           // an int or a tuple of ints: a list
  gathered,       // the same; to the method the ints may be given one by one
  gathered_axes,  // axes, given to the method in the same way
  index,          // an int
  integer,        // an int, or the default
  count,          // the same, from 1 on
  number,         // None or an int
  flag,           // False where it is not given
  unset,          // not given, or None
  never           // not given
};

// Of which nothing becomes an input or an attribute.
constexpr bool is_left_out(Kind kind) { return kind == Kind::unset || kind == Kind::never; }

struct Parameter {
  PyObject* name;  // interned
  Kind kind;
  int64_t otherwise;  // of an integer that is not given
};

constexpr size_t most_parameters = 10;
constexpr size_t most_operands = 16;
constexpr size_t longest_key = 20;

// Attributes as numbers: each a tag and what it holds.
struct AttrNumbers {
  enum Tag : int64_t { none, flag, integer, list };
  std::array<int64_t, longest_key> items;
  size_t size = 0;

  bool add(Tag tag, std::initializer_list<int64_t> content) {
    if (size + 1 + content.size() > longest_key) return false;
    items[size++] = tag;
    for (int64_t x : content) items[size++] = x;
    return true;
  }
  friend bool operator==(const AttrNumbers& a, const AttrNumbers& b) {
    return a.size == b.size &&
           std::equal(a.items.begin(), a.items.begin() + a.size, b.items.begin());
  }
  Attrs attrs() const {
    std::vector<Attr> found;
    for (size_t i = 0; i < size;) {
      switch (items[i++]) {
        case none:
          found.emplace_back();
          break;
        case flag:
          found.emplace_back(items[i++] != 0);
          break;
        case integer:
          found.emplace_back(items[i++]);
          break;
        default: {
          const auto n = static_cast<size_t>(items[i++]);
          found.emplace_back(std::vector<int64_t>(&items[i], &items[i] + n));
          i += n;
        }
      }
    }
    return Attrs(std::move(found));
  }
};

struct Form {
  const Op* op;
  std::vector<Parameter> parameters;  // in NumPy's order
  std::vector<size_t> order;          // of them, in which the op has its inputs and attributes
  bool gives_array = false;           // of no axes too, where most functions give a number
  // The attributes of the last call, since calls in a loop mostly repeat them.
  AttrNumbers last_key{};
  Attrs last_attrs{};
  bool lends = false;  // a call that is not over reads them

  bool gathers() const {
    return parameters.size() > 1 &&
           (parameters[1].kind == Kind::gathered || parameters[1].kind == Kind::gathered_axes);
  }
};

struct Call {
  std::array<PyObject*, most_parameters> given{};
  std::span<PyObject* const> gathered{};  // what a method got one by one for parameter 1
  std::array<PyObject*, most_operands> operands;
  size_t n_operands = 0;
  AttrNumbers key;
};

Kind kind_of(const std::string& name);

// False where the form has no such parameters.
bool set_keyword(const Form& form, Call& call, PyObject* name, PyObject* value);
bool set_positional(const Form& form, Call& call, PyObject* const* args, size_t n);

// A new reference; null without an error where the form does not cover the call.
PyObject* apply_form(Form& form, Call& call);

}  // namespace tapegrad::forms
