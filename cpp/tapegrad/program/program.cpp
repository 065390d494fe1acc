#include "tapegrad/program/program.h"

#include <algorithm>
#include <sstream>

#include "tapegrad/base/error.h"
#include "tapegrad/program/compiled_parts.h"
#include "tapegrad/program/costs.h"

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

// Prints the inputs that a kernel gathers as x[index], or x[:, index] along a later axis, and where
// those stand that it reads shifted.
void print_kernel_inputs(std::ostream& out, const Program& p, const Program::Step& s) {
  const auto* fused =
      dynamic_cast<const FusedKernel*>(p.kernels[static_cast<size_t>(s.kernel)].get());
  const LaneKernel* kernel = fused ? &fused->lanes.kernel() : nullptr;
  const std::span<const ValueId> in = p.in(s);
  for (uint32_t k = 0; k + (kernel ? kernel->n_indices : 0) < in.size(); ++k) {
    if (k) out << ", ";
    print_value(out, p, in[k]);
    if (kernel && kernel->offset(k) != no_offset) out << " at " << kernel->offset(k);
    const LaneGather* g = kernel ? kernel->gather_of(k) : nullptr;
    if (!g) continue;
    out << '[';
    for (int axis = 0; axis < g->axis; ++axis) out << ":, ";
    print_value(out, p, in[kernel->n_inputs + g->index]);
    out << ']';
  }
}

void print_type(std::ostream& out, const TensorType& t) { out << dtype_name(t.dtype) << t.shape; }

}  // namespace

double FusedKernel::ns(size_t n_operands) const {
  double each = costs::element * static_cast<double>(n_operands);
  for (const LaneKernel::Instruction& i : lanes.kernel().code) each += lane_ns(i.fn);
  return each * static_cast<double>(element_count(space));
}

void FusedKernel::print(std::ostream& out) const {
  out << "kernel of " << lanes.kernel().code.size() << " over " << space;
}

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

bool same_program(const Program& p, const Program& q) {
  const auto same_values = [](const Program::ValueInfo& x, const Program::ValueInfo& y) {
    return x.source == y.source && x.type == y.type && x.index == y.index;
  };
  const auto same_steps = [](const Program::Step& x, const Program::Step& y) {
    return x.op == y.op && x.kernel == y.kernel && x.attrs == y.attrs && x.n_in == y.n_in &&
           x.n_out == y.n_out && x.held == y.held;
  };
  const auto same_guards = [](const Program::Guard& x, const Program::Guard& y) {
    return x.value == y.value && same_bits(x.expected, y.expected) && x.of_pass == y.of_pass;
  };
  const auto equal = [](const auto& a, const auto& b, auto same) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
  };
  return p.types == q.types && p.operands == q.operands && p.outputs == q.outputs &&
         p.inputs == q.inputs && p.captures == q.captures && p.kernels == q.kernels &&
         equal(p.values, q.values, same_values) && equal(p.steps, q.steps, same_steps) &&
         p.attrs == q.attrs && equal(p.constants, q.constants, same_bits) &&
         equal(p.guards, q.guards, same_guards);
}

size_t hash_of(const Program& p) {
  size_t h = p.steps.size();
  const auto mix = [&h](size_t x) { h = (h ^ x) * 0x9E3779B97F4A7C15u; };
  for (const Program::Step& s : p.steps) mix((size_t{s.op} << 32) + s.first_in);
  for (ValueId v : p.operands) mix(v);
  for (ValueId v : p.outputs) mix(v);
  for (const TensorType& t : p.types) mix(static_cast<size_t>(element_count(t.shape)));
  return h;
}

LongVector<uint32_t> use_counts(const Program& p) {
  LongVector<uint32_t> counts(p.values.size(), 0);
  for (ValueId v : p.operands) ++counts[v];
  for (ValueId v : p.outputs) ++counts[v];
  for (const Program::Guard& g : p.guards) ++counts[g.value];
  return counts;
}

std::string machine_code(const Program& p) {
  std::ostringstream out;
  for (size_t k = 0; k < p.kernels.size(); ++k) {
    const std::string code = p.kernels[k]->machine_code();
    if (code.empty()) continue;
    p.kernels[k]->print(out);
    out << ":\n" << code;
  }
  for (const Attrs& attrs : p.attrs)
    for (size_t k = 0; k < attrs.size(); ++k) {
      const auto* ref = std::get_if<AttrRef>(&attrs[k]);
      const auto* parts = ref ? dynamic_cast<const CompiledParts*>(&**ref) : nullptr;
      const std::string code = parts ? parts->machine_code() : "";
      if (code.empty()) continue;
      (**ref).print(out);
      out << ":\n" << code;
    }
  return out.str();
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
      out << " = ";
      p.kernels[static_cast<size_t>(s.kernel)]->print(out);
      out << " (";
    } else {
      out << " = " << op_by_id(s.op).name << '(';
    }
    if (s.kernel >= 0) {
      print_kernel_inputs(out, p, s);
    } else {
      list(p.in(s), false);
    }
    out << ')';
    if (s.attrs != 0) print_attrs(out << ' ', op_by_id(s.op), p.attrs_of(s));
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
