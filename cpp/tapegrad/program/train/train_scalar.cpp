#include "tapegrad/program/train/train_scalar.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tapegrad/kernels/array/elementwise.h"

namespace tapegrad {

template <class T>
void ScalarStep<T>::add(ScalarFn fn, uint32_t out, std::array<uint32_t, 3> args, size_t arity) {
  constexpr std::pair<ScalarFn, Code> direct[] = {
      {scalar_fn_of<Add>(), Code::add},           {scalar_fn_of<Subtract>(), Code::subtract},
      {scalar_fn_of<Multiply>(), Code::multiply}, {scalar_fn_of<Divide>(), Code::divide},
      {scalar_fn_of<Zmul>(), Code::zmul},         {scalar_fn_of<Square>(), Code::square},
      {scalar_fn_of<Negative>(), Code::negative}};
  Instruction made{Code::call, out, args, elementwise_kernel<T>(fn).scalar};
  for (const auto& [known, plain] : direct) {
    if (known != fn) continue;
    made.code = plain;
    if (code.empty()) continue;
    const uint32_t last = code.back().out;
    const auto turn = [&](int by) {
      made.code = static_cast<Code>(static_cast<uint8_t>(plain) + by);
    };
    if (args[0] == last && (arity == 1 || args[1] != last)) {
      turn(1);
    } else if (arity == 2 && args[1] == last && args[0] != last) {
      turn(2);
    }
  }
  code.push_back(made);
}

// One step over the places.
template <class T>
static inline void run_code(const typename ScalarStep<T>::Instruction* i,
                            const typename ScalarStep<T>::Instruction* end, T* x) {
  using Code = typename ScalarStep<T>::Code;
  const auto zmul = [](T c, T p) { return c == 0 ? T(0) : c * p; };
  T y = 0;
  for (; i != end; ++i) {
    const T *a = x + i->args[0], *b = x + i->args[1];
    switch (i->code) {
      case Code::add:
        y = *a + *b;
        break;
      case Code::add_left:
        y = y + *b;
        break;
      case Code::add_right:
        y = *a + y;
        break;
      case Code::subtract:
        y = *a - *b;
        break;
      case Code::subtract_left:
        y = y - *b;
        break;
      case Code::subtract_right:
        y = *a - y;
        break;
      case Code::multiply:
        y = *a * *b;
        break;
      case Code::multiply_left:
        y = y * *b;
        break;
      case Code::multiply_right:
        y = *a * y;
        break;
      case Code::divide:
        y = *a / *b;
        break;
      case Code::divide_left:
        y = y / *b;
        break;
      case Code::divide_right:
        y = *a / y;
        break;
      case Code::zmul:
        y = zmul(*a, *b);
        break;
      case Code::zmul_left:
        y = zmul(y, *b);
        break;
      case Code::zmul_right:
        y = zmul(*a, y);
        break;
      case Code::square:
        y = *a * *a;
        break;
      case Code::square_left:
        y = y * y;
        break;
      case Code::negative:
        y = -*a;
        break;
      case Code::negative_left:
        y = -y;
        break;
      case Code::call:
        y = i->function(*a, *b, x[i->args[2]]);
        break;
    }
    x[i->out] = y;
  }
}

template <class T>
int64_t ScalarStep<T>::run(std::span<T> carried, std::span<const ScalarColumn> columns,
                           const int64_t* rows, int64_t first, int64_t n, double& total,
                           bool& finite) const {
  const size_t n_carried = carried.size();
  const size_t n_columns = columns.size();
  std::vector<T> memory(start.size() + n_carried);
  std::copy(start.begin(), start.end(), memory.begin());
  std::copy(carried.begin(), carried.end(), memory.begin());
  T* const x = memory.data();
  T* const given = x + n_carried;
  T* const next = x + start.size();
  const Instruction* const begin = code.data();
  const Instruction* const end = begin + code.size();
  const uint32_t* const from = outputs.data() + 1;
  // Whether the next values can be put in place one by one: none of them is an old one.
  const bool one_by_one =
      std::all_of(from, from + n_carried, [&](uint32_t place) { return place >= n_carried; });
  double sum = 0;
  int64_t done = 0;
  finite = true;
  for (; done < n; ++done) {
    const int64_t row = rows ? rows[done] : first + done;
    for (size_t k = 0; k < n_columns; ++k) given[k] = static_cast<const T*>(columns[k].first)[row];
    run_code<T>(begin, end, x);
    bool held = true;
    for (const Guard& g : guards)
      held = held && std::memcmp(&x[g.place], &g.expected, sizeof(T)) == 0;
    if (!held) break;
    const T loss = x[outputs[0]];
    if (!std::isfinite(loss)) {
      finite = false;
      break;
    }
    sum += static_cast<double>(loss);
    if (one_by_one) {
      for (size_t k = 0; k < n_carried; ++k) x[k] = x[from[k]];
    } else {
      for (size_t k = 0; k < n_carried; ++k) next[k] = x[from[k]];
      std::copy(next, next + n_carried, x);
    }
  }
  total += sum;
  std::copy(x, x + n_carried, carried.begin());
  return done;
}

template <class T>
std::unique_ptr<ScalarStep<T>> make_scalar_step(const Program& p) {
  constexpr DType dtype = sizeof(T) == sizeof(double) ? DType::float64 : DType::float32;
  auto made = std::make_unique<ScalarStep<T>>();
  std::vector<uint32_t> places(p.values.size(), ~uint32_t{0});
  const auto known = [&](ValueId v) {
    const TensorType& t = p.type_of(v);
    return element_count(t.shape) == 1 && (t.dtype == dtype || is_bool(t.dtype));
  };
  const auto place = [&](T x) {
    made->start.push_back(x);
    return static_cast<uint32_t>(made->start.size() - 1);
  };
  if (!p.captures.empty()) return nullptr;
  for (ValueId v : p.inputs) {
    if (!known(v) || p.type_of(v).dtype != dtype) return nullptr;
    places[v] = place(0);
  }
  for (ValueId v = 0; v < p.values.size(); ++v) {
    if (!p.is_constant(v) || p.constant_of(v).size() != 1) continue;
    const double x = p.constant_of(v).at(0);
    if (x == x && static_cast<double>(static_cast<T>(x)) != x) continue;  // not exact in T
    places[v] = place(static_cast<T>(x));
  }
  for (const Program::Step& s : p.steps) {
    if (s.kernel >= 0 || s.n_out != 1 || !known(s.first_out)) return nullptr;
    const std::span<const ValueId> in = p.in(s);
    for (ValueId v : in)
      if (places[v] == ~uint32_t{0}) return nullptr;
    const Op& op = op_by_id(s.op);
    if (s.op < scalar_fn_count) {
      if (in.size() > 3) return nullptr;
      std::array<uint32_t, 3> args{};
      for (size_t k = 0; k < in.size(); ++k) args[k] = places[in[k]];
      const uint32_t out = place(0);
      made->add(static_cast<ScalarFn>(s.op), out, args, in.size());
      places[s.first_out] = out;
    } else if (op.passes_single_element() && in.size() == 1 &&
               p.type_of(in[0]).dtype == p.type_of(s.first_out).dtype) {
      places[s.first_out] = places[in[0]];
    } else {
      return nullptr;
    }
  }
  for (const Program::Guard& g : p.guards) {
    if (places[g.value] == ~uint32_t{0} || !known(g.value)) return nullptr;
    made->guards.push_back({places[g.value], static_cast<T>(g.expected.at(0))});
  }
  for (ValueId v : p.outputs) {
    if (places[v] == ~uint32_t{0} || p.type_of(v).dtype != dtype) return nullptr;
    made->outputs.push_back(places[v]);
  }
  return made;
}

template class ScalarStep<double>;
template class ScalarStep<float>;
template std::unique_ptr<ScalarStep<double>> make_scalar_step(const Program&);
template std::unique_ptr<ScalarStep<float>> make_scalar_step(const Program&);

}  // namespace tapegrad
