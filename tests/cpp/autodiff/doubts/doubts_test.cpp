#include "tapegrad/autodiff/doubts/doubts.h"

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "check.h"
#include "tapegrad/autodiff/grad.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/reduce/reduce.h"
#include "tapegrad/ops/registry.h"

using namespace tapegrad;

namespace {

std::vector<std::string>& warnings() {
  static std::vector<std::string> all;
  return all;
}

// Collects what is said while it lives.
class Listener {
 public:
  Listener() : before_(warn_of_doubt) {
    register_all_ops();
    warnings().clear();
    warn_of_doubt = [](const std::string& message) { warnings().push_back(message); };
  }
  ~Listener() { warn_of_doubt = before_; }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  void (*before_)(const std::string&);
};

using Function = std::function<Ref(const Ref&)>;

Ref slope(const Function& f, const Ref& at) {
  Scope scope;
  const Variable x = scope.argument(at);
  const Ref outs[] = {f(x.ref())}, wrt[] = {x.ref()};
  return scope.result(scope.grad(outs, wrt, {})[0]);
}

Ref second_slope(const Function& f, const Ref& at) {
  return slope([&](const Ref& x) { return slope(f, x); }, at);
}

Ref softplus(const Ref& x) { return log(add(Ref(1.0), exp(x))); }

}  // namespace

TEST(a_hidden_overflow_is_told_once) {
  const Listener listener;
  slope(softplus, Ref(10.0));
  CHECK(warnings().empty());
  CHECK(slope(softplus, Ref(800.0)).value().as_double() == 0.0);
  CHECK(warnings().size() == size_t{1});
  CHECK(warnings()[0].find("exp") != std::string::npos);
}

TEST(a_pole_and_a_finite_value_hide_nothing) {
  const Listener listener;
  CHECK(std::isinf(slope([](const Ref& x) { return log(x); }, Ref(0.0)).value().as_double()));
  slope([](const Ref& x) { return reciprocal(add(Ref(1.0), exp(x))); }, Ref(800.0));
  slope([](const Ref& x) { return where(less(Ref(0.0), x), log(x), x); }, Ref(0.0));
  CHECK(warnings().empty());
}

TEST(a_second_derivative_at_a_tip_is_told) {
  const Listener listener;
  const auto squared = [](const Ref& x) { return square(absolute(x)); };
  slope(squared, Ref(0.0));
  second_slope(squared, Ref(0.5));
  second_slope([](const Ref& x) { return absolute(x); }, Ref(0.0));
  CHECK(warnings().empty());
  second_slope(squared, Ref(0.0));
  CHECK(warnings().size() == size_t{1});
  CHECK(warnings()[0].find("absolute is at the tip of a cone") != std::string::npos);
}

TEST(a_branch_that_was_not_taken_rests_on_no_tip) {
  const Listener listener;
  second_slope(
      [](const Ref& x) { return where(less(Ref(0.0), x), square(sqrt(square(x))), Ref(0.0)); },
      Ref(0.0));
  CHECK(warnings().empty());
}
