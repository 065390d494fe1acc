// The body of a scan with a place in memory for each of its values, planned before it runs: what a
// step of the scan takes is then its arithmetic, copies, and some pointers for each of its kernels.
// Views are offsets; what is the same at every step is computed once. Bits are those of the steps.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "tapegrad/kernels/fused/bound/bound_kernel.h"
#include "tapegrad/ops/linalg/matmul.h"
#include "tapegrad/program/program.h"
#include "tapegrad/program/run/static/static_moves.h"

namespace tapegrad {

class StaticPlan {
 public:
  // For a body whose inputs are carries, then elements of series, then the rest; null where it has
  // guards of arrays, or long arrays, or steps alone that are run as ops: an Executor runs it as
  // fast.
  static std::unique_ptr<const StaticPlan> of(const Program& p, size_t n_carry, size_t n_series);

  // What its kernels were compiled to by now, an instruction a line.
  std::string machine_code() const;

 private:
  friend class StaticRun;
  friend class StaticPlanner;
  static constexpr uint32_t none = ~uint32_t{0};

  // Packed elements of a place, from an offset in bytes on.
  struct Operand {
    uint32_t place = none;
    size_t offset = 0;
  };
  struct Place {
    size_t first = 0;        // in the memory of a run; of series: of the row that stands in
    uint32_t series = none;  // it lies in this series
  };
  struct Step {
    enum class Kind : uint8_t {
      kernel,
      moves,
      addition,  // of input 1 to parts of input 0, which lies where the result does
      general
    };
    Kind kind;
    std::vector<Operand> in, out;
    std::unique_ptr<const BoundKernel> kernel{};
    size_t scratch = 0;  // of the kernel: where it is in the memory
    MoveRuns runs{};
    DType dtype{};
    int64_t count = 0;    // elements of the result, of moves
    uint32_t number = 0;  // of the program's step, where general
  };
  struct Carry {
    Operand next;
    uint32_t place;
    size_t bytes, item;
    bool swaps;  // the places trade their memory
  };
  struct Guard {
    Operand at;
    Value expected;  // a number
  };

  Program program_;
  size_t n_carry_ = 0, n_series_ = 0;
  std::vector<Place> places_;
  std::vector<Operand> at_;  // by value
  std::vector<Step> once_, steps_;
  std::vector<Carry> carries_;
  std::vector<Operand> ys_;
  std::vector<Guard> guards_;
  size_t bytes_ = 0;
};

// Writes a number in its own dtype.
void store_number(char* to, const Value& number);

// The memory of runs of a plan, one after the other.
class StaticRun {
 public:
  explicit StaticRun(const StaticPlan& plan);
  ~StaticRun();
  StaticRun(const StaticRun&) = delete;
  StaticRun& operator=(const StaticRun&) = delete;

  // Begins a run. `inputs`: first carries, whole series, the rest; they stay as they are until the
  // run has ended.
  void begin(std::span<const Value> inputs);
  // Lets go of the inputs.
  void end();
  // The step at index t; false where a guard does not hold, and then the run is of no use.
  [[nodiscard]] bool step(int64_t t);
  // What the last step made: the k-th output that is no carry, until the next step.
  const char* y(size_t k) const { return ys_[k]; }
  Value y_value(size_t k) const;
  // What the last step hands over.
  Value carry(size_t c) const;

 private:
  using Operand = StaticPlan::Operand;
  struct Series {
    uint32_t place;
    char* first;
    int64_t stride, last;  // bytes; the last step whose row may be read where it is
    size_t bytes;          // of a row
    DType dtype;
  };
  // What a step that is run as an op is called with.
  struct General {
    struct Like {
      Value array;           // that lies in memory as the operand's did; without data: a number
      Operand base{};        // what it is, or is a view of
      char* at = nullptr;    // where that lay then
      bool is_made = false;  // anew at each step
    };
    std::vector<Like> like;                  // by operand
    std::unique_ptr<LikeProduct> product{};  // what runs in place of the op, where it is one
    std::vector<Value> in, out;
  };

  char* at(const Operand& o) const { return at_[o.place] + o.offset; }
  void set_up_series(size_t k, const Value& v);
  void carry_over();
  void run(const StaticPlan::Step& s, General& with);
  void run_general(const StaticPlan::Step& s, General& with);
  void run_product(const StaticPlan::Step& s, General& with);
  void prepare(const StaticPlan::Step& s, General& with) const;
  General::Like like(ValueId v) const;
  // Constants and the rest, which are handed on as they came.
  bool is_fixed(ValueId v) const;
  Value like_view(ValueId v, ValueId& root) const;
  Value array_at(ValueId v, char* data) const;

  const StaticPlan& plan_;
  Buffer* memory_;
  std::vector<char*> at_;  // by place
  std::vector<Value> series_values_, rest_;
  std::vector<Series> series_;
  std::vector<General> general_once_, general_;
  std::vector<char*> in_, out_, ys_;
  std::vector<char> kept_;
  bool has_run_ = false;
};

}  // namespace tapegrad
