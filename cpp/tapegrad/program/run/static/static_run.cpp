#include <algorithm>
#include <cstring>

#include "tapegrad/program/run/static/static_plan.h"

namespace tapegrad {

void store_number(char* to, const Value& number) {
  visit_dtype(number.dtype(), [&](auto tag) {
    using T = decltype(tag);
    T item;
    if constexpr (std::is_floating_point_v<T>) {
      item = static_cast<T>(number.bits().f);
    } else {
      item = static_cast<T>(number.bits().i);
    }
    std::memcpy(to, &item, sizeof item);
  });
}

namespace {

Value number_at(const char* from, DType dtype) {
  return visit_dtype(dtype, [&](auto tag) {
    using T = decltype(tag);
    T item;
    std::memcpy(&item, from, sizeof item);
    if constexpr (std::is_floating_point_v<T>) {
      return Value::scalar(static_cast<double>(item), dtype);
    } else {
      return Value::integer_scalar(static_cast<int64_t>(item), dtype);
    }
  });
}

// The last element again behind the array, for whoever reads whole vectors.
void pad(char* data, size_t bytes, size_t item) {
  if (bytes == 0) return;
  for (size_t k = 0; k + item <= bound_slack; k += item)
    std::memcpy(data + bytes + k, data + bytes - item, item);
}

void store(char* to, const Value& v) {
  const size_t item = item_size(v.dtype());
  if (v.is_scalar()) {
    store_number(to, v);
    pad(to, item, item);
    return;
  }
  const Value packed = v.contiguous();
  if (packed.byte_count() == 0) return;
  std::memcpy(to, packed.raw(), packed.byte_count());
  pad(to, packed.byte_count(), item);
}

Dims behind_first(const Dims& d) { return Dims(d.data() + 1, d.size() - 1); }

}  // namespace

StaticRun::StaticRun(const StaticPlan& plan)
    : plan_(plan), memory_(Buffer::allocate(std::max<size_t>(plan.bytes_, 1))) {
  const Program& p = plan.program_;
  std::memset(memory_->data(), 0, plan.bytes_);  // what is read behind arrays is harmless
  for (const StaticPlan::Place& place : plan.places_) at_.push_back(memory_->data() + place.first);
  rest_.resize(p.values.size());
  for (ValueId v = 0; v < p.values.size(); ++v) {
    if (!p.is_constant(v)) continue;
    rest_[v] = p.constant_of(v);
    if (plan.at_[v].place != StaticPlan::none) store(at(plan.at_[v]), rest_[v]);
  }
  for (const auto* steps : {&plan.once_, &plan.steps_})
    for (const StaticPlan::Step& s : *steps)
      if (s.kernel) s.kernel->set_up(memory_->data() + s.scratch);
  general_once_.resize(plan.once_.size());
  general_.resize(plan.steps_.size());
  ys_.resize(plan.ys_.size());
  series_.reserve(plan.n_series_);
  series_values_.reserve(plan.n_series_);
}

void StaticRun::begin(std::span<const Value> inputs) {
  const Program& p = plan_.program_;
  const size_t first_rest = plan_.n_carry_ + plan_.n_series_;
  has_run_ = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Operand& to = plan_.at_[p.inputs[i]];
    if (i >= plan_.n_carry_ && i < first_rest) {
      set_up_series(i - plan_.n_carry_, inputs[i]);
      continue;
    }
    if (i >= first_rest) rest_[p.inputs[i]] = inputs[i];
    if (to.place != StaticPlan::none) store(at(to), inputs[i]);
  }
  for (size_t k = 0; k < plan_.once_.size(); ++k) {
    prepare(plan_.once_[k], general_once_[k]);
    run(plan_.once_[k], general_once_[k]);
  }
  for (size_t k = 0; k < plan_.steps_.size(); ++k) prepare(plan_.steps_[k], general_[k]);
}

void StaticRun::end() {
  const Program& p = plan_.program_;
  series_.clear();
  series_values_.clear();
  for (ValueId v : p.inputs) rest_[v] = Value();
  for (std::vector<General>* all : {&general_once_, &general_})
    for (General& g : *all) {
      g.like.clear();
      g.product.reset();
    }
}

StaticRun::~StaticRun() { memory_->drop(); }

void StaticRun::set_up_series(size_t k, const Value& v) {
  const Program& p = plan_.program_;
  const uint32_t place = plan_.at_[p.inputs[plan_.n_carry_ + k]].place;
  const size_t item = item_size(v.dtype());
  Value rows = v;
  if (v.ndim() > 1) {
    const Dims row = behind_first(v.shape());
    const bool packed = v.size() > 0 && v.view(row, behind_first(v.strides()), 0).is_contiguous() &&
                        v.strides()[0] >= element_count(row);
    if (!packed) rows = v.contiguous();
  }
  const int64_t length = v.dim(0), n = length == 0 ? 0 : v.size() / length;
  Series s{
      place,      static_cast<char*>(rows.raw()), rows.strides()[0] * static_cast<int64_t>(item),
      length - 1, static_cast<size_t>(n) * item,  v.dtype()};
  if (v.ndim() > 1)
    while (s.last >= 0 && (length - 1 - s.last) * s.stride < static_cast<int64_t>(bound_slack))
      --s.last;
  series_values_.push_back(std::move(rows));
  series_.push_back(s);
}

Value StaticRun::array_at(ValueId v, char* data) const {
  const TensorType& t = plan_.program_.type_of(v);
  if (t.shape.empty()) return number_at(data, t.dtype);
  memory_->retain();
  return Value::wrap(memory_, data, t.dtype, t.shape, nullptr);
}

// The array as the program's steps would hand it on: a view where it is one. `root`: what it is a
// view of.
Value StaticRun::like_view(ValueId v, ValueId& root) const {
  const Program& p = plan_.program_;
  const Program::ValueInfo& info = p.values[v];
  if (info.source == Source::step) {
    const Program::Step& s = p.steps[info.index];
    if (s.kernel < 0 && s.n_out == 1 && op_by_id(s.op).view != ViewKind::none) {
      Value in = like_view(p.in(s)[0], root), out;
      op_by_id(s.op).eval(p.attrs_of(s), {&in, 1}, {&out, 1});
      return out;
    }
  }
  root = v;
  return is_fixed(v) ? rest_[v] : array_at(v, at(plan_.at_[v]));
}

bool StaticRun::is_fixed(ValueId v) const {
  const Program::ValueInfo& info = plan_.program_.values[v];
  return info.source == Source::constant ||
         (info.source == Source::input && info.index >= plan_.n_carry_ + plan_.n_series_);
}

StaticRun::General::Like StaticRun::like(ValueId v) const {
  const Operand& own = plan_.at_[v];
  ValueId root = v;
  Value view = like_view(v, root);
  const Operand& base = plan_.at_[root];
  // Reductions and products round by strides: they get the view that the program's steps would get.
  if (is_fixed(root)) return {std::move(view), {}, nullptr};
  if (!view.is_contiguous() && view.buffer() == memory_) return {std::move(view), base, at(base)};
  if (!view.is_contiguous()) return {Value(), base, nullptr, true};  // of a copy, or of a number
  if (plan_.program_.type_of(v).shape.empty()) return {Value(), own, nullptr};
  return {array_at(v, at(own)), own, at(own)};
}

void StaticRun::prepare(const StaticPlan::Step& s, General& with) const {
  if (s.kind != StaticPlan::Step::Kind::general) return;
  with.like.clear();
  const Program::Step& step = plan_.program_.steps[s.number];
  for (ValueId v : plan_.program_.in(step)) with.like.push_back(like(v));
  const auto lies_still = [](const General::Like& l) { return !l.is_made && l.array.buffer(); };
  with.product.reset();
  if (step.kernel < 0 && op_by_id(step.op).product == ProductKind::matrices &&
      std::ranges::all_of(with.like, lies_still))
    with.product = product_like(with.like[0].array, with.like[1].array);
}

void StaticRun::run_product(const StaticPlan::Step& s, General& with) {
  const auto place = [this](const General::Like& like) {
    const char* const data = static_cast<const char*>(like.array.raw());
    return like.base.place == StaticPlan::none ? data : data + (at(like.base) - like.at);
  };
  char* const out = at(s.out[0]);
  with.product->run(place(with.like[0]), place(with.like[1]), out);
  const TensorType& type = plan_.program_.type_of(plan_.program_.steps[s.number].first_out);
  const size_t item = item_size(type.dtype);
  pad(out, static_cast<size_t>(element_count(type.shape)) * item, item);
}

void StaticRun::run_general(const StaticPlan::Step& s, General& with) {
  const Program& p = plan_.program_;
  const Program::Step& step = p.steps[s.number];
  const std::span<const ValueId> in = p.in(step);
  with.in.resize(in.size());
  with.out.resize(step.n_out);
  for (size_t i = 0; i < in.size(); ++i) {
    const General::Like& like = with.like[i];
    const DType dtype = p.type_of(in[i]).dtype;
    if (like.is_made) {
      ValueId root = in[i];
      with.in[i] = like_view(in[i], root);
    } else if (like.base.place == StaticPlan::none) {
      with.in[i] = like.array;
    } else if (like.at == nullptr) {
      with.in[i] = number_at(at(like.base), dtype);
    } else {
      with.in[i] = like.array.neighbour((at(like.base) - like.at) /
                                        static_cast<std::ptrdiff_t>(item_size(dtype)));
    }
  }
  if (step.kernel >= 0) {
    p.kernels[static_cast<size_t>(step.kernel)]->run(with.in, with.out);
  } else {
    op_by_id(step.op).eval(p.attrs_of(step), with.in, with.out);
  }
  for (uint32_t j = 0; j < step.n_out; ++j) store(at(s.out[j]), with.out[j]);
  with.in.clear();
  with.out.clear();
}

void StaticRun::run(const StaticPlan::Step& s, General& with) {
  using Kind = StaticPlan::Step::Kind;
  switch (s.kind) {
    case Kind::kernel:
      in_.clear();
      out_.clear();
      for (const Operand& o : s.in) in_.push_back(at(o));
      for (const Operand& o : s.out) out_.push_back(at(o));
      return s.kernel->run(in_.data(), out_.data(), memory_->data() + s.scratch);
    case Kind::moves: {
      in_.clear();
      for (const Operand& o : s.in) in_.push_back(at(o));
      char* const to = at(s.out[0]);
      run_moves(s.runs, s.dtype, in_.data(), to);
      const size_t item = item_size(s.dtype);
      return pad(to, static_cast<size_t>(s.count) * item, item);
    }
    case Kind::addition:
      return run_additions(s.runs, s.dtype, at(s.in[0]), at(s.in[1]));
    case Kind::general:
      return with.product ? run_product(s, with) : run_general(s, with);
  }
}

void StaticRun::carry_over() {
  size_t bytes = 0;
  for (const StaticPlan::Carry& c : plan_.carries_)
    if (!c.swaps) bytes += c.bytes;
  kept_.resize(bytes);
  char* kept = kept_.data();
  for (const StaticPlan::Carry& c : plan_.carries_) {
    if (c.swaps || c.bytes == 0) continue;
    std::memcpy(kept, at(c.next), c.bytes);
    kept += c.bytes;
  }
  kept = kept_.data();
  for (const StaticPlan::Carry& c : plan_.carries_) {
    if (c.bytes == 0) continue;
    if (c.swaps) {
      std::swap(at_[c.place], at_[c.next.place]);
    } else {
      std::memcpy(at_[c.place], kept, c.bytes);
      pad(at_[c.place], c.bytes, c.item);
      kept += c.bytes;
    }
  }
}

bool StaticRun::step(int64_t t) {
  if (has_run_) carry_over();
  has_run_ = true;
  for (const Series& s : series_) {
    char* const row = s.first + t * s.stride;
    if (t <= s.last) {
      at_[s.place] = row;
    } else {
      char* const own = memory_->data() + plan_.places_[s.place].first;
      std::memcpy(own, row, s.bytes);
      pad(own, s.bytes, item_size(s.dtype));
      at_[s.place] = own;
    }
  }
  for (size_t k = 0; k < plan_.steps_.size(); ++k) run(plan_.steps_[k], general_[k]);
  for (size_t k = 0; k < ys_.size(); ++k) ys_[k] = at(plan_.ys_[k]);
  return std::ranges::all_of(plan_.guards_, [this](const StaticPlan::Guard& g) {
    return same_bits(number_at(at(g.at), g.expected.dtype()), g.expected);
  });
}

Value StaticRun::carry(size_t c) const {
  const Program& p = plan_.program_;
  const ValueId v = has_run_ ? p.outputs[c] : p.inputs[c];
  return array_at(v, at(plan_.at_[v])).copy();
}

Value StaticRun::y_value(size_t k) const {
  return array_at(plan_.program_.outputs[plan_.n_carry_ + k], ys_[k]);
}

}  // namespace tapegrad
