#include "tapegrad/kernels/reduce/reduce_axis.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <vector>

#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/reduce/reduce_plan.h"
#include "tapegrad/parallel/parallel.h"
#include "tapegrad/rows/strided.h"

// A reduction is a set of tasks (reduce_plan.h). The results of a task's chunks are pushed in order
// into a counter that merges equals: a balanced tree. Threads share out the tasks, or, where these
// are few, the chunks, whose results then wait in a buffer: the tree is the same.

namespace tapegrad {
namespace {

// A stack of the results of 2^level chunks each.
template <class T>
class Tree {
 public:
  Tree(const FoldLoops<T>& loops, int64_t width, int64_t chunks) : loops_(loops), width_(width) {
    if (chunks > 1)
      levels_.resize(static_cast<size_t>(width * std::bit_width(static_cast<uint64_t>(chunks))));
  }
  void clear() { count_ = 0; }
  void push(T* x) {
    int level = 0;
    for (; count_ >> level & 1; ++level) loops_.merge(slot(level), x, width_);
    std::copy_n(x, width_, slot(level));
    ++count_;
  }
  void finish(T* x) {
    bool first = true;
    for (int level = 0; count_ >> level; ++level) {
      if (!(count_ >> level & 1)) continue;
      if (first) {
        std::copy_n(slot(level), width_, x);
      } else {
        loops_.merge(slot(level), x, width_);
      }
      first = false;
    }
  }

 private:
  T* slot(int level) { return levels_.data() + level * width_; }
  const FoldLoops<T>& loops_;
  int64_t width_;
  int64_t count_ = 0;
  PooledVector<T> levels_;
};

// Says where task `t` reads and writes.
struct Task {
  int64_t in = 0, out = 0, width = 1;
};

template <class T>
class Folder {
 public:
  Folder(const ReductionPlan<T>& g, const FoldLoops<T>& loops, const T* parameter, T* out)
      : g_(g),
        loops_(loops),
        parameter_(parameter),
        out_(out),
        kept_(g.kept, {g.kept_in, g.kept_out}),
        red_(g.red, {g.red_in}) {}

  Task seek(int64_t t) {
    const int64_t block = t % g_.blocks;
    kept_.seek(t / g_.blocks);
    return task_of(block);
  }
  Task next(int64_t t) {  // after t - 1
    if (t % g_.blocks == 0) kept_.next();
    return task_of(t % g_.blocks);
  }

  void chunk(const Task& task, int64_t c, T* result) {
    red_.seek(c / g_.parts);
    chunk_here(task, c % g_.parts, result);
  }

  void whole(const Task& task, Tree<T>& tree) {
    T result[column_width];
    if (g_.chunks == 1) {
      chunk_here(task, 0, result);
    } else {
      tree.clear();
      red_.seek(0);
      for (int64_t c = 0; c < g_.chunks; ++c) {
        if (c && c % g_.parts == 0) red_.next();
        chunk_here(task, c % g_.parts, result);
        tree.push(result);
      }
      tree.finish(result);
    }
    store(task, result);
  }

  // Runs tasks [begin, end) of one row and one chunk each.
  void single_rows(int64_t begin, int64_t end) {
    const int64_t last = g_.kept.empty() ? 1 : g_.kept.back();
    const int64_t step = g_.kept.empty() ? 0 : g_.kept_in.back();
    for (int64_t t = begin, count; t < end; t += count) {
      count = std::min(end - t, last - t % last);
      kept_.seek(t);
      const int64_t out = kept_.offset(1);
      loops_.rows(g_.data + kept_.offset(0), step, count, g_.step, g_.n,
                  parameter_ ? parameter_ + out : nullptr, out_ + out);
    }
  }

  void store(const Task& task, const T* result) {
    for (int64_t j = 0; j < task.width; ++j) out_[task.out + j * g_.column_out] = result[j];
  }

 private:
  Task task_of(int64_t block) const {
    if (!g_.by_columns) return {kept_.offset(0), kept_.offset(1), 1};
    const int64_t first = block * column_width;
    return {kept_.offset(0) + first * g_.column_step, kept_.offset(1) + first * g_.column_out,
            g_.width(block)};
  }

  void chunk_here(const Task& task, int64_t part, T* result) {
    const int64_t first = part * g_.chunk, n = std::min(g_.chunk, g_.n - first);
    const T* x = g_.data + task.in + red_.offset(0) + first * g_.step;
    if (!g_.by_columns) {
      *result = loops_.row(x, g_.step, n, parameter_ ? parameter_[task.out] : T{});
      return;
    }
    std::fill_n(result, task.width, loops_.identity);
    T packed_parameter[column_width];
    const T* parameter = parameter_ ? parameter_ + task.out : nullptr;
    if (parameter && g_.column_out != 1) {
      for (int64_t j = 0; j < task.width; ++j) packed_parameter[j] = parameter[j * g_.column_out];
      parameter = packed_parameter;
    }
    if (g_.column_step == 1) {
      loops_.columns(result, x, g_.step, n, task.width, parameter);
      return;
    }
    T row[column_width];
    for (int64_t r = 0; r < n; ++r, x += g_.step) {
      for (int64_t j = 0; j < task.width; ++j) row[j] = x[j * g_.column_step];
      loops_.columns(result, row, 0, 1, task.width, parameter);
    }
  }

  const ReductionPlan<T>& g_;
  const FoldLoops<T>& loops_;
  const T* parameter_;
  T* out_;
  Odometer<2> kept_;
  Odometer<1> red_;
};

template <class T>
void run(const ReductionPlan<T>& g, const FoldLoops<T>& loops, double ns, const T* parameter,
         T* out) {
  const int64_t width = std::min(g.columns, column_width);
  const double task_ns = ns * static_cast<double>(g.chunks * std::min(g.chunk, g.n) * width);
  const bool few = g.chunks > 1 && task_ns * static_cast<double>(g.tasks) >= work_threshold_ns() &&
                   num_threads() > 1 && g.tasks < 8 * num_threads();
  if (!g.by_columns && g.chunks == 1) {
    parallel_for(g.tasks, 1, task_ns + 3, [&](int64_t begin, int64_t end) {
      Folder<T>(g, loops, parameter, out).single_rows(begin, end);
    });
    return;
  }
  if (!few) {
    parallel_for(g.tasks, 1, task_ns, [&](int64_t begin, int64_t end) {
      Folder<T> folder(g, loops, parameter, out);
      Tree<T> tree(loops, width, g.chunks);
      Task task = folder.seek(begin);
      for (int64_t t = begin; t < end; ++t) {
        if (t != begin) task = folder.next(t);
        folder.whole(task, tree);
      }
    });
    return;
  }
  Value partials = Value::empty(dtype_of<T>(), Dims{g.chunks, width});
  for (int64_t t = 0; t < g.tasks; ++t) {
    parallel_for(g.chunks, 1, task_ns / static_cast<double>(g.chunks),
                 [&](int64_t begin, int64_t end) {
                   Folder<T> folder(g, loops, parameter, out);
                   const Task task = folder.seek(t);
                   for (int64_t c = begin; c < end; ++c)
                     folder.chunk(task, c, partials.data<T>() + c * width);
                 });
    Folder<T> folder(g, loops, parameter, out);
    const Task task = folder.seek(t);
    Tree<T> tree(loops, task.width, g.chunks);
    for (int64_t c = 0; c < g.chunks; ++c) tree.push(partials.data<T>() + c * width);
    T result[column_width];
    tree.finish(result);
    folder.store(task, result);
  }
}

double cost_of(Fold fold) { return fold == Fold::exp_sum ? 1.5 : 0.3; }

template <class T>
T item(const Value& v) {
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(v.as_double());
  else
    return static_cast<T>(v.as_int64());
}

template <class T>
void put(Value& v, T x) {
  if constexpr (std::is_floating_point_v<T>)
    v = Value::scalar(static_cast<double>(x), v.dtype());
  else
    v = Value::integer_scalar(static_cast<int64_t>(x), v.dtype());
}

// Returns the reduced axes that a row runs along, where the others hold at least as much: folding
// these first reads the memory in order. The result is empty where one pass does.
Dims row_axes(const Value& v, const Dims& reduced) {
  const int64_t* strides = v.layout()->strides();
  int first = -1, others = 0;
  for (int axis = 0; axis < v.ndim(); ++axis) {
    const bool flag = reduced[static_cast<size_t>(axis)] && v.dim(axis) > 1;
    others += flag;
    if (flag && (first < 0 || std::abs(strides[axis]) < std::abs(strides[first]))) first = axis;
    if (!reduced[static_cast<size_t>(axis)] && v.dim(axis) > 1 && std::abs(strides[axis]) == 1)
      return {};
  }
  if (others < 2 || std::abs(strides[first]) != 1) return {};
  Dims row(reduced.size(), 0);
  int64_t n = 1;
  for (bool grown = true; grown;) {
    grown = false;
    for (int axis = 0; axis < v.ndim(); ++axis) {
      const auto i = static_cast<size_t>(axis);
      if (!reduced[i] || row[i] || v.dim(axis) == 1 || std::abs(strides[axis]) != n) continue;
      row[i] = 1;
      n *= v.dim(axis);
      --others;
      grown = true;
    }
  }
  return others > 0 && n >= 16 ? row : Dims();
}

// Small packed arrays whose reduced axes are neighbours are seen as (outer, n, inner); this does
// what run() would do, without its plan. Returns false where the array is none of these.
template <class T>
bool run_small(const Value& v, const Dims& reduced, const FoldLoops<T>& loops, const T* parameter,
               T* out) {
  if (!v.is_contiguous() || v.size() > 4096) return false;
  int64_t outer = 1, n = 1, inner = 1;
  for (int axis = 0; axis < v.ndim(); ++axis) {
    const int64_t length = v.dim(axis);
    if (reduced[static_cast<size_t>(axis)]) {
      if (inner > 1 && length > 1) return false;
      n *= length;
    } else {
      (n > 1 ? inner : outer) *= length;
    }
  }
  if (n > (inner > 1 ? column_rows : fold_chunk)) return false;
  if (inner == 1) {
    loops.rows(v.data<T>(), n, outer, 1, n, parameter, out);
    return true;
  }
  std::fill_n(out, outer * inner, loops.identity);
  for (int64_t i = 0; i < outer; ++i)
    loops.columns(out + i * inner, v.data<T>() + i * n * inner, inner, n, inner,
                  parameter ? parameter + i * inner : nullptr);
  return true;
}

template <class T>
Value fold_typed(Fold fold, const Value& v, const Dims& reduced, const Value* parameter) {
  const FoldLoops<T>& loops = fold_loops<T>(fold);
  if (v.is_scalar()) {
    const T x = item<T>(v);
    Value out = v;
    put(out, loops.row(&x, 1, 1, parameter ? item<T>(*parameter) : T{}));
    return out;
  }
  Dims shape;
  for (size_t i = 0; i < reduced.size(); ++i)
    if (!reduced[i]) shape.push_back(v.dim(static_cast<int>(i)));
  if (!parameter && v.size() > 0) {
    if (element_count(shape) == v.size()) return v.reshaped(shape);
    if (const Dims row = row_axes(v, reduced); !row.empty()) {
      Dims rest;
      for (size_t i = 0; i < row.size(); ++i)
        if (!row[i]) rest.push_back(reduced[i]);
      return fold_typed<T>(fold, fold_typed<T>(fold, v, row, nullptr), rest, nullptr);
    }
  }
  Value out = Value::empty(v.dtype(), shape);
  T scalar{}, scalar_parameter{};
  T* to = out.is_scalar() ? &scalar : out.data<T>();
  const T* p = nullptr;
  Value packed;
  if (parameter && parameter->is_scalar()) {
    scalar_parameter = item<T>(*parameter);
    p = &scalar_parameter;
  } else if (parameter) {
    packed = parameter->contiguous();
    p = packed.data<T>();
  }
  if (v.size() == 0) {
    std::fill_n(to, out.size(), loops.identity + T{});  // + 0: no negative zero
  } else if (!run_small<T>(v, reduced, loops, p, to)) {
    run(plan_reduction<T>(v, reduced), loops, cost_of(fold), p, to);
  }
  if (out.is_scalar()) put(out, scalar);
  return out;
}

}  // namespace

Value fold_axes(Fold fold, const Value& v, const Dims& reduced, const Value* parameter) {
  switch (v.dtype()) {
    case DType::float32:
      return fold_typed<float>(fold, v, reduced, parameter);
    case DType::float64:
      return fold_typed<double>(fold, v, reduced, parameter);
    case DType::int64:
      return fold_typed<int64_t>(fold, v, reduced, parameter);
    case DType::uint64:
      return fold_typed<uint64_t>(fold, v, reduced, parameter);
    default:
      throw_error<TypeError>("fold_axes: no loops for ", dtype_name(v.dtype()),
                             "; cast to int64 or float64");
  }
}

}  // namespace tapegrad
