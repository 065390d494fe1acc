#include "bindings/numpy_functions/foreign_loops.h"

#include <algorithm>
#include <complex>
#include <memory>
#include <vector>

#include "tapegrad/base/error.h"
#include "tapegrad/kernels/special/parameter_functions.h"

namespace tapegrad {
namespace {

struct PairedLoop {
  ForeignFunction::Loop loop;
  std::string types;  // without the arrow: inputs, then outputs
  size_t n_in = 0;
};

size_t width(char type) { return type == 'D' ? 2 : 1; }

// One operand of the loop for some elements.
union Item {
  double real;
  long whole;
  struct {
    double real, imaginary;
  } pair;
};

template <class T>
double element(const char* at) {
  return static_cast<double>(*reinterpret_cast<const T*>(at));
}

template <class T>
void run_paired(char** args, const std::ptrdiff_t* dims, const std::ptrdiff_t* steps, void* data) {
  const auto& paired = *static_cast<const PairedLoop*>(data);
  constexpr std::ptrdiff_t block = 128;
  const size_t n_operands = paired.types.size();
  std::vector<Item> items(n_operands * block);
  std::vector<char*> inner_args;
  const std::vector<std::ptrdiff_t> inner_steps(n_operands, sizeof(Item));
  for (size_t k = 0; k < n_operands; ++k)
    inner_args.push_back(reinterpret_cast<char*>(&items[k * block]));
  for (std::ptrdiff_t begin = 0; begin < dims[0]; begin += block) {
    const std::ptrdiff_t n = std::min(block, dims[0] - begin);
    size_t at = 0;
    const auto place = [&](size_t operand, std::ptrdiff_t i) {
      return args[operand] + (begin + i) * steps[operand];
    };
    for (size_t k = 0; k < paired.n_in; ++k) {
      const char type = paired.types[k];
      for (std::ptrdiff_t i = 0; i < n; ++i) {
        Item& item = items[k * block + static_cast<size_t>(i)];
        const double x = element<T>(place(at, i));
        if (type == 'D') {
          item.pair = {x, element<T>(place(at + 1, i))};
        } else if (type == 'l') {
          item.whole = static_cast<long>(x);
        } else {
          item.real = x;
        }
      }
      at += width(type);
    }
    auto copied = inner_args;  // loops may move them
    paired.loop.run(copied.data(), &n, inner_steps.data(), paired.loop.data);
    for (size_t k = paired.n_in; k < n_operands; ++k) {
      const char type = paired.types[k];
      for (std::ptrdiff_t i = 0; i < n; ++i) {
        const Item& item = items[k * block + static_cast<size_t>(i)];
        *reinterpret_cast<T*>(place(at, i)) = static_cast<T>(item.real);
        if (type == 'D')
          *reinterpret_cast<T*>(place(at + 1, i)) = static_cast<T>(item.pair.imaginary);
      }
      at += width(type);
    }
  }
}

}  // namespace

void set_paired_loops(ForeignFunction& f, ForeignFunction::Loop loop, const std::string& types) {
  auto paired = std::make_unique<PairedLoop>();
  paired->loop = loop;
  const size_t arrow = types.find("->");
  paired->n_in = arrow;
  paired->types = types.substr(0, arrow) + types.substr(arrow + 2);
  if (paired->types.find_first_not_of("Dld") != std::string::npos)
    throw_error<TypeError>(f.name, ": a loop over ", types,
                           " has operands that are no numbers "
                           "of double precision");
  f.n_in = f.n_out = 0;
  for (size_t k = 0; k < paired->types.size(); ++k)
    (k < paired->n_in ? f.n_in : f.n_out) += width(paired->types[k]);
  void* data = paired.release();  // as long as the process, like the function
  f.f64 = {run_paired<double>, data};
  f.f32 = {run_paired<float>, data};
}

void set_own_loops(ForeignFunction& f, std::string_view name) {
  const ParameterFunction* own = find_parameter_function(name);
  if (own == nullptr) throw_error<ValueError>("there is no function of parameters '", name, "'");
  f.n_in = static_cast<size_t>(own->n_in);
  f.n_out = 1;
  void* data = const_cast<ParameterFunction*>(own);
  f.f64 = {run_parameter_function_f64, data};
  f.f32 = {run_parameter_function_f32, data};
}

}  // namespace tapegrad
