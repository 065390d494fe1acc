#include "tapegrad/program/run/tiles.h"

#include <algorithm>
#include <ostream>

#include "tapegrad/base/pooled.h"
#include "tapegrad/kernels/partials/partial_product.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/parallel/parallel.h"

namespace tapegrad {
namespace {

constexpr int64_t most_groups = 16;  // of tiles that are added

// Positions [0, length) of an axis.
Value part_of(const Value& v, int axis, int64_t length) {
  Dims shape = v.shape();
  shape[static_cast<size_t>(axis)] = length;
  return v.view(shape, v.strides(), 0);
}

}  // namespace

// An array seen through tiles.
struct Tiles::Cut {
  Value tile, last;
  int64_t stride = 0;  // from tile to tile, in elements

  Cut(const Value& v, int axis, const Form& f) {
    if (axis == whole) {
      tile = last = v;
      return;
    }
    tile = part_of(v, axis, f.length);
    last = part_of(v, axis, f.n - (f.n - 1) / f.length * f.length);
    stride = v.strides()[static_cast<size_t>(axis)] * f.length;
  }
  Value at(int64_t t, bool is_last) const {
    const Value& v = is_last ? last : tile;
    return stride == 0 ? v : v.neighbour(t * stride);
  }
};

// The sums of each group, side by side.
struct Tiles::Sums {
  PooledVector<Value> values;
};

Tiles::Tiles(Form form)
    : form_(std::move(form)),
      body_(form_.body),
      last_(form_.last),
      n_sums_(static_cast<size_t>(std::ranges::count(form_.out_axes, whole))) {}

int64_t Tiles::groups() const { return n_sums_ == 0 ? count() : std::min(count(), most_groups); }

void Tiles::run_group(int64_t group, std::span<const Cut> cuts, std::span<Value> out,
                      Sums& sums) const {
  const int64_t tiles = count(), end = tiles * (group + 1) / groups();
  Value* const own = sums.values.data() + static_cast<size_t>(group) * n_sums_;
  const auto run_tiles = [&](const Executor& body, int64_t from, int64_t to, bool is_last) {
    Executor::Session session(body);
    InterruptPoll poll;
    for (int64_t t = from; t < to; ++t) {
      poll(16);
      for (size_t i = 0; i < form_.in_axes.size(); ++i) session.set(i, cuts[i].at(t, is_last));
      session.run();
      size_t sum = 0;
      for (size_t j = 0; j < out.size(); ++j) {
        if (form_.out_axes[j] != whole) {
          copy_into(cuts[form_.in_axes.size() + j].at(t, is_last), session.output(j));
        } else if (Value& at = own[sum++]; t == tiles * group / groups()) {
          at = session.take(j);
        } else {
          add_in_place(at, session.output(j));
        }
      }
    }
  };
  const bool shorter = end == tiles && form_.n % form_.length != 0;
  run_tiles(body_, tiles * group / groups(), end - (shorter ? 1 : 0), false);
  if (shorter) run_tiles(last_, end - 1, end, true);
}

void Tiles::run(std::span<const Value> in, std::span<Value> out) const {
  PooledVector<Cut> cuts;
  cuts.reserve(in.size() + out.size());
  for (size_t i = 0; i < in.size(); ++i) cuts.emplace_back(in[i], form_.in_axes[i], form_);
  for (size_t j = 0; j < out.size(); ++j) {
    if (form_.out_axes[j] != whole) out[j] = Value::empty(form_.out[j].dtype, form_.out[j].shape);
    cuts.emplace_back(out[j], form_.out_axes[j], form_);
  }
  const int64_t n = groups();
  Sums sums{PooledVector<Value>(static_cast<size_t>(n) * n_sums_)};
  const auto run_group = [&](int64_t g) { this->run_group(g, cuts, out, sums); };
  if (n < num_threads()) {
    for (int64_t g = 0; g < n; ++g) run_group(g);  // its steps use the threads
  } else {
    parallel_tasks(n, run_group);
  }
  for (int64_t left = n; left > 1; left = (left + 1) / 2)
    for (size_t k = 0; k < static_cast<size_t>(left / 2) * n_sums_; ++k)
      add_in_place(sums.values[k], sums.values[k + static_cast<size_t>((left + 1) / 2) * n_sums_]);
  size_t sum = 0;
  for (size_t j = 0; j < out.size(); ++j)
    if (form_.out_axes[j] == whole) out[j] = std::move(sums.values[sum++]);
}

size_t Tiles::scratch_bytes() const {
  size_t sums = 0;
  for (size_t j = 0; j < form_.out.size(); ++j)
    if (form_.out_axes[j] == whole)
      sums +=
          static_cast<size_t>(element_count(form_.out[j].shape)) * item_size(form_.out[j].dtype);
  return body_.peak_bytes() + static_cast<size_t>(groups() - 1) * sums;
}

void Tiles::print(std::ostream& out) const {
  out << "tiles of " << form_.length << " of " << form_.n << ", " << form_.body.steps.size()
      << " steps";
}

}  // namespace tapegrad
