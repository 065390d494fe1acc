#pragma once

#include <atomic>
#include <span>

#include "tapegrad/base/error.h"
#include "tapegrad/tape/ref.h"
#include "tapegrad/tape/tape.h"

// Where numbers first go bad. While a thread watches, what is recorded on it is looked through as
// it is recorded, and every node keeps the user's line; sweeps look through each contribution and
// take nodes one after the other. Where nobody does, recording and sweeps test one number.

namespace tapegrad {

// A number went bad; the message says where.
class AnomalyError : public Error {
 public:
  explicit AnomalyError(const std::string& message) : Error(ErrorKind::runtime, message) {}
};

namespace anomaly {

struct Watch {
  bool on = false;
  bool infinities = false;  // count as bad, besides NaN
  bool values = true;       // those that are recorded are looked at, not only derivatives
};

// How many blocks are open that watch, on all threads: while it is 0, nobody does.
extern std::atomic<int> watchers;
Watch watch_of_thread();
void set_watch_of_thread(const Watch& watch);

inline bool may_watch() { return watchers.load(std::memory_order_relaxed) != 0; }
inline bool is_watching() { return may_watch() && watch_of_thread().on; }

// Throw where there is a bad number: in the results of an application,
void check_results(const Tape& tape, const Op& op, std::span<const Ref> inputs,
                   std::span<const Value> results);
// and in what the derivative of a node gave. `kind` says what of: "cotangent of input 0".
void check_derivative(const Tape& tape, const Node& node, const Value& found,
                      const std::string& kind);
// In the sum of several contributions to a node.
void check_sum(const Tape& tape, const Node& node, const Value& sum);

}  // namespace anomaly
}  // namespace tapegrad
