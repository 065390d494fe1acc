#include "tapegrad/kernels/fused/loop/lane_loop.h"

#include <algorithm>

#include "tapegrad/base/error.h"
#include "tapegrad/kernels/fused/lane_inputs.h"
#include "tapegrad/kernels/fused/lane_output.h"
#include "tapegrad/kernels/fused/loop/lane_loop_numbers.h"
#include "tapegrad/kernels/fused/loop/lane_loop_sums.h"
#include "tapegrad/parallel/interrupt.h"
#include "tapegrad/scalar/functions/function_list.h"

namespace tapegrad {
namespace {

constexpr int64_t row_alignment = 64;

void check_loop(const LaneLoop& loop) {
  check_lane_kernel(loop.body);
  const auto fail = [](auto... what) { throw_error<ValueError>("LaneLoop: ", what...); };
  const LaneKernel& k = loop.body;
  if (element_count(loop.space) < 1 || element_count(loop.space) > most_loop_lanes)
    fail("runs over 1 to ", most_loop_lanes, " lanes, got the space ", loop.space);
  if (loop.n_carry + loop.n_series > k.n_inputs || loop.n_carry > k.outputs.size())
    fail("more carries and series than inputs or outputs");
  if (loop.is_row.size() != k.n_inputs + k.outputs.size())
    fail("says of ", loop.is_row.size(), " of ", k.n_inputs + k.outputs.size(),
         " inputs and outputs whether they are rows");
  for (const LaneKernel::Output& o : k.outputs)
    if (o.summed) fail("an output is a row or a number; use row_sum");
}

// The inputs that are the same at every step and in every lane.
InputBits uniform_inputs(const LaneLoop& loop) {
  InputBits uniform(loop.body.n_inputs);
  for (uint32_t i = loop.n_carry + loop.n_series; i < loop.body.n_inputs; ++i)
    if (!loop.in_is_row(i)) uniform.set(i);
  return uniform;
}

// The body as it is planned: every output is a row of its own that the steps write, so that the
// rows of carries can trade places.
LaneKernel with_own_rows(const LaneKernel& body, const InputBits& uniform) {
  LaneKernel k = body;
  // Operands that have no row, or one that is an output's already.
  std::vector<uint8_t> shared(k.first_result() + k.code.size(), 1);
  std::vector<uint8_t> same(shared.size(), 1);
  for (uint32_t i = 0; i < k.n_inputs; ++i) same[i] = uniform[i];
  for (uint32_t i = 0; i < k.code.size(); ++i) {
    const ScalarTape::Instruction& step = k.code[i];
    bool all = !is_row_fn(step.fn);
    for (size_t a = 0; a < static_cast<size_t>(lane_arity(step.fn)); ++a) all &= same[step.args[a]];
    same[k.first_result() + i] = all;
    shared[k.first_result() + i] =
        all || step.fn == scalar_fn_of<Positive>() || step.fn == scalar_fn_of<Conjugate>();
  }
  for (LaneKernel::Output& o : k.outputs) {
    if (shared[o.operand]) {
      k.code.push_back({row_copy, {o.operand, 0, 0}});
      o.operand = k.first_result() + static_cast<uint32_t>(k.code.size() - 1);
    } else {
      shared[o.operand] = 1;
    }
    o.dtype = k.dtype;
  }
  return k;
}

// The body for a single lane: a row is a number, which is its own sum.
LaneKernel without_rows(const LaneKernel& body) {
  LaneKernel k = body;
  for (ScalarTape::Instruction& step : k.code)
    if (is_row_fn(step.fn)) step.fn = scalar_fn_of<Positive>();
  for (LaneKernel::Output& o : k.outputs) o.dtype = k.dtype;
  return k;
}

// A row of memory for each number that a step reads or writes.
template <class T>
class LoopRun {
 public:
  LoopRun(const LaneLoopCall& call, const LanePlan<T>& plan)
      : call_(call),
        loop_(call.loop),
        plan_(plan),
        lanes_(element_count(call.loop.space)),
        width_(padded(lanes_)) {}
  LoopRun(const LoopRun&) = delete;
  LoopRun& operator=(const LoopRun&) = delete;
  ~LoopRun() {
    if (memory_) memory_->drop();
  }

  void run() {
    take_memory();
    run_uniform();
    set_up_inputs();
    set_up_outputs();
    LaneFrame<T> frame = frame_for(plan_.block);
    frame.count = lanes_;
    InterruptPoll poll;
    for (int64_t i = 0; i < call_.length; ++i) {
      poll(1 + lanes_ / 256);
      const int64_t t = call_.index(i);
      for (Series& s : series_) load(s, t);
      for (Result& r : results_)
        if (r.direct) at_[r.place] = r.row + t * r.stride;
      run_block(plan_.block, at_, width_, frame);
      for (const Result& r : results_)
        if (!r.direct) store(r, at_[r.place], t);
      for (const Carry& c : carries_)
        if (c.in != no_place) std::swap(at_[c.in], at_[c.out]);
    }
    for (const Carry& c : carries_) call_.outputs[c.output] = last_value(c);
  }

 private:
  struct Series {
    uint32_t place = 0;
    const T* data = nullptr;  // null: packed
    int64_t stride = 0;
    int64_t last = 0;  // the last step whose row may be read where it is
    bool is_row = true;
    T* row = nullptr;  // of its own, for all other steps
    LaneInput<T> input{};
    Dims space{};
  };
  struct Carry {
    uint32_t in;  // no_place where no step reads it
    uint32_t out, output;
  };
  struct Result {
    uint32_t place, output;
    bool direct;
    T* row;  // of step 0
    int64_t stride;
  };

  int64_t padded(int64_t n) const {
    const int64_t w = lane_loops<T>().width;
    return (n + w - 1) / w * w;
  }

  T* take_row() {
    T* row = next_;
    next_ += row_;
    return row;
  }

  // Places of lane inputs and outputs have a row each, and so have slots.
  void take_memory() {
    row_ = (width_ * static_cast<int64_t>(sizeof(T)) + row_alignment - 1) / row_alignment *
           row_alignment / static_cast<int64_t>(sizeof(T));
    const size_t rows = plan_.lane_inputs.size() + plan_.direct.size() + plan_.rows();
    const size_t bytes = (rows * static_cast<size_t>(row_) + plan_.uniform.registers) * sizeof(T);
    memory_ = Buffer::allocate(bytes + static_cast<size_t>(row_alignment));
    next_ = static_cast<T*>(static_cast<void*>(memory_->data()));
    places_.resize(plan_.places());
    at_ = places_.data();
    T** next = at_;
    for (size_t k = 0; k < plan_.lane_inputs.size(); ++k) *next++ = take_row();
    T** const uniforms = next;
    next += plan_.block.numbers.size();
    for (size_t k = 0; k < plan_.direct.size() + plan_.rows(); ++k) *next++ = take_row();
    registers_ = next_;
    for (size_t k = 0; k < plan_.block.numbers.size(); ++k)
      uniforms[k] = registers_ + plan_.block.numbers[k];
  }

  void run_uniform() {
    std::copy(plan_.uniform.constants.begin(), plan_.uniform.constants.end(), registers_);
    for (const auto& in : plan_.uniform.inputs)
      registers_[in.reg] = uniform_lane_input<T>(call_.inputs[in.number]);
    run_registers(plan_.uniform, registers_);
  }

  // Lanes of a number or an array of the space, in a row.
  void fill_row(const Value& v, T* row) {
    if (v.is_scalar()) {
      std::fill_n(row, width_, uniform_lane_input<T>(v));
      return;
    }
    int64_t strides[max_ndim];
    LaneInput<T>(v, loop_.space, strides).pack(loop_.space, 0, lanes_, width_, row);
  }

  void set_up_inputs() {
    place_of_input_.assign(loop_.body.n_inputs, no_place);
    strides_.resize(loop_.n_series * max_ndim);
    series_.reserve(loop_.n_series);
    for (uint32_t k = 0; k < plan_.lane_inputs.size(); ++k) {
      const uint32_t i = plan_.lane_inputs[k];
      place_of_input_[i] = k;
      if (i >= loop_.n_carry && i < loop_.n_carry + loop_.n_series) {
        add_series(i, k);
      } else {
        fill_row(call_.inputs[i], at_[k]);
      }
    }
  }

  void add_series(uint32_t i, uint32_t place) {
    const Value& v = call_.inputs[i];
    Series s;
    s.place = place;
    s.is_row = loop_.in_is_row(i);
    s.row = at_[place];
    const Layout& layout = *v.layout();
    const auto axes = static_cast<size_t>(layout.ndim());
    bool packed = v.dtype() == dtype_of<T>();
    int64_t inner = 1;
    for (size_t axis = axes; axis-- > 1;) {
      packed &= layout.dims()[axis] == 1 || layout.strides()[axis] == inner;
      inner *= layout.dims()[axis];
    }
    s.stride = layout.strides()[0];
    packed &= !s.is_row || s.stride >= lanes_ || call_.length == 1;
    if (packed) {
      s.data = static_cast<const T*>(v.raw());
      s.last = call_.length - 1;
      if (s.is_row)
        while (s.last >= 0 && (call_.length - 1 - s.last) * s.stride < width_ - lanes_) --s.last;
    } else {
      s.space = v.shape();
      s.input = LaneInput<T>(v, s.space, strides_.data() + series_.size() * max_ndim);
    }
    series_.push_back(s);
  }

  void load(Series& s, int64_t t) {
    if (s.data == nullptr) {
      const int64_t n = s.is_row ? lanes_ : 1;
      s.input.pack(s.space, t * n, n, width_, s.row);
    } else if (!s.is_row) {
      std::fill_n(s.row, width_, s.data[t * s.stride]);
    } else if (t <= s.last) {
      at_[s.place] = const_cast<T*>(s.data) + t * s.stride;
    } else {
      const T* from = s.data + t * s.stride;
      std::copy_n(from, lanes_, s.row);
      std::fill(s.row + lanes_, s.row + width_, from[lanes_ - 1]);
      at_[s.place] = s.row;
    }
  }

  void set_up_outputs() {
    const auto first = static_cast<uint32_t>(plan_.lane_inputs.size() + plan_.block.numbers.size());
    for (uint32_t d = 0; d < plan_.direct.size(); ++d) {
      const uint32_t k = plan_.direct[d], place = first + d;
      if (k < loop_.n_carry) {
        carries_.push_back({place_of_input_[k], place, k});
        if (call_.length == 0) fill_row(call_.inputs[k], at_[place]);
      } else {
        add_result(k, place);
      }
    }
  }

  void add_result(uint32_t k, uint32_t place) {
    const LaneKernel::Output& o = loop_.body.outputs[k];
    Dims shape{call_.length};
    const bool is_row = loop_.out_is_row(k);
    if (is_row)
      for (int64_t n : loop_.space) shape.push_back(n);
    const bool direct = is_row && o.dtype == loop_.body.dtype;
    if (direct && width_ != lanes_) {  // rows of whole vectors: the next step reads them in place
      Dims strides(shape);
      int64_t inner = 1;
      for (size_t axis = shape.size(); axis-- > 1;) {
        strides[axis] = inner;
        inner *= shape[axis];
      }
      strides[0] = width_;
      Buffer* buffer =
          Buffer::allocate(static_cast<size_t>(call_.length * width_) * sizeof(T) + sizeof(T));
      call_.outputs[k] = Value::wrap(buffer, buffer->data(), o.dtype, shape, strides.data());
      results_.push_back({place, k, true, call_.outputs[k].template data<T>(), width_});
    } else {
      call_.outputs[k] = Value::empty(o.dtype, shape);
      results_.push_back(
          {place, k, direct, direct ? call_.outputs[k].template data<T>() : nullptr, lanes_});
    }
  }

  void store(const Result& r, const T* row, int64_t t) {
    Value& out = call_.outputs[r.output];
    const int64_t n = loop_.out_is_row(r.output) ? lanes_ : 1;
    if (is_bool(out.dtype())) {
      bool* to = out.template data<bool>() + t * n;
      for (int64_t i = 0; i < n; ++i) to[i] = row[i] != 0;
    } else {
      std::copy_n(row, n, out.template data<T>() + t * n);
    }
  }

  Value last_value(const Carry& c) const {
    const LaneKernel::Output& o = loop_.body.outputs[c.output];
    const T* row = at_[call_.length == 0 || c.in == no_place ? c.out : c.in];
    if (!loop_.out_is_row(c.output)) return lane_number(static_cast<double>(row[0]), o.dtype);
    Value v = Value::empty(o.dtype, loop_.space);
    if (is_bool(o.dtype)) {
      for (int64_t i = 0; i < lanes_; ++i) v.data<bool>()[i] = row[i] != 0;
    } else {
      std::copy_n(row, lanes_, v.data<T>());
    }
    return v;
  }

  const LaneLoopCall& call_;
  const LaneLoop& loop_;
  const LanePlan<T>& plan_;
  const int64_t lanes_, width_;
  int64_t row_ = 0;
  Buffer* memory_ = nullptr;
  T* next_ = nullptr;
  T* registers_ = nullptr;
  std::vector<T*> places_;
  T** at_ = nullptr;
  std::vector<uint32_t> place_of_input_;
  std::vector<int64_t> strides_;
  std::vector<Series> series_;
  std::vector<Carry> carries_;
  std::vector<Result> results_;
};

}  // namespace

struct LaneLoopProgram::Code {
  LaneLoop loop;
  LaneKernel planned;
  std::unique_ptr<LanePlan<double>> f64;
  std::unique_ptr<LanePlan<float>> f32;
  std::vector<uint32_t> sums;  // where it does nothing else: summed_series()
};

LaneLoopProgram::LaneLoopProgram(LaneLoop loop) : code_(std::make_unique<Code>()) {
  check_loop(loop);
  InputBits uniform = uniform_inputs(loop);
  code_->planned = with_own_rows(loop.body, uniform);
  if (element_count(loop.space) == 1) {  // a scalar tape
    for (uint32_t i = 0; i < loop.body.n_inputs; ++i) uniform.set(i);
    code_->planned = without_rows(loop.body);
  }
  code_->sums = summed_series(loop);
  code_->loop = std::move(loop);
  if (code_->planned.dtype == DType::float32) {
    code_->f32 = make_lane_plan<float>(code_->planned, uniform);
  } else {
    code_->f64 = make_lane_plan<double>(code_->planned, uniform);
  }
}

LaneLoopProgram::~LaneLoopProgram() = default;

const LaneLoop& LaneLoopProgram::loop() const { return code_->loop; }

std::string LaneLoopProgram::machine_code() const {
  return code_->f32 ? machine_code_of(*code_->f32) : machine_code_of(*code_->f64);
}

void LaneLoopProgram::run(std::span<const Value> inputs, int64_t length, bool reverse,
                          std::span<Value> outputs) const {
  const LaneLoop& l = code_->loop;
  if (inputs.size() != l.body.n_inputs || outputs.size() != l.n_out())
    throw_error<ValueError>("LaneLoop: takes ", l.body.n_inputs, " inputs and ", l.n_out(),
                            " outputs, got ", inputs.size(), " and ", outputs.size());
  const LaneLoopCall call{l, inputs, length, reverse, outputs};
  if (!code_->sums.empty() &&
      (code_->f32 ? run_sums<float>(call, code_->sums) : run_sums<double>(call, code_->sums)))
    return;
  const bool is_number = element_count(l.space) == 1;
  if (code_->f32) {
    is_number ? run_number_loop(call, *code_->f32) : LoopRun<float>(call, *code_->f32).run();
  } else {
    is_number ? run_number_loop(call, *code_->f64) : LoopRun<double>(call, *code_->f64).run();
  }
}

}  // namespace tapegrad
