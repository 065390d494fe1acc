#include "tapegrad/program/program.h"

#include <sstream>

#include "tapegrad/base/error.h"

namespace tapegrad {
namespace {

[[noreturn]] void broken(const char* what, size_t where) {
  throw_error<RuntimeError>("internal error: a program's ", what, " is broken (at ", where, ")");
}

void print_value(std::ostream& out, const Program& p, ValueId v) {
  const Program::ValueInfo& info = p.values[v];
  switch (info.source) {
    case Source::input:
      out << "in" << info.index;
      break;
    case Source::captured:
      out << "captured" << info.index;
      break;
    case Source::constant:
      if (const Value& c = p.constants[info.index]; c.is_scalar()) {
        out << c;
      } else {
        out << "constant" << info.index;
      }
      break;
    case Source::step:
      out << '%' << v;
  }
}

void print_type(std::ostream& out, const TensorType& t) { out << dtype_name(t.dtype) << t.shape; }

}  // namespace

void check_program(const Program& p) {
  for (size_t k = 0; k < p.inputs.size(); ++k)
    if (p.values[p.inputs[k]].source != Source::input || p.values[p.inputs[k]].index != k)
      broken("input", k);
  for (size_t k = 0; k < p.captures.size(); ++k)
    if (p.values[p.captures[k]].source != Source::captured || p.values[p.captures[k]].index != k)
      broken("capture", k);
  for (size_t v = 0; v < p.values.size(); ++v) {
    const Program::ValueInfo& info = p.values[v];
    if (info.type >= p.types.size()) broken("type", v);
    if (info.source == Source::constant && (info.index >= p.constants.size() ||
                                            type_of(p.constants[info.index]) != p.types[info.type]))
      broken("constant", v);
    if (info.source != Source::step) continue;
    if (info.index >= p.steps.size()) broken("value", v);
    const Program::Step& s = p.steps[info.index];
    if (v < s.first_out || v >= s.first_out + s.n_out) broken("value", v);
  }
  for (size_t k = 0; k < p.steps.size(); ++k)
    for (ValueId v : p.in(p.steps[k]))
      if (v >= p.values.size() || (p.values[v].source == Source::step && p.values[v].index >= k))
        broken("order", k);
  for (ValueId v : p.outputs)
    if (v >= p.values.size()) broken("output", v);
  for (const Program::Guard& g : p.guards)
    if (g.value >= p.values.size()) broken("guard", g.value);
}

std::string to_string(const Program& p) {
  std::ostringstream out;
  out.precision(17);
  const auto list = [&](std::span<const ValueId> values, bool typed) {
    for (size_t k = 0; k < values.size(); ++k) {
      if (k) out << ", ";
      print_value(out, p, values[k]);
      if (!typed) continue;
      out << ": ";
      print_type(out, p.type_of(values[k]));
    }
  };
  out << "program(";
  list(p.inputs, true);
  if (!p.captures.empty()) out << "; ";
  list(p.captures, true);
  out << ")\n";
  for (const Program::Step& s : p.steps) {
    out << "  ";
    for (uint32_t j = 0; j < s.n_out; ++j) {
      if (j) out << ", ";
      out << '%' << s.first_out + j << ": ";
      print_type(out, p.type_of(s.first_out + j));
    }
    if (s.kernel >= 0) {
      const FusedKernel& k = *p.kernels[static_cast<size_t>(s.kernel)];
      out << " = kernel of " << k.lanes.kernel().code.size() << " over " << k.space << " (";
    } else {
      out << " = " << op_by_id(s.op).name << '(';
    }
    list(p.in(s), false);
    out << ')';
    if (s.attrs != 0) out << ' ' << p.attrs_of(s);
    out << '\n';
  }
  for (const Program::Guard& g : p.guards) {
    out << "  guard ";
    print_value(out, p, g.value);
    out << " == " << g.expected << (g.where.empty() ? "" : "  at ") << g.where << '\n';
  }
  out << "  return ";
  list(p.outputs, false);
  return out.str();
}

}  // namespace tapegrad
