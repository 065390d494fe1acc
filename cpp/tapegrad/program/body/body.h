#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "tapegrad/program/compiled_parts.h"
#include "tapegrad/program/record.h"
#include "tapegrad/program/run/executor.h"
#include "tapegrad/program/run/lane_body.h"

namespace tapegrad {

class Body;
using BodyPtr = std::shared_ptr<const Body>;
using Flags = std::vector<uint8_t>;

class BodyExtra {
 public:
  virtual ~BodyExtra() = default;
  virtual std::string machine_code() const { return {}; }
};

// A Body is an immutable function, as an attribute of the ops that apply it (call.h, scan.h): a
// program without captures and guards. What is derived from it (its derivatives, itself over lanes)
// is made at first use and kept.
class Body final : public AttrObject, public CompiledParts {
 public:
  static BodyPtr of(Program program);

  const Program& program() const { return program_; }
  size_t n_in() const { return program_.inputs.size(); }
  size_t n_out() const { return program_.outputs.size(); }
  const TensorType& in_type(size_t i) const { return program_.type_of(program_.inputs[i]); }
  const TensorType& out_type(size_t j) const { return program_.type_of(program_.outputs[j]); }
  // Whether any step or output reads it.
  bool reads(size_t input) const { return read_[input] != 0; }

  // Returns an executor for `runs` runs, the first n_owned inputs being the caller's own. It is
  // optimised where that pays: from the second run on.
  std::shared_ptr<const Executor> executor(size_t runs, size_t n_owned = 0) const;

  // Returns the body of a scan as a kernel, or null where it is none.
  std::shared_ptr<const LaneBody> lane_body(size_t n_carry, size_t n_series) const;

  // Returns what others keep with the body under this key, made at first use.
  std::shared_ptr<const BodyExtra> extra(
      uint64_t key, const std::function<std::shared_ptr<const BodyExtra>()>& make) const;

  // Returns a body derived from this one, by name.
  BodyPtr derived(const std::string& name, const std::function<BodyPtr()>& make) const;
  // These keep only the flagged outputs, and only the flagged inputs, where no step reads the
  // others.
  BodyPtr keeping_outputs(const Flags& kept) const;
  BodyPtr keeping_inputs(const Flags& kept) const;

  size_t hash() const override { return hash_; }
  bool equals(const AttrObject& other) const override;
  void print(std::ostream& out) const override;
  bool calls_host() const override { return calls_host_; }
  std::string machine_code() const override;

  explicit Body(Program program);  // see of()

 private:
  struct Running {
    size_t runs = 0;
    std::shared_ptr<const Executor> plain, optimised;
  };

  const Program program_;
  const size_t hash_;
  bool calls_host_ = false;
  Flags read_;
  mutable std::mutex mutex_;                   // never held while something is made
  mutable std::map<size_t, Running> running_;  // by n_owned
  mutable std::map<std::pair<size_t, size_t>, std::shared_ptr<const LaneBody>> lane_bodies_;
  mutable std::map<uint64_t, std::shared_ptr<const BodyExtra>> extras_;
  mutable std::map<std::string, BodyPtr> derived_;
};

// Returns the body among an op's attributes.
const BodyPtr body_of(const Attrs& attrs, size_t i);

// Records f at these arguments; none of what it reads may come from elsewhere.
BodyPtr record_body(std::span<const Value> arguments,
                    const std::function<std::vector<Ref>(std::span<const Ref>)>& f);

// Makes a body of a recording: what it captured are further inputs, behind its own; what its guards
// look at are further outputs.
BodyPtr body_from(const Recording& recording);

// Makes names of derived bodies: "kind:0110:..."
std::string flags_name(const char* kind, std::initializer_list<const Flags*> flags);

}  // namespace tapegrad
