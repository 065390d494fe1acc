#include "tapegrad/program/run/static/static_moves.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tapegrad {
namespace {

// Which element a result has is found by moving elements that are numbered: twice, with other
// numbers, so that what the op fills in stands out.
Value numbered(const Dims& shape, double first) {
  Value v = Value::empty(DType::float64, shape);
  if (v.is_scalar()) return Value::scalar(first);
  for (int64_t i = 0; i < v.size(); ++i) v.data<double>()[i] = first + static_cast<double>(i);
  return v;
}

double element(const Value& v, int64_t i) {
  return v.is_scalar() ? v.as_double() : v.data<double>()[i];
}

class RunFinder {
 public:
  void add(uint32_t input, int64_t source) {
    if (!runs_.empty()) {
      MoveRun& last = runs_.back();
      if (last.input == input) {
        if (last.count == 1) {
          last.stride = source - last.source;
          last.count = 2;
          ++next_;
          return;
        }
        if (last.source + last.count * last.stride == source) {
          ++last.count;
          ++next_;
          return;
        }
        // Two elements that happened to follow one another are better apart than in a wrong run.
        if (last.count == 2 && last.stride != 1 && last.stride != 0) {
          const MoveRun second{input, last.source + last.stride, 1, last.at + 1, 1, 0};
          last.count = last.stride = 1;
          runs_.push_back(second);
          return add(input, source);
        }
      }
    }
    runs_.push_back({input, source, 1, next_++, 1, 0});
  }
  void add_fill(double x) {
    if (!runs_.empty() && runs_.back().input == MoveRun::none &&
        std::bit_cast<uint64_t>(runs_.back().fill) == std::bit_cast<uint64_t>(x)) {
      ++runs_.back().count;
      ++next_;
      return;
    }
    runs_.push_back({MoveRun::none, 0, 1, next_++, 1, x});
  }
  MoveRuns take() { return std::move(runs_); }

 private:
  MoveRuns runs_;
  int64_t next_ = 0;
};

template <class T>
void move(const MoveRuns& runs, char* const* in, char* out) {
  T* const to = static_cast<T*>(static_cast<void*>(out));
  for (const MoveRun& r : runs) {
    if (r.input == MoveRun::none) {
      std::fill_n(to + r.at, r.count, static_cast<T>(r.fill));
      continue;
    }
    const T* from = static_cast<const T*>(static_cast<const void*>(in[r.input])) + r.source;
    if (r.stride == 1) {
      std::copy_n(from, r.count, to + r.at);
    } else if (r.stride == 0) {
      std::fill_n(to + r.at, r.count, *from);
    } else {
      for (int64_t i = 0; i < r.count; ++i) to[r.at + i] = from[i * r.stride];
    }
  }
}

}  // namespace

std::optional<std::vector<MoveRuns>> runs_of_step(const Op& op, const Attrs& attrs,
                                                  std::span<const TensorType> in,
                                                  std::span<const Value* const> constants,
                                                  size_t n_out) {
  if (op.elements != ElementKind::moved || op.converts || op.reduces != ReductionKind::none ||
      n_out == 0)
    return std::nullopt;
  const size_t n = op.n_element_inputs(in.size());
  double total = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    if (i >= n && !constants[i]) return std::nullopt;
    if (i < n && in[i].dtype != in[0].dtype) return std::nullopt;
    if (i < n) total += static_cast<double>(element_count(in[i].shape));
  }
  std::vector<Value> found[2];
  for (int twice = 0; twice < 2; ++twice) {
    std::vector<Value> given;
    double next = 1 + twice * (total + 1);
    for (size_t i = 0; i < in.size(); ++i) {
      given.push_back(i < n ? numbered(in[i].shape, next) : *constants[i]);
      if (i < n) next += static_cast<double>(element_count(in[i].shape));
    }
    found[twice].resize(n_out);
    op.eval(attrs, given, found[twice]);
    for (Value& v : found[twice]) v = v.contiguous();
  }
  std::vector<MoveRuns> all;
  for (size_t j = 0; j < n_out; ++j) {
    RunFinder runs;
    for (int64_t e = 0; e < found[0][j].size(); ++e) {
      const double x = element(found[0][j], e), y = element(found[1][j], e);
      if (std::bit_cast<uint64_t>(x) == std::bit_cast<uint64_t>(y)) {
        runs.add_fill(x);
        continue;
      }
      if (y - x != total + 1) return std::nullopt;
      auto source = static_cast<int64_t>(x) - 1;
      uint32_t i = 0;
      while (source >= element_count(in[i].shape)) source -= element_count(in[i++].shape);
      runs.add(i, source);
    }
    all.push_back(runs.take());
  }
  return all;
}

MoveRuns runs_of_broadcast(const Dims& from, const Dims& to) {
  Value wide = Value::empty(DType::float64, to);
  copy_into(wide, numbered(from, 0));
  RunFinder runs;
  for (int64_t e = 0; e < wide.size(); ++e) runs.add(0, static_cast<int64_t>(element(wide, e)));
  return runs.take();
}

bool is_alias(const MoveRuns& runs, int64_t size) {
  return runs.size() == 1 && runs[0].input != MoveRun::none && (runs[0].stride == 1 || size == 1) &&
         runs[0].count == size;
}

void run_moves(const MoveRuns& runs, DType dtype, char* const* in, char* out) {
  visit_dtype(dtype, [&](auto tag) { move<decltype(tag)>(runs, in, out); });
}

}  // namespace tapegrad
