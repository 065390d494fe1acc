#include "tapegrad/tape/anomaly/anomaly.h"

#include <cmath>
#include <limits>

#include "check.h"
#include "tapegrad/ops/elementwise.h"
#include "tapegrad/ops/registry.h"
#include "tapegrad/scalar/functions/function_list.h"

using namespace tapegrad;

namespace {

class Watching {
 public:
  explicit Watching(bool infinities = false, bool values = true) {
    register_all_ops();
    ++anomaly::watchers;
    anomaly::set_watch_of_thread({true, infinities, values});
  }
  ~Watching() {
    anomaly::set_watch_of_thread({});
    --anomaly::watchers;
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
};

Ref argument(Value x) {
  Tape& tape = Tape::current();
  return Ref::adopt(&tape, tape.argument(0, std::move(x)));
}

template <class F>
std::string complaint(F&& f) {
  try {
    f();
  } catch (const AnomalyError& e) {
    return e.what();
  }
  return "";
}

bool has(const std::string& text, const char* part) { return text.find(part) != text.npos; }

}  // namespace

TEST(nobody_looks_unless_asked) {
  register_all_ops();
  CHECK(!anomaly::is_watching());
  const Ref y = elementwise(scalar_fn_of<Sqrt>(), {argument(Value(-1.0))});
  CHECK(std::isnan(y.value().as_double()));
}

TEST(the_first_bad_element_is_named) {
  const Watching watching;
  const Ref x = argument(Value::from(std::vector<double>{4.0, 1.0, -2.0, -3.0}, Dims{2, 2}));
  const int64_t live = Tape::current().live_nodes();
  const std::string text = complaint([&] { elementwise(scalar_fn_of<Sqrt>(), {x}); });
  CHECK(has(text, "sqrt"));
  CHECK(has(text, "(1, 0)"));
  CHECK(has(text, "-2 there"));
  CHECK(Tape::current().live_nodes() == live);
}

TEST(infinities_count_where_asked) {
  const auto divide = [] {
    return elementwise(scalar_fn_of<Divide>(), {Ref(1.0), argument(Value(0.0))});
  };
  {
    const Watching watching;
    CHECK(complaint(divide).empty());
  }
  const Watching watching(true);
  CHECK(has(complaint(divide), "inf"));
}

TEST(values_may_be_left_alone) {
  const Watching watching(false, false);
  CHECK(complaint([] { elementwise(scalar_fn_of<Sqrt>(), {argument(Value(-1.0))}); }).empty());
}

TEST(derivatives_name_their_node) {
  const Watching watching;
  const Ref y = elementwise(scalar_fn_of<Sqrt>(), {argument(Value(4.0))});
  Tape& tape = Tape::current();
  const Value bad = Value(std::numeric_limits<double>::quiet_NaN());
  const Node& n = tape.node(y.slot());
  CHECK(n.extra != nullptr);  // which keeps the line
  CHECK(has(complaint([&] { anomaly::check_derivative(tape, n, bad, "tangent of its result"); }),
            "the derivative of sqrt, recorded, gave nan as the tangent of its result"));
  CHECK(has(complaint([&] { anomaly::check_sum(tape, n, bad); }), "add up to nan"));
  CHECK(complaint([&] { anomaly::check_derivative(tape, n, Value(1.0), "tangent"); }).empty());
}
