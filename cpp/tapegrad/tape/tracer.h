#pragma once

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tapegrad/tape/ref.h"
#include "tapegrad/tape/tape.h"

namespace tapegrad {

// Records a whole function, for a program: while one is at work on a thread, results of every dtype
// are recorded (data_values.h), constants keep their values, and what plain code learns of a
// recorded value is written down as a guard. Tracers nest, and the innermost one records.
class Tracer {
 public:
  // The recorded path holds only while `value` is `expected` (to the bit).
  struct Guard {
    Ref value;
    Value expected;
    std::string where;  // the user's line
  };

  // A reverse sweep for the program alone: recorded, or left out. What a sweep does follows from
  // what it reads, so that of two recordings that agree in it one may leave the sweep out.
  struct Sweep {
    struct Value {
      uint32_t slot = 0;  // whose node stays, while its memory may go; 0 for a plain value
      tapegrad::Value plain{};
    };
    size_t first = 0, last = 0;              // of the applications that it recorded
    size_t first_guard = 0, last_guard = 0;  // likewise
    uint64_t sequence = 0;                   // of the last node before it
    std::vector<Value> reads{};              // outputs and seeds
    std::vector<Value> wrt{}, results{};
    bool left_out = false;
  };

  Tracer();
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // A fresh node that stands for an argument of the function, of any dtype.
  Ref argument(const Value& value);
  // The same for a whole number that programs of its own would stand for if plain code learned it:
  // see learned_number(). `python`: it is an int of the host language, which is weak.
  Ref number_argument(const Value& value, bool python);
  // Plain code learned this value: the same path is right only while it is the same. The place
  // is the user's present line where none is given.
  void guard(Ref value);
  void guard(Ref value, std::string where);
  // Something happened that a replay could not repeat. The first reason stays.
  void refuse(std::string reason);
  // Plain code learned the length of an axis, or an error that may come of it: the recording is
  // right for the lengths of this call alone. The first place stays.
  void read_length();

  // Sweeps that take long to record may be left out: their results then stand as constants, and the
  // recording serves no replay.
  void allow_leaving_out() { may_leave_out_ = true; }
  // A sweep that is recorded for the program alone asks this first. What it gives may have
  // derivatives by what is not the function's own: once that is used, none is left out.
  bool leaves_out(double ns_to_record) {
    ns_of_sweeps_ += ns_to_record;
    if (used_outside_) return false;
    left_out_ |= may_leave_out_ && ns_of_sweeps_ > most_ns_of_sweeps_;
    return left_out_;
  }
  // An operation read what depends on a Variable, or on what was recorded by others.
  void see_outside() { used_outside_ = true; }
  bool used_outside() const { return used_outside_; }
  bool left_out() const { return left_out_; }
  // A sweep that begins now, for the program alone, and what is known when it has ended.
  Sweep begin_sweep(std::span<const Ref> outputs, std::span<const Ref> seeds) const;
  void end_sweep(Sweep sweep, std::span<const Ref> wrt, std::span<const Ref> results);
  const std::vector<Sweep>& sweeps() const { return sweeps_; }
  // How long the sweeps of a recording may take together before one is left out; for tests.
  static double set_most_ns_of_sweeps(double ns) { return std::exchange(most_ns_of_sweeps_, ns); }

  // Values that are numbers of the host language in the function itself: they take the dtype of
  // what they meet.
  void mark_weak(const Ref& value);
  bool is_weak(const Ref& value) const;
  // Something saw a weak number as a value of a dtype, where the function has none. The recording
  // may have promoted what the function does not.
  void lose_weakness() { lost_weakness_ = true; }
  bool lost_weakness() const { return lost_weakness_; }
  // Whether that may have changed a dtype: it takes a float32 operand.
  bool may_have_promoted() const { return lost_weakness_ && saw_float32_; }
  void see(DType operand) { saw_float32_ |= operand == DType::float32; }

  // Plain code learned one of these numbers, or one that was computed from them.
  bool learned_number() const { return learned_number_; }
  // Asked of each integer and mask that plain code learns.
  void see_learned(const Ref& value) {
    learned_number_ |= !number_arguments_.empty() && comes_of_number(value.slot(), most_steps_);
  }

  // Keeps an application until the recording ends, though nothing may need it: see
  // Recording::unused. Its value may go.
  void keep(uint32_t slot) {
    applications_.push_back(slot);
    tape_.retain_node(slot);
    if (keeps_lines_) keep_line();
  }
  // A node for a plain number that an application reads, with a count for that: the one of an equal
  // number that was read before, if it is among those that are remembered.
  uint32_t number(Value value);
  // From now on applications keep the user's lines, for people who look at the recording.
  void keep_lines() { keeps_lines_ = true; }
  // The user's line of an application, by its number; empty where none was kept.
  const std::string& line_of(size_t application) const;
  const std::vector<uint32_t>& applications() const { return applications_; }

  // Variables that were made by the function itself, though what they hold was not recorded by it.
  void own(const Leaf* leaf) { own_.insert(leaf); }
  bool owns(const Leaf* leaf) const { return own_.contains(leaf); }

  Tape& tape() const { return tape_; }
  uint32_t scope() const { return scope_; }
  // Nodes up to this one were recorded by others.
  uint64_t first_sequence() const { return first_sequence_; }
  bool recorded(const Tape& tape, uint32_t slot) const {
    return &tape == &tape_ && tape.node(slot).seq > first_sequence_;
  }
  const std::vector<Guard>& guards() const { return guards_; }
  const std::vector<uint32_t>& arguments() const { return arguments_; }
  const std::string& refusal() const { return refusal_; }
  // The user's line; empty where no length was read.
  const std::string& length_read() const { return length_read_; }

 private:
  void keep_line();
  bool comes_of_number(uint32_t slot, int steps) const;

  Tape& tape_;
  Tracer* outer_;
  bool recording_before_;
  uint32_t scope_;
  uint64_t first_sequence_;
  std::vector<Ref> held_;
  std::vector<uint32_t> arguments_;
  std::vector<uint32_t> applications_;
  bool keeps_lines_ = false;
  std::vector<std::string> lines_;  // by application
  std::vector<Guard> guards_;
  std::vector<Sweep> sweeps_;
  std::string refusal_;
  std::string length_read_;
  std::unordered_set<const Leaf*> own_;
  std::unordered_map<uint32_t, Ref> weak_;  // by slot, which stays taken
  // Of plain numbers, by a hash of their bits; rules' own apart.
  struct NumberEntry {
    uint32_t slot = 0;
    uint64_t seq = 0;
  };
  static constexpr size_t number_entry_count = 64;
  NumberEntry number_entries_[number_entry_count];
  static constexpr int most_steps_ = 16;  // of arithmetic; what comes of more counts as learned
  std::unordered_set<uint32_t> number_arguments_;
  bool learned_number_ = false;
  bool lost_weakness_ = false, saw_float32_ = false, used_outside_ = false;

  static inline double most_ns_of_sweeps_ = 2e6;
  double ns_of_sweeps_ = 0;
  bool may_leave_out_ = false, left_out_ = false;
};

// While it lives, what is recorded is no part of the program that a Tracer records.
class Untraced {
 public:
  explicit Untraced(Tape& tape) : tape_(tape), before_(tape.tracer()) { tape_.set_tracer(nullptr); }
  ~Untraced() { tape_.set_tracer(before_); }
  Untraced(const Untraced&) = delete;
  Untraced& operator=(const Untraced&) = delete;

 private:
  Tape& tape_;
  Tracer* before_;
};

}  // namespace tapegrad
