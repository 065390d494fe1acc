#include "tapegrad/program/run/static/static_moves.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <tuple>
#include <utility>

#include "tapegrad/rows/copy_row.h"

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
void move_run(const MoveRun& r, char* const* in, T* to) {
  if (r.input == MoveRun::none) {
    const T x = static_cast<T>(r.fill);
    r.for_parts([&](int64_t, int64_t, int64_t at, int64_t n) { fill_row(x, n, to + at); });
    return;
  }
  const T* const from = static_cast<const T*>(static_cast<const void*>(in[r.input]));
  if (!r.listed.empty()) {
    for (size_t i = 0; i < r.listed.size(); ++i)
      to[r.at + static_cast<int64_t>(i)] = from[r.listed[i]];
  } else if (r.count == 1) {
    r.for_parts([&](int64_t source, int64_t, int64_t at, int64_t) { to[at] = from[source]; });
  } else if (r.stride == 1) {
    r.for_parts([&](int64_t source, int64_t, int64_t at, int64_t n) {
      copy_row(from + source, n, to + at);
    });
  } else if (r.stride == 0) {
    r.for_parts([&](int64_t source, int64_t, int64_t at, int64_t n) {
      fill_row(from[source], n, to + at);
    });
  } else {
    r.for_parts([&](int64_t source, int64_t stride, int64_t at, int64_t n) {
      for (int64_t i = 0; i < n; ++i) to[at + i] = from[source + i * stride];
    });
  }
}

template <class T>
void add_run(const MoveRun& r, T* to, const T* from) {
  for (size_t i = 0; i < r.listed.size(); ++i)
    to[r.listed[i]] += from[r.at + static_cast<int64_t>(i)];
  if (!r.listed.empty()) return;
  r.for_parts([&](int64_t source, int64_t stride, int64_t at, int64_t n) {
    if (stride == 1) {
      for (int64_t i = 0; i < n; ++i) to[source + i] += from[at + i];
    } else {
      for (int64_t i = 0; i < n; ++i) to[source + i * stride] += from[at + i];
    }
  });
}

// Runs of one form, one after the other, are one that happens again and again.
class Grouper {
 public:
  explicit Grouper(bool in_any_order) : in_any_order_(in_any_order) {}

  MoveRuns run(const MoveRuns& runs) {
    for (const MoveRun& r : runs) add(r);
    list_short_runs();
    return std::move(groups_);
  }

 private:
  static constexpr int64_t few = 4;  // elements, that cost no more from a list than as a run

  void add(const MoveRun& r) {
    if (in_any_order_) {
      const auto form = std::tuple(r.input, r.stride, r.count, std::bit_cast<uint64_t>(r.fill));
      const auto [at, is_new] = open_.try_emplace(form, groups_.size());
      if (!is_new && joins(groups_[at->second], r)) return;
      at->second = groups_.size();
    } else if (!groups_.empty() && joins(groups_.back(), r)) {
      return;
    }
    groups_.push_back(r);
  }

  static bool joins(MoveRun& group, const MoveRun& r) {
    if (group.input != r.input || group.stride != r.stride || group.count != r.count ||
        std::bit_cast<uint64_t>(group.fill) != std::bit_cast<uint64_t>(r.fill))
      return false;
    const int64_t last = group.times - 1;
    const int64_t source_step = r.source - (group.source + last * group.source_step);
    const int64_t at_step = r.at - (group.at + last * group.at_step);
    if (group.times > 1 && (source_step != group.source_step || at_step != group.at_step))
      return false;
    group.source_step = source_step;
    group.at_step = at_step;
    ++group.times;
    return true;
  }

  // The groups, where those of few elements are apart again.
  MoveRuns taken_apart() {
    MoveRuns all;
    for (MoveRun& r : groups_) {
      if (r.times == 1 || r.input == MoveRun::none || r.times * r.count > few) {
        all.push_back(std::move(r));
        continue;
      }
      r.for_parts([&](int64_t source, int64_t stride, int64_t at, int64_t n) {
        all.push_back({r.input, source, stride, at, n, 0});
      });
    }
    if (in_any_order_) std::ranges::stable_sort(all, {}, &MoveRun::at);
    return all;
  }

  void list_short_runs() {
    MoveRuns all = taken_apart();
    groups_.clear();
    for (MoveRun& r : all) {
      if (r.input == MoveRun::none || r.times * r.count > few) {
        groups_.push_back(std::move(r));
        continue;
      }
      const bool joins = !groups_.empty() && !groups_.back().listed.empty() &&
                         groups_.back().input == r.input &&
                         groups_.back().at + std::ssize(groups_.back().listed) == r.at;
      if (!joins) groups_.push_back({r.input, 0, 1, r.at, 0, 0});
      for (int64_t i = 0; i < r.count; ++i)
        groups_.back().listed.push_back(static_cast<int32_t>(r.source + i * r.stride));
    }
  }

  const bool in_any_order_;
  std::map<std::tuple<uint32_t, int64_t, int64_t, uint64_t>, size_t> open_;  // the last by form
  MoveRuns groups_;
};

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

std::optional<MoveRuns> runs_of_take(const Dims& shape, int axis, const Value& index) {
  const auto a = static_cast<size_t>(axis);
  const int64_t length = shape[a];
  const int64_t outer = element_count(Dims(shape.data(), a));
  const int64_t inner = element_count(Dims(shape.data() + a + 1, shape.size() - a - 1));
  std::vector<int64_t> taken;
  const Value packed = index.contiguous();
  for (int64_t j = 0; j < packed.size(); ++j) {
    int64_t k = packed.is_scalar() ? packed.as_int64() : packed.view({}, {}, j).as_int64();
    if (k < 0) k += length;
    if (k < 0 || k >= length) return std::nullopt;
    taken.push_back(k);
  }
  RunFinder runs;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t k : taken)
      for (int64_t i = 0; i < inner; ++i) runs.add(0, (o * length + k) * inner + i);
  return runs.take();
}

MoveRuns grouped(const MoveRuns& runs, bool in_any_order) {
  return Grouper(in_any_order).run(runs);
}

void run_moves(const MoveRuns& runs, DType dtype, char* const* in, char* out) {
  visit_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    for (const MoveRun& r : runs) move_run(r, in, static_cast<T*>(static_cast<void*>(out)));
  });
}

void run_additions(const MoveRuns& runs, DType dtype, char* array, const char* update) {
  visit_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_floating_point_v<T>)
      for (const MoveRun& r : runs)
        add_run(r, static_cast<T*>(static_cast<void*>(array)),
                static_cast<const T*>(static_cast<const void*>(update)));
  });
}

}  // namespace tapegrad
