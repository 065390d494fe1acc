#include "tapegrad/ops/einsum/einsum_spec.h"

#include <algorithm>

#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

struct Term {
  std::string letters;
  int dots_at = -1;  // letters before the ellipsis; -1 for none
};

[[noreturn]] void fail(const std::string& subscripts, const std::string& what) {
  throw_error<ValueError>("einsum('", subscripts, "'): ", what);
}

bool is_letter(unsigned char c, bool internal) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (internal && c >= 128);
}

Term parse_term(const std::string& subscripts, const std::string& text, const std::string& where,
                bool internal) {
  Term t;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      if (t.dots_at >= 0 || text.compare(i, 3, "...") != 0)
        fail(subscripts, "a '.' that is not part of one ellipsis '...' in " + where);
      t.dots_at = static_cast<int>(t.letters.size());
      i += 2;
    } else if (is_letter(static_cast<unsigned char>(c), internal)) {
      t.letters += c;
    } else {
      fail(subscripts, std::string("invalid subscript '") + c + "' in " + where +
                           ": subscripts are letters, as in 'ij,jk->ik'");
    }
  }
  return t;
}

struct Parts {
  std::vector<Term> inputs;
  bool has_output = false;
  Term output;
};

Parts split(const std::string& subscripts, bool internal) {
  std::string text;
  for (char c : subscripts) {
    if (c != ' ') text += c;
  }
  Parts parts;
  const size_t arrow = text.find_first_of("->");
  std::string left = text;
  if (arrow != std::string::npos) {
    if (text.compare(arrow, 2, "->") != 0 ||
        text.find_first_of("->", arrow + 2) != std::string::npos)
      fail(subscripts, "does not contain a proper '->'; write the output as in 'ij,jk->ik'");
    left = text.substr(0, arrow);
    parts.has_output = true;
    parts.output = parse_term(subscripts, text.substr(arrow + 2), "the output", internal);
  }
  for (size_t begin = 0;;) {
    const size_t comma = left.find(',', begin);
    const std::string where = "operand " + std::to_string(parts.inputs.size());
    parts.inputs.push_back(
        parse_term(subscripts, left.substr(begin, comma - begin), where, internal));
    if (comma == std::string::npos) return parts;
    begin = comma + 1;
  }
}

class Resolver {
 public:
  Resolver(const std::string& subscripts, const std::vector<Dims>& shapes)
      : subscripts_(subscripts), shapes_(shapes) {}

  EinsumSpec resolve(const Parts& parts) {
    if (parts.inputs.size() != shapes_.size())
      fail(subscripts_, join_text("names ", parts.inputs.size(), " operands, got ", shapes_.size(),
                                  "; separate the operands' subscripts by commas, one for each"));
    count_axes(parts);
    for (size_t i = 0; i < parts.inputs.size(); ++i) add_operand(i, parts.inputs[i]);
    set_output(parts);
    name_ellipsis();
    return std::move(spec_);
  }

 private:
  void count_axes(const Parts& parts) {
    for (size_t i = 0; i < shapes_.size(); ++i) {
      const Term& t = parts.inputs[i];
      const int extra = shapes_[i].ndim() - static_cast<int>(t.letters.size());
      if (extra < 0)
        fail(subscripts_,
             join_text("too many subscripts for operand ", i, " of shape ", shapes_[i]));
      if (extra > 0 && t.dots_at < 0)
        fail(subscripts_, join_text("operand ", i, " of shape ", shapes_[i],
                                    " has more dimensions than subscripts; add letters, or '...' "
                                    "for the axes that broadcast"));
      ellipsis_ = std::max(ellipsis_, extra);
    }
    spec_.names.assign(static_cast<size_t>(ellipsis_), '\0');
    spec_.lengths.assign(static_cast<size_t>(ellipsis_), 1);
    seen_in_.assign(static_cast<size_t>(ellipsis_), 0);
  }

  int label_of(char c) {
    const size_t at = spec_.names.find(c);
    if (at != std::string::npos) return static_cast<int>(at);
    spec_.names += c;
    spec_.lengths.push_back(1);
    seen_in_.push_back(0);
    return static_cast<int>(spec_.names.size()) - 1;
  }

  std::string describe(int label) const {
    const char name = spec_.names[static_cast<size_t>(label)];
    return name ? std::string("subscript '") + name + "'" : std::string("an axis of '...'");
  }

  void add_operand(size_t i, const Term& t) {
    const Dims& shape = shapes_[i];
    std::vector<int> labels;
    const int dots = shape.ndim() - static_cast<int>(t.letters.size());
    for (int at = 0; at <= static_cast<int>(t.letters.size()); ++at) {
      if (at == t.dots_at) {
        for (int e = ellipsis_ - dots; e < ellipsis_; ++e) labels.push_back(e);
      }
      if (at < static_cast<int>(t.letters.size()))
        labels.push_back(label_of(t.letters[static_cast<size_t>(at)]));
    }
    for (size_t axis = 0; axis < labels.size(); ++axis) {
      for (size_t before = 0; before < axis; ++before) {
        if (labels[before] == labels[axis] && shape[before] != shape[axis])
          fail(subscripts_,
               join_text("operand ", i, " of shape ", shape, " has lengths ", shape[before],
                         " and ", shape[axis], " for its repeated ", describe(labels[axis])));
      }
      const auto label = static_cast<size_t>(labels[axis]);
      int64_t& length = spec_.lengths[label];
      if (shape[axis] != 1 && length != 1 && shape[axis] != length)
        fail(subscripts_, join_text(describe(labels[axis]), " has length ", length, " in operand ",
                                    seen_in_[label], " of shape ", shapes_[seen_in_[label]],
                                    " and ", shape[axis], " in operand ", i, " of shape ", shape,
                                    "; they must be equal, or one of them 1"));
      if (shape[axis] != 1) {
        length = shape[axis];
        seen_in_[label] = i;
      }
    }
    spec_.inputs.push_back(std::move(labels));
  }

  void set_output(const Parts& parts) {
    for (int e = 0; e < ellipsis_; ++e) spec_.output.push_back(e);
    if (!parts.has_output) {
      std::vector<int> once;
      for (int label = ellipsis_; label < static_cast<int>(spec_.names.size()); ++label) {
        int64_t count = 0;
        for (const auto& labels : spec_.inputs)
          count += std::count(labels.begin(), labels.end(), label);
        if (count == 1) once.push_back(label);
      }
      std::sort(once.begin(), once.end(), [&](int a, int b) {
        return static_cast<unsigned char>(spec_.names[static_cast<size_t>(a)]) <
               static_cast<unsigned char>(spec_.names[static_cast<size_t>(b)]);
      });
      spec_.output.insert(spec_.output.end(), once.begin(), once.end());
      return;
    }
    const Term& t = parts.output;
    if (ellipsis_ > 0 && t.dots_at < 0)
      fail(subscripts_, "the output has more dimensions than subscripts; add '...' to it");
    std::vector<int> output;
    for (int at = 0; at <= static_cast<int>(t.letters.size()); ++at) {
      if (at == t.dots_at) output.insert(output.end(), spec_.output.begin(), spec_.output.end());
      if (at == static_cast<int>(t.letters.size())) break;
      const char c = t.letters[static_cast<size_t>(at)];
      const size_t label = spec_.names.find(c);
      if (label == std::string::npos)
        fail(subscripts_,
             std::string("the output subscript '") + c + "' never appears in an operand");
      if (std::count(t.letters.begin(), t.letters.end(), c) > 1)
        fail(subscripts_, std::string("the output has subscript '") + c + "' more than once");
      output.push_back(static_cast<int>(label));
    }
    spec_.output = std::move(output);
  }

  void name_ellipsis() {
    int next = 'a';
    for (int e = 0; e < ellipsis_; ++e) {
      while (spec_.names.find(static_cast<char>(next)) != std::string::npos) {
        next = next == 'z' ? 'A' : next == 'Z' ? 128 : next + 1;
      }
      spec_.names[static_cast<size_t>(e)] = static_cast<char>(next);
    }
  }

  const std::string& subscripts_;
  const std::vector<Dims>& shapes_;
  EinsumSpec spec_;
  std::vector<size_t> seen_in_;  // the operand that gave a label its length
  int ellipsis_ = 0;             // axes of the ellipsis: labels 0 to ellipsis_ - 1
};

}  // namespace

Dims EinsumSpec::output_shape() const {
  Dims shape;
  for (int label : output) shape.push_back(lengths[static_cast<size_t>(label)]);
  return shape;
}

std::string EinsumSpec::term(const std::vector<int>& labels) const {
  std::string text;
  for (int label : labels) text += names[static_cast<size_t>(label)];
  return text;
}

EinsumSpec parse_einsum(const std::string& subscripts, bool internal,
                        const std::vector<Dims>& shapes) {
  return Resolver(subscripts, shapes).resolve(split(subscripts, internal));
}

}  // namespace tapegrad
