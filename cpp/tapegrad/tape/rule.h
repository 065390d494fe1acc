#pragma once

#include "tapegrad/tape/ref.h"

namespace tapegrad {

// What a vjp rule sees of one application, whoever sweeps. Refs given out are tracked exactly when
// the sweep is itself recorded. Only what the op declared in `reads` may be asked of in() and
// out(); shapes and dtypes always.
class VjpContext {
 public:
  virtual ~VjpContext() = default;

  const Attrs& attrs() const { return *attrs_; }
  int n_in() const { return n_in_; }
  virtual bool needs(int i) const = 0;  // input i wants an adjoint
  virtual Ref in(int i) const = 0;
  virtual Ref out(int j = 0) const = 0;
  virtual TensorType in_type(int i) const = 0;
  virtual TensorType out_type(int j = 0) const = 0;
  Dims in_shape(int i) const { return in_type(i).shape; }
  Dims out_shape(int j = 0) const { return out_type(j).shape; }

  virtual bool has_ct(int j = 0) const = 0;  // an op with several outputs may lack some
  virtual Ref ct(int j = 0) const = 0;       // of the output's shape and dtype
  virtual Ref take_ct(
      int j = 0) = 0;  // the same, moved out (so that an in-place op may overwrite it)

  // Adds to the adjoint of input i; `contribution` has exactly the input's shape (dtype is
  // converted).
  virtual void add(int i, Ref contribution) = 0;
  // adjoint(i) = op(adjoint(i) or zeros, rest...): `op` is an in_place op that adds into a region
  // of its first input, so that n element reads cost O(n). Recorded as that op where the sweep is
  // recorded.
  virtual void add_in_place(int i, const Op& op, const Attrs& attrs, std::vector<Ref> rest) = 0;

 protected:
  const Attrs* attrs_ = nullptr;
  int n_in_ = 0;
};

// What a jvp rule sees. Outputs without a set() have a zero tangent.
class JvpContext {
 public:
  virtual ~JvpContext() = default;

  const Attrs& attrs() const { return *attrs_; }
  int n_in() const { return n_in_; }
  virtual bool has_tangent(int i) const = 0;
  virtual Ref tangent(int i) const = 0;
  virtual Ref in(int i) const = 0;
  virtual Ref out(int j = 0) const = 0;
  virtual TensorType in_type(int i) const = 0;
  virtual TensorType out_type(int j = 0) const = 0;
  Dims in_shape(int i) const { return in_type(i).shape; }
  Dims out_shape(int j = 0) const { return out_type(j).shape; }
  virtual void set(int j, Ref tangent) = 0;

 protected:
  const Attrs* attrs_ = nullptr;
  int n_in_ = 0;
};

// What a rule for lanes sees: inputs whose flag is set have a leading axis of n lanes, the others
// are the same for every lane. Types are those of one lane. Every output gets the leading axis.
struct LanesCall {
  const Op& op;
  const Attrs& attrs;
  std::span<const Ref> in;
  const uint8_t* has_lanes;
  std::span<const TensorType> in_types;
  std::span<const TensorType> out_types;
  int64_t n;
};

}  // namespace tapegrad
