#pragma once

#include <span>
#include <vector>

#include "tapegrad/tape/op.h"
#include "tapegrad/tape/rule.h"

namespace tapegrad {

// A function of the host language, applied as one operation to inputs of known types. What it
// computes and how it is differentiated the host knows alone: it is called for both.
class HostFunction : public AttrObject {
 public:
  virtual std::span<const TensorType> in_types() const = 0;
  virtual std::span<const TensorType> out_types() const = 0;
  // Throws where the results are not of these types.
  virtual std::vector<Value> call(std::span<const Value> in) const = 0;
  // As an op's rules.
  virtual void vjp(VjpContext& ctx) const = 0;
  virtual void jvp(JvpContext& ctx) const = 0;
  // All lanes at once; nothing where it is called for each.
  virtual std::vector<Ref> lanes(const LanesCall&) const { return {}; }

  bool calls_host() const override { return true; }
};

const Op& host_function_op();

// An application of which the results are known. While a whole function is recorded it is recorded
// with constant inputs too: plain code of the host is called again at each replay.
std::vector<Ref> record_host_function(std::shared_ptr<const HostFunction> f,
                                      std::span<const Ref> inputs, std::vector<Value> results);

}  // namespace tapegrad
