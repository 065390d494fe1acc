#include "tapegrad/program/scan/scan_numbers.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "tapegrad/lanes/lane_plan.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/rows/copy_row.h"
#include "tapegrad/rows/elementwise_operands.h"

namespace tapegrad {
namespace {

// Element `at` of an array.
struct Element {
  ValueId array;
  uint32_t at;
  friend auto operator<=>(const Element&, const Element&) = default;
};

// The body as a tape of the elements that it reads, in their order, and of all that it gives.
struct NumberBody {
  LaneKernel kernel;
  std::vector<Element> inputs;
  std::vector<uint32_t> outputs;  // by output of the kernel: of the body
};

constexpr int64_t most_elements = 4096;  // of what the body gives

class BodyReader {
 public:
  explicit BodyReader(const Program& p) : p_(p) {}

  std::optional<NumberBody> run() {
    if (!p_.captures.empty() || p_.steps.size() != 1) return std::nullopt;
    const Program::Step& s = p_.steps[0];
    if (s.kernel < 0) return std::nullopt;
    const auto* fused =
        dynamic_cast<const FusedKernel*>(p_.kernels[static_cast<size_t>(s.kernel)].get());
    if (!fused || !fused->lanes.kernel().batch || element_count(fused->space) != 1)
      return std::nullopt;
    const LaneKernel& kernel = fused->lanes.kernel();
    if (!is_of_numbers(kernel)) return std::nullopt;
    find_elements(s, kernel);
    if (!find_outputs(kernel)) return std::nullopt;
    return made(kernel);
  }

 private:
  // Operands of the kernel as it is, or elements that are handed on as they came.
  struct Output {
    uint32_t operand;
    std::optional<Element> handed_on;
    uint32_t of;
  };

  static bool fits(DType dtype, const LaneKernel& kernel) {
    return dtype == kernel.dtype || is_bool(dtype);
  }
  static bool is_of_numbers(const LaneKernel& kernel) {
    const auto is_number = [&](const LaneBatch::Array& a) {
      return a.axis == LaneBatch::no_axis && fits(a.dtype, kernel);
    };
    return std::ranges::all_of(kernel.batch->in, is_number) &&
           std::ranges::all_of(kernel.batch->out, is_number) &&
           std::ranges::none_of(kernel.outputs, &LaneKernel::Output::summed);
  }

  void find_elements(const Program::Step& s, const LaneKernel& kernel) {
    for (const LaneBatch::Part& part : kernel.batch->inputs) {
      of_input_.push_back({p_.in(s)[part.array], part.at});
      number_.try_emplace(of_input_.back());
    }
    for (size_t k = 0; k < kernel.outputs.size(); ++k) {
      const LaneBatch::Part& part = kernel.batch->outputs[k];
      const LaneBatch::Place place = kernel.batch->place(part.array);
      made_[{s.first_out + place.result, static_cast<uint32_t>(place.first) + part.at}] =
          kernel.outputs[k].operand;
    }
  }

  // Guards come behind the outputs.
  bool find_outputs(const LaneKernel& kernel) {
    int64_t total = 0;
    std::vector<ValueId> all = p_.outputs;
    for (const Program::Guard& g : p_.guards) {
      if (!p_.type_of(g.value).shape.empty()) return false;
      all.push_back(g.value);
    }
    for (uint32_t j = 0; j < all.size(); ++j) {
      const ValueId v = all[j];
      const int64_t n = element_count(p_.type_of(v).shape);
      total += n;
      if (!fits(p_.type_of(v).dtype, kernel) || p_.is_constant(v) || total > most_elements)
        return false;
      for (uint32_t i = 0; i < n; ++i) {
        if (p_.values[v].source != Source::step) {
          number_.try_emplace({v, i});
          outputs_.push_back({0, Element{v, i}, j});
        } else {
          const auto found = made_.find({v, i});
          if (found == made_.end()) return false;
          outputs_.push_back({found->second, std::nullopt, j});
        }
      }
    }
    return true;
  }

  NumberBody made(const LaneKernel& old) {
    NumberBody body;
    for (auto& [element, number] : number_) {
      number = static_cast<uint32_t>(body.inputs.size());
      body.inputs.push_back(element);
    }
    LaneKernel& k = body.kernel;
    k.dtype = old.dtype;
    k.n_inputs = static_cast<uint32_t>(body.inputs.size());
    k.constants = old.constants;
    const auto operand = [&](uint32_t i) {
      return i < old.n_inputs ? number_.at(of_input_[i]) : i - old.n_inputs + k.n_inputs;
    };
    for (ScalarTape::Instruction code : old.code) {
      for (size_t a = 0; a < static_cast<size_t>(lane_arity(code.fn)); ++a)
        code.args[a] = operand(code.args[a]);
      k.code.push_back(code);
    }
    for (const Output& out : outputs_) {
      const uint32_t from = out.handed_on ? number_.at(*out.handed_on) : operand(out.operand);
      k.outputs.push_back({.operand = from, .dtype = k.dtype});
      body.outputs.push_back(out.of);
    }
    return body;
  }

  const Program& p_;
  std::vector<Element> of_input_;
  std::map<Element, uint32_t> number_, made_;  // of inputs in the new kernel, of results in the old
  std::vector<Output> outputs_;
};

// Elements of an array, one behind the other, and as many registers.
struct Part {
  uint32_t array;  // by input or output of the body
  uint32_t reg;
  int64_t at, count;
  bool is_bool;
};

template <class T>
T* as(void* p) {
  return static_cast<T*>(p);
}

// Rows of one to four numbers are most of what small states have: no loop, no call.
template <class T>
[[gnu::always_inline]] inline void copy_few(const T* from, int64_t n, T* to) {
  if (n == 1) {
    to[0] = from[0];
  } else if (n == 2) {
    const T a = from[0], b = from[1];
    to[0] = a;
    to[1] = b;
  } else if (n <= 4) {
    const T a = from[0], b = from[1], c = from[n - 2], d = from[n - 1];
    to[0] = a;
    to[1] = b;
    to[n - 2] = c;
    to[n - 1] = d;
  } else {
    copy_row(from, n, to);
  }
}

template <class T>
void load(const Part& p, const void* data, T* registers) {
  if (p.is_bool) {
    const bool* const from = static_cast<const bool*>(data) + p.at;
    for (int64_t i = 0; i < p.count; ++i) registers[p.reg + i] = T(from[i]);
  } else {
    copy_few(static_cast<const T*>(data) + p.at, p.count, registers + p.reg);
  }
}

template <class T>
void store(const Part& p, const T* registers, void* data) {
  if (p.is_bool) {
    bool* const to = as<bool>(data) + p.at;
    for (int64_t i = 0; i < p.count; ++i) to[i] = registers[p.reg + i] != 0;
  } else {
    copy_few(registers + p.reg, p.count, as<T>(data) + p.at);
  }
}

template <class T>
class Numbers final : public NumberScan {
 public:
  Numbers(const Program& p, NumberBody body, size_t n_carry, size_t n_series) : n_carry_(n_carry) {
    InputBits uniform(body.kernel.n_inputs);
    for (uint32_t i = 0; i < body.kernel.n_inputs; ++i) uniform.set(i);
    code_ = std::move(make_lane_plan<T>(body.kernel, uniform)->uniform);
    for (const auto& in : code_.inputs) {
      const Element e = body.inputs[in.number];
      const Part part{0, in.reg, e.at, 1, is_bool(p.type_of(e.array).dtype)};
      if (p.is_constant(e.array)) {
        add(constants_, part, static_cast<uint32_t>(constant_number(p, e.array)));
        continue;
      }
      const uint32_t input = p.values[e.array].index;
      add(input < n_carry ? first_ : input < n_carry + n_series ? series_ : rest_, part, input);
      if (input < n_carry) to_[{input, e.at}] = in.reg;
    }
    std::vector<int64_t> given(p.outputs.size(), 0);
    for (const auto& out : code_.outputs) {
      const uint32_t of = body.outputs[out.number];
      if (of >= p.outputs.size()) {
        guards_.push_back({out.reg, p.guards[of - p.outputs.size()].expected});
        continue;
      }
      const int64_t at = given[of]++;
      add(results_, {0, out.reg, at, 1, is_bool(p.type_of(p.outputs[of]).dtype)}, of);
      if (of < n_carry) add_carry({of, static_cast<uint32_t>(at)}, out.reg);
    }
    const auto last =
        std::ranges::find_if(results_, [&](const Part& r) { return r.array >= n_carry; });
    ys_.assign(last, results_.end());
    results_.erase(last, results_.end());
  }

  std::string machine_code() const override {
    return code_.machine.is_compiled() ? listing_of(code_) : "";
  }

  bool run(const ScanForm& f, std::span<const Value> in, std::span<Value> out) const override {
    std::vector<T> file(code_.registers + carried_);
    T* const r = file.data();
    T* const kept = r + code_.registers;
    std::ranges::copy(code_.constants, r);
    for (const Part& p : constants_) load_value(p, constant_values_[p.array], r);
    for (const std::vector<Part>* parts : {&first_, &rest_})
      for (const Part& p : *parts) load_value(p, in[p.array], r);
    std::vector<Rows> series, ys;
    for (const Part& p : series_) series.push_back(rows_of(in[p.array]));
    std::vector<Value> made(f.n_ys());
    for (size_t k = 0; k < made.size(); ++k)
      made[k] = Value::empty(f.body->out_type(n_carry_ + k).dtype,
                             stacked_type(f.body->out_type(n_carry_ + k), f.length).shape);
    for (const Part& p : ys_) ys.push_back(rows_of(made[p.array - n_carry_]));
    InterruptPoll poll;
    for (int64_t i = 0; i < f.length; ++i) {
      const int64_t t = f.reverse ? f.length - 1 - i : i;
      if (i % 64 == 0) poll();
      if (i > 0) carry_over(r, kept);
      for (size_t k = 0; k < series.size(); ++k) load(series_[k], series[k].at(t), r);
      run_registers(code_, r);
      if (!holds(r)) return false;
      for (size_t k = 0; k < ys.size(); ++k) store(ys_[k], r, ys[k].at(t));
    }
    for (size_t c = 0; c < n_carry_; ++c) {
      const TensorType& type = f.body->out_type(c);
      out[c] = Value::empty(type.dtype, type.shape.empty() ? Dims{1} : type.shape);
    }
    for (const Part& p : results_) store(p, r, out[p.array].raw());
    for (size_t c = 0; c < n_carry_; ++c)
      if (f.body->out_type(c).shape.empty()) out[c] = out[c].view({}, {}, 0);
    for (size_t k = 0; k < made.size(); ++k) out[n_carry_ + k] = std::move(made[k]);
    return true;
  }

 private:
  struct Rows {
    Value array;  // keeps what they are read from
    char* first;
    int64_t stride;
    char* at(int64_t t) const { return first + t * stride; }
  };
  struct Carry {
    uint32_t from, to;
    int64_t count;
  };
  struct Guard {
    uint32_t reg;
    Value expected;
  };

  // What lies one behind the other on both sides is moved at once.
  static void add(std::vector<Part>& all, Part part, uint32_t array) {
    part.array = array;
    if (!all.empty()) {
      Part& last = all.back();
      if (last.array == array && last.at + last.count == part.at &&
          last.reg + static_cast<uint32_t>(last.count) == part.reg) {
        ++last.count;
        return;
      }
    }
    all.push_back(part);
  }

  void add_carry(const Element& to, uint32_t from) {
    const auto found = to_.find(to);
    if (found == to_.end() || found->second == from) return;
    ++carried_;
    if (!carries_.empty()) {
      Carry& last = carries_.back();
      const auto n = static_cast<uint32_t>(last.count);
      if (last.from + n == from && last.to + n == found->second) {
        ++last.count;
        return;
      }
    }
    carries_.push_back({from, found->second, 1});
  }

  size_t constant_number(const Program& p, ValueId v) {
    const auto [at, is_new] = constant_numbers_.try_emplace(v, constant_values_.size());
    if (is_new) constant_values_.push_back(p.constant_of(v));
    return at->second;
  }

  static void load_value(const Part& p, const Value& v, T* registers) {
    if (v.is_scalar()) {
      registers[p.reg] = scalar_as<T>(v);
    } else {
      load(p, v.contiguous().raw(), registers);
    }
  }

  // Packed rows, where they lie if they are.
  static Rows rows_of(const Value& stacked) {
    Value v = stacked;
    if (v.ndim() > 1 && v.size() > 0) {
      const Dims row(v.shape().data() + 1, v.shape().size() - 1);
      const Dims strides(v.strides().data() + 1, v.strides().size() - 1);
      if (!v.view(row, strides, 0).is_contiguous()) v = v.contiguous();
    }
    return {v, static_cast<char*>(v.raw()),
            v.strides()[0] * static_cast<int64_t>(item_size(v.dtype()))};
  }

  bool holds(const T* registers) const {
    return std::ranges::all_of(guards_, [&](const Guard& g) {
      const double x = static_cast<double>(registers[g.reg]);
      return is_bool(g.expected.dtype())
                 ? (x != 0) == (g.expected.as_double() != 0)
                 : same_bits(Value::scalar(x, g.expected.dtype()), g.expected);
    });
  }

  // All are read before any is written: one may be another's input.
  void carry_over(T* registers, T* kept) const {
    T* next = kept;
    for (const Carry& c : carries_) {
      copy_few(registers + c.from, c.count, next);
      next += c.count;
    }
    for (const Carry& c : carries_) {
      copy_few<T>(kept, c.count, registers + c.to);
      kept += c.count;
    }
  }

  const size_t n_carry_;
  RegisterCode<T> code_;
  std::vector<Part> constants_, first_, series_, rest_;  // what is read: once, or at each step
  std::vector<Part> results_, ys_;                       // the last carries, and what steps give
  std::vector<Carry> carries_;
  std::vector<Guard> guards_;
  size_t carried_ = 0;              // elements
  std::map<Element, uint32_t> to_;  // the register of an element of a carry, by input
  std::map<ValueId, size_t> constant_numbers_;
  std::vector<Value> constant_values_;
};

}  // namespace

std::unique_ptr<const NumberScan> NumberScan::of(const Program& body, size_t n_carry,
                                                 size_t n_series) {
  std::optional<NumberBody> numbers = BodyReader(body).run();
  if (!numbers) return nullptr;
  if (numbers->kernel.dtype == DType::float32)
    return std::make_unique<Numbers<float>>(body, std::move(*numbers), n_carry, n_series);
  return std::make_unique<Numbers<double>>(body, std::move(*numbers), n_carry, n_series);
}

}  // namespace tapegrad
