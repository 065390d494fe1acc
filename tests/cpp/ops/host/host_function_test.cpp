#include "tapegrad/ops/host/host_function.h"

#include <memory>

#include "ops/host_sine.h"
#include "ops/run_op.h"
#include "tapegrad/base/error.h"
#include "tapegrad/tape/tape.h"
#include "tapegrad/tape/tracer.h"

using namespace tapegrad;
using cases::HostSine;

namespace {

std::shared_ptr<HostSine> sine(const Value& x) {
  register_all_ops();
  return std::make_shared<HostSine>(2.0, type_of(x));
}

}  // namespace

TEST(an_application_is_the_function) {
  const Value x = cases::numbers({0.0, 0.5}, {2});
  const auto f = sine(x);
  const Value y = cases::run_op("host_function", x, Attrs{AttrRef(f)});
  CHECK(cases::equals(y, {0.0, 2 * std::sin(0.5)}, {2}));
  CHECK(f->calls == 1);
}

TEST(other_types_are_refused) {
  const Value x = cases::numbers({0.0, 0.5}, {2});
  const auto f = sine(x);
  bool refused = false;
  try {
    cases::run_op("host_function", cases::numbers({1.0}, {1}), Attrs{AttrRef(f)});
  } catch (const ValueError& e) {
    refused = std::string(e.what()).find("sine") != std::string::npos;
  }
  CHECK(refused);
}

TEST(known_results_are_recorded_without_a_call) {
  const Value x = cases::numbers({0.25, 0.5}, {2});
  const auto f = sine(x);
  Tape& tape = Tape::current();
  const Ref in = Ref::adopt(&tape, tape.argument(0, x));
  const std::vector<Ref> out = record_host_function(f, {{in}}, {x});
  CHECK(out.size() == 1);
  CHECK(out[0].tracked());
  CHECK(f->calls == 0);
  CHECK(!record_host_function(f, {{Ref(x)}}, {x})[0].tracked());
}

TEST(while_a_function_is_recorded_constants_are_recorded_too) {
  const Value x = cases::numbers({0.25, 0.5}, {2});
  const auto f = sine(x);
  Tracer tracer;
  const std::vector<Ref> out = record_host_function(f, {{Ref(x)}}, {x});
  CHECK(out[0].tracked());
  CHECK(tracer.tape().node(out[0].slot()).origin == tracer.scope());
}

TEST(attributes_say_that_they_call_the_host) {
  const Value x = cases::numbers({0.25, 0.5}, {2});
  CHECK((Attrs{AttrRef(sine(x))}).calls_host());
  CHECK(!(Attrs{int64_t{1}, Attr{}}).calls_host());
}
