// Functions recorded through a tracer: for the tests of recordings.
#pragma once

#include <functional>
#include <vector>

#include "program/programs.h"
#include "tapegrad/program/record.h"

namespace programs {

using Refs = std::vector<tapegrad::Ref>;
using Function = std::function<Refs(tapegrad::Tracer&, const Refs&)>;

inline tapegrad::Recording record(const Function& f, const std::vector<Value>& arguments,
                                  std::vector<Value>* results = nullptr) {
  tapegrad::register_all_ops();
  tapegrad::Tracer tracer;
  Refs in;
  for (const Value& v : arguments) in.push_back(tracer.argument(v));
  const Refs out = f(tracer, in);
  if (results)
    for (const tapegrad::Ref& r : out) results->push_back(r.value());
  return freeze(tracer, out);
}

}  // namespace programs
