#include "tapegrad/scalar/functions/function_list.h"

#include "tapegrad/scalar/functions/functions.h"

namespace tapegrad {
namespace {

template <class... F>
constexpr std::array<ScalarFnInfo, sizeof...(F)> make_infos(FunctionList<F...>) {
  return {ScalarFnInfo{F::name, F::arity, F::returns_bool, F::data_inputs, F::ns}...};
}

constexpr auto infos = make_infos(ScalarFunctions());

}  // namespace

const ScalarFnInfo& scalar_fn_info(ScalarFn f) { return infos[index_of(f)]; }

std::optional<ScalarFn> find_scalar_fn(std::string_view name) {
  for (size_t i = 0; i < infos.size(); ++i)
    if (name == infos[i].name) return static_cast<ScalarFn>(i);
  return std::nullopt;
}

}  // namespace tapegrad
